"""The command: python -m warehouse publish, which copies the marts of DuckDB into a file for readers."""

import argparse
import os
from pathlib import Path

from warehouse.copies import copy_schema
from warehouse.database import Database
from warehouse.errors import ConfigurationError

DESCRIPTION = (
    "Copy the marts, and nothing else, into a second file of DuckDB that readers may keep open while builds run. A "
    "reader that has the file before open goes on reading that one. It holds pseudonymous personal data, as the marts "
    "do: for people outside there is `share`."
)
EPILOG = """\
settings, from the environment:
  WAREHOUSE_PUBLISHED  the file, where --to does not name it (published.duckdb)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the copy goes, and how long to wait for a run that is at work."""
    parser.add_argument("--to", type=Path, metavar="FILE", help="default: WAREHOUSE_PUBLISHED, or published.duckdb")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Copy, and say what is in the copy."""
    database = Database(options.wait)
    schema = f"{database.schema}_marts"
    if not database.reads_files:
        raise ConfigurationError(
            f"This warehouse is on PostgreSQL: a role that may read the schema {schema} alone needs no copy "
            "(docs/running.md)."
        )
    target = options.to or Path(os.environ.get("WAREHOUSE_PUBLISHED") or "published.duckdb")
    never_built = "There are no marts yet. Run `make build` or `dbt build`."
    copy_schema(database, schema, target, "marts", never_built=never_built)
    return 0
