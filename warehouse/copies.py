"""Copies of one schema of DuckDB in a separate file, for people who may see that and no more."""

import os
from collections.abc import Callable
from pathlib import Path

from warehouse.database import Database
from warehouse.errors import ConfigurationError, NeverBuiltError

# Of each table or view its name, and of each of its columns name and type.
Tables = dict[str, dict[str, str]]


def copy_schema(
    database: Database,
    schema: str,
    target: Path,
    what: str,
    *,
    never_built: str,
    check: Callable[[Tables], None] = lambda _: None,
) -> None:
    """Copy beside the file, put the copy in its place, and say what is in it: so many of `what`. A reader that has the
    file before open goes on reading that one. `check` refuses what the schema holds by an error."""
    if target.resolve() == Path(database.file).resolve():
        raise ConfigurationError(f"{target} is the warehouse itself: the copy needs a file of its own.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with database.holding_file() as statements:
            check(_tables(statements, schema))
            rows = _copy(statements, schema, partial)
        if not rows:
            raise NeverBuiltError(never_built)
        os.replace(partial, target)
    finally:
        for path in target.parent.glob(f"{partial.name}*"):
            path.unlink()
    print(f"{target}: {len(rows)} {what}, {sum(rows.values()):,} rows, {target.stat().st_size:,} bytes.")


def _tables(statements: object, schema: str) -> Tables:
    found: Tables = {}
    for table, column, type_ in statements.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = $1 order by table_name, column_index",
        [schema],
    ).fetchall():
        found.setdefault(table, {})[column] = type_
    return found


def _copy(statements: object, schema: str, file: Path) -> dict[str, int]:
    """Copy the tables and views of a schema, with what they and their columns say of themselves. The rows of each."""
    # in the format that the profile sets for the warehouse itself
    statements.execute(f"attach {_text(file)} as copied")
    tables = statements.execute(
        "select table_name, comment from duckdb_tables() where schema_name = $1 and not temporary union all "
        "select view_name, comment from duckdb_views() where schema_name = $1 order by all",
        [schema],
    ).fetchall()
    columns = statements.execute(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = $1 and comment is not null",
        [schema],
    ).fetchall()
    statements.execute("begin")
    statements.execute(f'create schema copied."{schema}"')
    rows = {}
    for name, comment in tables:
        statements.execute(f'create table copied."{schema}"."{name}" as select * from "{schema}"."{name}"')
        rows[name] = statements.execute(f'select count(*) from copied."{schema}"."{name}"').fetchone()[0]
        if comment:
            statements.execute(f'comment on table copied."{schema}"."{name}" is {_text(comment)}')
    for name, column, comment in columns:
        statements.execute(f'comment on column copied."{schema}"."{name}"."{column}" is {_text(comment)}')
    statements.execute("commit")
    statements.execute("detach copied")
    return rows


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
