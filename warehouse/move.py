"""The command: python -m warehouse move, which takes a warehouse's history from DuckDB to PostgreSQL."""

import argparse
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

from warehouse.database import Database, Transaction
from warehouse.errors import ConfigurationError, DatabaseError, NeverBuiltError
from warehouse.run_dbt import run_dbt

DESCRIPTION = """\
Take the history of the DuckDB warehouse to PostgreSQL, where there is none yet: all that is kept for good, the salt of
the users' keys and the journals of the alerts included. The next daily run there builds the days that its log holds."""
EPILOG = "The DuckDB file is only read, and stays as it is."
# Of the intermediate tables, those that no run makes again from the log.
_KEPT_ROLLUPS = ("int_user_days", "int_incident_users", "int_style_spellings", "int_continued_wishes")
# What runs make again, and what belongs to an engine.
_LEFT_OUT = ("release", "current_run")
_SEQUENCES = {
    "replacements_id": ("internal", "replacements", "id"),
    "alert_notifications_id": ("marts", "alert_notifications", "notification_id"),
}
_CHUNK = 10_000
# No text of PostgreSQL holds a zero byte: the sign for what is no character takes its place.
_ESCAPES = str.maketrans({"\0": "\N{REPLACEMENT CHARACTER}", "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Between which targets of the profile, and how long to wait for a run that is at work."""
    parser.add_argument("--from", dest="source", default="local", metavar="TARGET", help="default: local")
    parser.add_argument("--to", default="prod", metavar="TARGET", help="default: prod")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Make the tables, copy the rows, count them."""
    source, target = (Database(options.wait, target=name) for name in (options.source, options.to))
    if not source.reads_files or target.reads_files:
        raise ConfigurationError("A warehouse is moved from DuckDB (--from) to PostgreSQL (--to).")
    internal = f"{target.schema}_internal"
    with target.reading() as there:
        if there.exists(internal, "user_key_salt"):
            raise DatabaseError(
                f"There is a warehouse already in {target.place}, schemas {target.schema}_*: nothing was touched. "
                "Name another WAREHOUSE_SCHEMA, or drop its schemas."
            )
    with source.reading() as here:
        if not here.exists(f"{source.schema}_internal", "days"):
            raise NeverBuiltError("The DuckDB warehouse is not built yet by this release. Run `dbt build` on it first.")
    with _empty_log(target, internal) as log, _environment(WAREHOUSE_TARGET=options.to, **log):
        run_dbt(target, ["build", "--target", options.to, "--exclude-resource-types", "test", "unit_test"])
    with source.reading() as here, target.transaction() as there:
        counts = {
            f"{schema}.{table}": _copy(here, there, source.schema, target.schema, schema, table)
            for schema, table in _kept_for_good(here, there, source.schema, target.schema)
        }
        for sequence, (schema, table, column) in _SEQUENCES.items():
            newest = f"(select coalesce(max({column}), 0) + 1 from {target.schema}_{schema}.{table})"
            there.execute(f"select setval('{internal}.{sequence}', {newest})")
    for name, count in sorted(counts.items()):
        print(f"  {name:<44}{count:>12,}")
    print(
        f"{sum(counts.values()):,} rows are in {target.place}, counted on both sides.\n"
        f"Next: WAREHOUSE_TARGET={options.to} dbt build --selector daily, which builds the days of the log there."
    )
    return 0


@contextmanager
def _empty_log(target: Database, internal: str) -> Iterator[dict[str, str]]:
    """A log without rows, for dbt to make the tables of. The views upon it go with it, and the next run makes them."""
    columns = "id text, user_id text, job_id text, style text, difficulty integer, duration_ms integer, costs jsonb, "
    columns += "tokens jsonb, success boolean, error_message text, created_at timestamp"
    with target.transaction() as there:
        if not there.rows("select 1 from pg_namespace where nspname = %(name)s", name=internal):
            there.execute(f"create schema {internal}")
        there.execute(f"drop table if exists {internal}.no_log cascade; create table {internal}.no_log ({columns})")
    try:
        yield {"GENERATION_LOGS_SCHEMA": internal, "GENERATION_LOGS_TABLE": "no_log"}
    finally:
        with target.transaction() as there:
            there.execute(f"drop table {internal}.no_log cascade")


@contextmanager
def _environment(**settings: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _kept_for_good(here: Transaction, there: Transaction, source: str, target: str) -> list[tuple[str, str]]:
    """The tables of marts and state, what was shared, and the rollups of days that outlive the log, that are on both
    sides."""
    query = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"

    def tables(transaction: Transaction, prefix: str) -> set[tuple[str, str]]:
        return {
            (row["table_schema"].removeprefix(f"{prefix}_"), row["table_name"])
            for row in transaction.rows(query)
            if row["table_schema"] in (f"{prefix}_marts", f"{prefix}_share", f"{prefix}_internal")
            or row["table_name"] in _KEPT_ROLLUPS
        }

    found, wanted = tables(there, target), tables(here, source)
    missing = sorted(table for _, table in wanted - found if table not in _LEFT_OUT)
    if missing:
        raise DatabaseError(f"PostgreSQL has no table for {', '.join(missing)}: nothing was moved.")
    return sorted(table for table in wanted & found if table[1] not in _LEFT_OUT)


def _copy(here: Transaction, there: Transaction, source: str, target: str, schema: str, table: str) -> int:
    """Put the rows of one table in place of what is there. How many they are."""
    cursor = here.cursor(f'select * from {source}_{schema}."{table}"')
    columns = ", ".join(f'"{column[0]}"' for column in cursor.description)
    into = f'{target}_{schema}."{table}"'
    there.execute(f"delete from {into}")
    copied = 0
    while rows := cursor.fetchmany(_CHUNK):
        text = io.StringIO("".join("\t".join(map(_as_text, row)) + "\n" for row in rows))
        there.copy(f"copy {into} ({columns}) from stdin", text)
        copied += len(rows)
    (counted,) = there.rows(f"select count(*) as row_count from {into}")
    if counted["row_count"] != copied:
        raise DatabaseError(f"{table} has {counted['row_count']:,} rows of {copied:,}: nothing was moved.")
    return copied


def _as_text(value: object) -> str:
    return "\\N" if value is None else str(value).translate(_ESCAPES)
