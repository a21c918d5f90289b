"""The same tables by hand: one DuckDB script in one process, and materialized views on PostgreSQL."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
from psycopg2.extensions import cursor

from benchmarks.processes import ROOT

_COMMON = "-- From here on the same SQL serves both engines."
# The script leaves out what was judged when, which cannot be made again from the log, and what only some logs fill.
NOT_BY_HAND = (
    "('alert_evaluations', 'incidents', 'alert_notifications', 'warehouse_clock', 'dim_styles', 'scene_performance', "
    "'photo_size_performance', 'step_times')"
)
_HERE = Path(__file__).resolve().parent
Query = Callable[[str], list[tuple]]


def build(database: Path, log: str, warehouse: Path, memory: str) -> None:
    """Make the tables in a new DuckDB database, with the user keys of a warehouse, in the profile's file format."""
    settings = {"memory_limit": memory, "storage_compatibility_version": "v1.4.0"}
    with duckdb.connect(str(database), config=settings) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {_quoted(warehouse)} as warehouse (read_only)")
        connection.execute("set variable salt = (select salt from warehouse.warehouse_internal.user_key_salt)")
        for name, parameters, definition in connection.execute(
            "select function_name, parameters, macro_definition from duckdb_functions() "
            "where database_name = 'warehouse' and schema_name = 'warehouse_internal' "
            "and function_name in ('matches', 'error_pattern', 'scrubbed') order by function_name = 'error_pattern'"
        ).fetchall():
            connection.execute("create schema if not exists warehouse_internal")
            connection.execute(f"create macro warehouse_internal.{name}({', '.join(parameters)}) as {definition}")
        connection.execute("detach warehouse")
        connection.execute(f"set variable log = {_quoted(log)}")
        connection.execute((_HERE / "by_hand.sql").read_text())


def create_views(cursor: cursor) -> list[str]:
    """Make the same tables as empty materialized views on PostgreSQL, in a schema by_hand; their names in order."""
    common = (_HERE / "by_hand.sql").read_text().partition(_COMMON)[2]
    script = (_HERE / "by_hand_postgres.sql").read_text() + common
    cursor.execute("drop schema if exists by_hand cascade; create schema by_hand; set search_path = by_hand, public")
    cursor.execute("create table salt as select salt from warehouse_internal.user_key_salt")
    for name, columns in {
        "error_patterns": "position integer, pattern text, error_category text, error_signature text",
        "error_categories": "error_category text, is_retryable boolean",
    }.items():
        cursor.execute(f"create table {name} ({columns})")
        with (ROOT / "seeds" / f"{name}.csv").open() as rows:
            cursor.copy_expert(f"copy {name} from stdin with (format csv, header)", rows)
    views = []
    for statement in re.split(r";\n", script):
        name = re.search(r"^create table (\w+) as$", statement, re.MULTILINE)
        if name:
            views.append(name[1])
            statement = statement.replace(name[0], f"create materialized view {name[1]} as") + "\nwith no data"
        if statement.strip():
            cursor.execute(statement)
    return views


def refresh_views(cursor: cursor, views: list[str]) -> None:
    """Refresh all of them, in the order in which they are made of one another."""
    cursor.execute("set search_path = by_hand, public")
    for view in views:
        cursor.execute(f"refresh materialized view {view}")


def differences(query: Query, tables: dict[str, str], warehouse: dict[str, str]) -> dict[str, int]:
    """How many rows of each table are on one side only: all columns exactly, floating point to single precision."""
    found = {}
    for name in tables:
        columns = query(
            "select column_name, data_type from information_schema.columns where table_name = "
            f"'{name}' and table_schema = '{warehouse[name].split('.')[-2]}' order by column_name"
        )
        chosen = ", ".join(
            f"cast({column} as real)" if "DOUBLE" in kind.upper() else column for column, kind in columns
        )
        sides = [f"select {chosen} from {tables[name]}", f"select {chosen} from {warehouse[name]}"]
        found[name] = sum(
            query(f"select count(*) from (({one}) except all ({other})) as rows_of_one_side")[0][0]
            for one, other in (sides, sides[::-1])
        )
    return found


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def main() -> None:
    """Make the tables in one process; the folder is that of the project, for the seeds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.by_hand", description=build.__doc__)
    parser.add_argument("database", type=Path, help="new DuckDB file")
    parser.add_argument("log", help="path or pattern of Parquet files")
    parser.add_argument("warehouse", type=Path, help="DuckDB file of a warehouse, whose salt is used")
    parser.add_argument("--memory", default="6GB", help="as WAREHOUSE_MEMORY (default: 6GB)")
    options = parser.parse_args()
    build(options.database, options.log, options.warehouse, options.memory)


if __name__ == "__main__":
    main()
