"""The command: python -m warehouse backup, which copies the file of DuckDB."""

import argparse
import datetime as dt
import os
import shutil
from pathlib import Path

import duckdb

from warehouse.database import Database
from warehouse.errors import ConfigurationError, DatabaseError

DESCRIPTION = (
    "Copy the database file of DuckDB as it is between two runs, and check the copy by opening and counting it."
)
EPILOG = "A PostgreSQL database has tools of its own: pg_dump (docs/running.md)."
_COUNTS = "select schema_name, table_name from duckdb_tables() where not internal order by all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the copy goes, and how long to wait for a run that is at work."""
    parser.add_argument("--to", type=Path, default=Path("backups"), metavar="FOLDER", help="default: backups")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Copy, check, and say what is there."""
    database = Database(options.wait)
    if not database.reads_files:
        raise ConfigurationError(
            "This warehouse is on PostgreSQL, which has its own: pg_dump --schema "
            f"'{database.schema}_*' (docs/running.md)."
        )
    source = Path(database.file)
    if not source.exists():
        raise DatabaseError(f"There is no database file {source}.")
    now = dt.datetime.now(dt.UTC)
    target = options.to / f"{source.stem}-{now:%Y%m%dT%H%M%SZ}{source.suffix}"
    options.to.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    try:
        # whoever has the file open keeps every other process from writing to it
        with database.holding_file() as statements:
            statements.execute("force checkpoint")
            wanted = _counts(statements)
            shutil.copyfile(source, partial)
        with duckdb.connect(str(partial), read_only=True) as copy:
            found = _counts(copy.cursor())
        if found != wanted:
            raise DatabaseError(f"The copy is not what {source} is: it was removed.")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    rows = sum(wanted.values())
    print(f"{target}: {len(wanted)} tables, {rows:,} rows, {target.stat().st_size:,} bytes; opened and counted.")
    return 0


def _counts(statements: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = statements.execute(_COUNTS).fetchall()
    return {
        f"{schema}.{table}": statements.execute(f'select count(*) from "{schema}"."{table}"').fetchone()[0]
        for schema, table in tables
    }
