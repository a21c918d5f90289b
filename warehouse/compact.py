"""The command: python -m warehouse compact, which writes the database again without what was deleted."""

import argparse
import os
import shutil
from pathlib import Path

import psycopg2

from warehouse.database import Database
from warehouse.errors import DatabaseError
from warehouse.secrets import scrub

DESCRIPTION = """\
Write the tables again without the rows that were deleted. What a run deletes, also the days that are older than the
retention, stays in the bytes of the database until then."""
EPILOG = """\
DuckDB: a copy of the file is made beside it, which needs as much room, and takes its place. PostgreSQL: each table is
locked while it is written again (vacuum full), and its readers wait."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long to wait for a run that is at work."""
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Write again, and say how much smaller it is. The exit code: 0, or 2 where something could not be written."""
    database = Database(options.wait)
    before, after, left = compact(database)
    print(f"{database.place}: {before:,} bytes before, {after:,} now.")
    for what in left:
        print(f"Not written again: {what}")
    return 2 if left else 0


def compact(database: Database, tables: list[str] | None = None) -> tuple[int, int, list[str]]:
    """Write all tables again; on PostgreSQL those alone that are named. The bytes before and after, and what could not
    be done, with why."""
    if not database.reads_files:
        return _vacuum(database, tables)
    # not a link that leads to it
    file = Path(database.file).resolve()
    if not file.exists():
        raise DatabaseError(f"There is no database file {file}.")
    before = file.stat().st_size
    _copy_file(database, file)
    return before, file.stat().st_size, []


def _copy_file(database: Database, file: Path) -> None:
    """DuckDB: a new file in the place of the old one, while no other process can write to that."""
    partial = file.with_name(f"{file.name}.rewriting")
    for path in file.parent.glob(f"{partial.name}*"):
        path.unlink()
    if shutil.disk_usage(file.parent).free < file.stat().st_size:
        raise DatabaseError(f"There is no room beside {file} for a copy of it, which is what takes its place.")
    try:
        with database.holding_file() as statements:
            statements.execute("force checkpoint")
            (name,) = statements.execute("select current_database()").fetchone()
            (version,) = statements.execute(
                "select tags['storage_version'] from duckdb_databases() where database_name = $1", [name]
            ).fetchone()
            # other programs open the file, some of an older release
            statements.execute(f"attach {_text(partial)} as rewritten (storage_version {_text(version.rstrip('+'))})")
            statements.execute(f'copy from database "{name}" to rewritten')
            wanted, found = (_counts(statements, each) for each in (name, "rewritten"))
            if wanted != found:
                raise DatabaseError(f"The copy is not what {file} is: it was removed, and the file left as it was.")
            statements.execute("checkpoint rewritten")
            statements.execute("detach rewritten")
            _reach_the_disk(partial)
            os.replace(partial, file)
            _reach_the_disk(file.parent)
    finally:
        for path in file.parent.glob(f"{partial.name}*"):
            path.unlink()


def _counts(statements: object, database: str) -> list[tuple]:
    """What there is: the rows of each table, and how many views, functions, sequences and comments."""
    tables = statements.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $1 and not temporary order by all",
        [database],
    ).fetchall()
    counts = [
        (*table, statements.execute(f'select count(*) from "{database}"."{table[0]}"."{table[1]}"').fetchone()[0])
        for table in tables
    ]
    for kind, condition in {
        "views": "",
        "functions": "",
        "sequences": "",
        "indexes": "",
        "columns": " and comment is not null",
    }.items():
        query = f"select count(*) from duckdb_{kind}() where database_name = $1{condition}"
        counts.append((kind, *statements.execute(query, [database]).fetchone()))
    return counts


def _reach_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _vacuum(database: Database, tables: list[str] | None) -> tuple[int, int, list[str]]:
    """PostgreSQL: write each table again, and what the planner remembers of their values."""
    left: list[str] = []
    with database.outside_transactions() as statements:
        tables = tables or _tables(statements, database.schema)
        before = _size(statements, tables)
        for table in [*tables, "pg_catalog.pg_statistic"]:
            notices = statements.connection.notices
            notices.clear()
            try:
                statements.execute(f"vacuum (full, analyze) {table}")
            except psycopg2.Error as error:
                left.append(f"{table}: {scrub(error)}")
                continue
            # what the role may not write again is a warning
            left += [f"{table}: {scrub(notice)}" for notice in notices if "skipping" in notice]
        return before, _size(statements, tables), left


def _tables(statements: object, schema: str) -> list[str]:
    statements.execute(
        "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname ~ %s order by 1",
        [schemas_pattern(schema)],
    )
    return [row[0] for row in statements.fetchall()]


def schemas_pattern(schema: str) -> str:
    """What the names of the warehouse's schemas match, and those of another with a longer prefix do not."""
    return f"^{schema}(_[a-z]+|_dbt_test__audit)?$"


def _size(statements: object, tables: list[str]) -> int:
    if not tables:
        return 0
    sizes = " + ".join(f"pg_total_relation_size('{table}')" for table in tables)
    statements.execute(f"select {sizes}")
    return int(statements.fetchone()[0])
