"""Writing a log straight into a table of PostgreSQL."""

from collections.abc import Iterable

import psycopg2
import pyarrow as pa
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

from simulator.log import SCHEMA
from simulator.writers import csv_rows

_TYPES = {
    "id": "uuid default gen_random_uuid() primary key",
    "user_id": "uuid",
    "difficulty": "integer",
    "duration_ms": "bigint",
    "costs": "jsonb",
    "tokens": "jsonb",
    "success": "boolean",
    "created_at": "timestamp default now()",
}


class TableExistsError(Exception):
    """The table is already there, and replacing it was not asked for."""


def write_table(dsn: str, table: str, tables: Iterable[pa.Table], schema: pa.Schema, replace: bool) -> None:
    """Create the table and fill it, in one transaction: it appears whole or not at all."""
    server = psycopg2.connect(dsn)
    try:
        with server, server.cursor() as statements:
            _copy(server, statements, sql.Identifier(*table.split(".")), table, tables, schema, replace)
    finally:
        server.close()


def _copy(
    server: connection,
    statements: cursor,
    name: sql.Identifier,
    table: str,
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    replace: bool,
) -> None:
    statements.execute("select to_regclass(%s) is not null", [name.as_string(server)])
    if statements.fetchone()[0]:
        if not replace:
            raise TableExistsError(f"table {table} exists; give --replace to drop and rebuild it")
        statements.execute(sql.SQL("drop table {}").format(name))
    types = _TYPES if schema == SCHEMA else {}
    columns = sql.SQL(", ").join(
        sql.SQL("{} " + types.get(column, "text")).format(sql.Identifier(column)) for column in schema.names
    )
    statements.execute(sql.SQL("create table {} ({})").format(name, columns))
    copy = sql.SQL("copy {} from stdin with (format csv)").format(name)
    for rows in tables:
        statements.copy_expert(copy, pa.BufferReader(csv_rows(rows)))
    statements.execute(sql.SQL("create index on {} (created_at)").format(name))
