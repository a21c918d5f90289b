"""The command: python -m warehouse share, which copies what people outside may see into a file of DuckDB."""

import argparse
import re
from pathlib import Path

from warehouse.copies import Tables, copy_schema
from warehouse.database import Database
from warehouse.errors import ConfigurationError, DatabaseError

DESCRIPTION = (
    "Copy what may be shared with people outside, and nothing else, into a second file of DuckDB: aggregates of groups "
    "that are large enough. A table with a column that could tell of one user is refused."
)
# The single thing, or what leads to it: whoever adds a table to the schema is to notice.
_OF_ONE = re.compile(r"(^|_)(key|id)$|^error_signature$")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the copy goes, and how long to wait for a run that is at work."""
    parser.add_argument("--to", type=Path, default=Path("shared.duckdb"), metavar="FILE", help="default: shared.duckdb")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Copy, and say what is in the copy."""
    database = Database(options.wait)
    schema = f"{database.schema}_share"
    if not database.reads_files:
        raise ConfigurationError(
            f"This warehouse is on PostgreSQL: there the role reporter reads the schema {schema} and nothing else, and "
            "needs no copy (docs/running.md)."
        )
    never_built = "There is nothing to share yet. Run `make build` or `dbt build --selector daily`."
    copy_schema(database, schema, options.to, "tables", never_built=never_built, check=_refuse_what_tells_of_one)
    return 0


def _refuse_what_tells_of_one(tables: Tables) -> None:
    found = [
        f"{table}.{column} ({type_.lower()})"
        for table, columns in tables.items()
        for column, type_ in columns.items()
        if _OF_ONE.search(column.lower()) or "uuid" in type_.lower()
    ]
    if found:
        raise DatabaseError(
            f"Nothing was copied: {', '.join(found)} may tell of a single user, and is not to be shared. Keep keys, "
            "ids and texts of errors out of models/share/."
        )
