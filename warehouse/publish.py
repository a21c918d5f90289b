"""The command: python -m warehouse publish, which copies the marts of DuckDB into a file for readers."""

import argparse
import os
from pathlib import Path

from warehouse.database import Database
from warehouse.errors import ConfigurationError, NeverBuiltError

DESCRIPTION = (
    "Copy the marts, and nothing else, into a second file of DuckDB that readers may keep open while builds run. A "
    "reader that has the file before open goes on reading that one."
)
EPILOG = """\
settings, from the environment:
  WAREHOUSE_PUBLISHED  the file, where --to does not name it (published.duckdb)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the copy goes, and how long to wait for a run that is at work."""
    parser.add_argument("--to", type=Path, metavar="FILE", help="default: WAREHOUSE_PUBLISHED, or published.duckdb")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Copy beside the file, put the copy in its place, and say what is in it."""
    database = Database(options.wait)
    schema = f"{database.schema}_marts"
    if not database.reads_files:
        raise ConfigurationError(
            f"This warehouse is on PostgreSQL: a role that may read the schema {schema} alone needs no copy "
            "(docs/running.md)."
        )
    target = options.to or Path(os.environ.get("WAREHOUSE_PUBLISHED") or "published.duckdb")
    if target.resolve() == Path(database.file).resolve():
        raise ConfigurationError(f"{target} is the warehouse itself: the copy needs a file of its own.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with database.holding_file() as statements:
            rows = _copy(statements, schema, partial)
        if not rows:
            raise NeverBuiltError("There are no marts yet. Run `make build` or `dbt build`.")
        os.replace(partial, target)
    finally:
        for path in target.parent.glob(f"{partial.name}*"):
            path.unlink()
    print(f"{target}: {len(rows)} marts, {sum(rows.values()):,} rows, {target.stat().st_size:,} bytes.")
    return 0


def _copy(statements: object, schema: str, file: Path) -> dict[str, int]:
    """Copy the tables and views of a schema, with what they and their columns say of themselves. The rows of each."""
    # in the format that the profile sets for the warehouse itself
    statements.execute(f"attach {_text(file)} as published")
    marts = statements.execute(
        "select table_name, comment from duckdb_tables() where schema_name = $1 and not temporary union all "
        "select view_name, comment from duckdb_views() where schema_name = $1 order by all",
        [schema],
    ).fetchall()
    columns = statements.execute(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = $1 and comment is not null",
        [schema],
    ).fetchall()
    statements.execute("begin")
    statements.execute(f'create schema published."{schema}"')
    rows = {}
    for name, comment in marts:
        statements.execute(f'create table published."{schema}"."{name}" as select * from "{schema}"."{name}"')
        rows[name] = statements.execute(f'select count(*) from published."{schema}"."{name}"').fetchone()[0]
        if comment:
            statements.execute(f'comment on table published."{schema}"."{name}" is {_text(comment)}')
    for name, column, comment in columns:
        statements.execute(f'comment on column published."{schema}"."{name}"."{column}" is {_text(comment)}')
    statements.execute("commit")
    statements.execute("detach published")
    return rows


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
