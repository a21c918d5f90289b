"""The warehouse's database, reached as dbt reaches it: by its profile. It is open for short moments only."""

import os
import re
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg2
from dbt.adapters.contracts.connection import Connection
from dbt.adapters.duckdb.environments import create
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.cli.resolvers import default_profiles_dir
from dbt.config.profile import Profile
from dbt.config.runtime import load_profile
from dbt.exceptions import DbtRuntimeError
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context

from warehouse.errors import DatabaseError
from warehouse.secrets import scrub

# PostgreSQL: how long one run of the alerts waits for its turn after another, and a statement for somebody else's lock.
LOCK_SECONDS = 30
_STATEMENT_LOCK_SECONDS = 5

Row = dict[str, object]


class Transaction:
    """What is asked of the database in one short moment. Parameters are written %(name)s on both engines."""

    def __init__(self, cursor: object, is_duckdb: bool) -> None:
        """Speak through a cursor of the engine's own."""
        self._cursor = cursor
        self._is_duckdb = is_duckdb

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """The rows that a statement gives, as dictionaries."""
        self.execute(sql, **parameters)
        names = [column[0] for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def execute(self, sql: str, **parameters: object) -> None:
        """Run a statement."""
        if self._is_duckdb:
            used = set(re.findall(r"%\((\w+)\)s", sql))
            sql = re.sub(r"%\((\w+)\)s", r"$\1", sql)
            parameters = {name: value for name, value in parameters.items() if name in used}
        self._cursor.execute(sql, parameters or None)

    def answer(self, question: str, *, schema: str) -> tuple[list[str], list[tuple]]:
        """The columns and rows that somebody's own SQL gives; its tables are looked for in this schema first."""
        if self._is_duckdb:
            self._cursor.execute(f"use {schema}")
        else:
            self._cursor.execute("set session characteristics as transaction read only")
            self._cursor.execute(f"set local search_path to {schema}, public")
        self._cursor.execute(question)
        return [column[0] for column in self._cursor.description or []], self._cursor.fetchall()

    def cursor(self, sql: str) -> object:
        """A cursor of the engine's own over the rows that a statement gives, for those that are too many to hold."""
        self._cursor.execute(sql)
        return self._cursor

    def changed_rows(self) -> int:
        """How many rows the last statement deleted, inserted or updated."""
        return self._cursor.fetchone()[0] if self._is_duckdb else self._cursor.rowcount

    def copy(self, sql: str, rows: object) -> None:
        """PostgreSQL: copy from a text."""
        self._cursor.copy_expert(sql, rows)

    def exists(self, schema: str, table: str) -> bool:
        """Is there such a table?"""
        sql = "select 1 from information_schema.tables where table_schema = %(schema)s and table_name = %(table)s"
        return bool(self.rows(sql, schema=schema, table=table))

    def has_column(self, schema: str, table: str, column: str) -> bool:
        """Is there such a table with such a column? An older release may have left it without."""
        sql = (
            "select 1 from information_schema.columns where table_schema = %(schema)s and table_name = %(table)s "
            "and column_name = %(column)s"
        )
        return bool(self.rows(sql, schema=schema, table=table, column=column))


class Database:
    """The database of dbt's profile."""

    def __init__(self, wait_seconds: float, *, target: str | None = None) -> None:
        """Read the profile of the project in this folder; on DuckDB, wait so long for the file. The target is that of
        the environment unless it is named."""
        set_invocation_context(os.environ)
        folder = os.environ.get("DBT_PROFILES_DIR") or str(default_profiles_dir())
        set_from_args(Namespace(PROFILES_DIR=folder), None)
        try:
            profile: Profile = load_profile(str(Path.cwd()), {}, target_override=target or os.environ.get("DBT_TARGET"))
        except DbtRuntimeError as error:
            raise DatabaseError(f"dbt's profile cannot be read: {scrub(error)}") from None
        self._credentials = profile.credentials
        self._is_duckdb = self._credentials.type == "duckdb"
        # Two threads of one process would share a DuckDB transaction's conflicts for nothing.
        self._lock = threading.Lock()
        self._wait_seconds = wait_seconds

    @property
    def schema(self) -> str:
        """The prefix of the warehouse's schemas."""
        return self._credentials.schema

    @property
    def longest_wait_seconds(self) -> float:
        """How long the beginning of a transaction may take at most."""
        return self._wait_seconds if self._is_duckdb else LOCK_SECONDS + self._credentials.connect_timeout

    def wait_until_free(self) -> None:
        """DuckDB lets one process in: wait until no other one has the file."""
        if self._is_duckdb:
            with self.transaction():
                pass

    def is_held_by_another(self, message: str) -> bool:
        """Does this message of DuckDB's say that another process has the file?"""
        return self._is_duckdb and "Could not set lock on file" in message

    @property
    def reads_files(self) -> bool:
        """Does the log reach the database as files?"""
        return self._is_duckdb

    @property
    def file(self) -> str:
        """DuckDB: the path of the database file."""
        return self._credentials.path

    @contextmanager
    def holding_file(self) -> Iterator[object]:
        """DuckDB: the file is open here, and no other process can write to it. Yields a cursor."""
        with self._lock:
            handle = self._open_duckdb()
            try:
                yield handle.cursor()
            except duckdb.Error as error:
                raise DatabaseError(f"The database refused: {scrub(error)}") from None
            finally:
                handle.close()

    @property
    def place(self) -> str:
        """Where the warehouse is, as people read it."""
        if self._is_duckdb:
            return f"{self._credentials.path} (DuckDB)"
        return f"{self._credentials.database} on {self._credentials.host} (PostgreSQL)"

    @property
    def log(self) -> str:
        """The log's relation, as the models name it."""
        schema, table = (os.environ.get(f"GENERATION_LOGS_{name}") for name in ("SCHEMA", "TABLE"))
        return f'"{schema or "public"}"."{table or "generation_logs"}"'

    @property
    def log_place(self) -> str:
        """Where the log is, as people read it."""
        if self._is_duckdb:
            return os.environ.get("GENERATION_LOGS") or "sample/generation_logs.parquet"
        schema, table = (os.environ.get(f"GENERATION_LOGS_{name}") for name in ("SCHEMA", "TABLE"))
        return f"the table {schema or 'public'}.{table or 'generation_logs'}"

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A short transaction. Those of the alerts run one after the other: each sees what the one before did."""
        with self._within("begin") as transaction:
            if not self._is_duckdb:
                transaction.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
                transaction.execute(f"select pg_advisory_xact_lock(hashtextextended('{self.schema}.alerts', 0))")
                transaction.execute(f"set local lock_timeout = '{_STATEMENT_LOCK_SECONDS}s'")
            yield transaction

    @contextmanager
    def alone(self) -> Iterator[Transaction]:
        """A transaction beside which no run is at work: those that are finish their model first, and wait for it."""
        with self.working() as transaction:
            if not self._is_duckdb:
                locks = f"hashtextextended('{self.schema}.alerts', 0)", self._run_lock
                transaction.execute(f"set local lock_timeout = '{round(self._wait_seconds * 1000)}ms'")
                transaction.execute("; ".join(f"select pg_advisory_xact_lock({lock})" for lock in locks))
                transaction.execute(f"set local lock_timeout = '{_STATEMENT_LOCK_SECONDS}s'")
            yield transaction

    @property
    def _run_lock(self) -> str:
        """PostgreSQL: what runs share while a model is at work (macros/engine/functions_postgres.sql)."""
        return f"hashtextextended('{self.schema}_internal.current_run', 0)"

    @contextmanager
    def working(self) -> Iterator[Transaction]:
        """A transaction that may take its time, and waits for nobody."""
        with self._within("begin") as transaction:
            if not self._is_duckdb:
                transaction.execute(f"set local lock_timeout = '{_STATEMENT_LOCK_SECONDS}s'")
            yield transaction

    @contextmanager
    def outside_transactions(self) -> Iterator[object]:
        """PostgreSQL: a cursor of the engine's own, for what no transaction admits; its connection has the notices. No
        run is at work beside it."""
        with self._lock:
            handle = self._open_postgres()
            try:
                cursor = handle.cursor()
                cursor.execute(f"set lock_timeout = '{round(self._wait_seconds * 1000)}ms'")
                cursor.execute(f"select pg_advisory_lock({self._run_lock})")
                cursor.execute(f"set lock_timeout = '{_STATEMENT_LOCK_SECONDS}s'")
                yield cursor
            except psycopg2.Error as error:
                raise DatabaseError(f"The database refused: {scrub(error)}") from None
            finally:
                handle.close()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A look that may take its time: it can write nothing, and on PostgreSQL nobody waits for it."""
        is_same = "" if self._is_duckdb else " isolation level repeatable read"
        with self._within(f"begin transaction{is_same} read only", is_reading=True) as transaction:
            if not self._is_duckdb:
                transaction.execute(f"set local lock_timeout = '{_STATEMENT_LOCK_SECONDS}s'")
            yield transaction

    @contextmanager
    def _within(self, beginning: str, *, is_reading: bool = False) -> Iterator[Transaction]:
        with self._lock:
            handle = self._open_duckdb(is_reading=is_reading) if self._is_duckdb else self._open_postgres()
            try:
                transaction = Transaction(handle.cursor(), self._is_duckdb)
                transaction.execute(beginning)
                try:
                    yield transaction
                except BaseException:
                    transaction.execute("rollback")
                    raise
                transaction.execute("commit")
            except (duckdb.Error, psycopg2.Error) as error:
                raise DatabaseError(f"The database refused: {scrub(error)}") from None
            finally:
                handle.close()

    def _open_duckdb(self, *, is_reading: bool = False) -> object:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                return self._open_to_read() if is_reading else self._open_to_write()
            except duckdb.Error as error:
                if not self.is_held_by_another(str(error)):
                    raise DatabaseError(f"The database cannot be opened: {scrub(error)}") from None
                if time.monotonic() > deadline:
                    raise DatabaseError(
                        f"Another process still has the database file after {self._wait_seconds:g} seconds of waiting: "
                        f"{_holder(str(error))}. If it only reads, let it read a copy (make publish)."
                    ) from None
                time.sleep(0.1)

    def _open_to_write(self) -> object:
        environment = create(self._credentials)
        return _Closing(environment.handle(), environment)

    def _open_to_read(self) -> object:
        """Other readers are in nobody's way here. Where there is no file, there is nothing in it."""
        path = self.file if Path(self.file).exists() else ":memory:"
        is_file = path != ":memory:"
        handle = duckdb.connect(path, read_only=is_file, config=self._credentials.config_options or {})
        for name, value in (self._credentials.settings or {}).items():
            handle.execute(f"set {name} = '{value}'")
        return handle

    def _open_postgres(self) -> object:
        # under another name: a run of dbt's looks for others by theirs
        credentials = self._credentials.replace(application_name="alerts")
        connection = Connection("postgres", "alerts", credentials)
        try:
            handle = PostgresConnectionManager.open(connection).handle
        except DbtRuntimeError as error:
            raise DatabaseError(f"The database cannot be reached: {scrub(error)}") from None
        handle.autocommit = True
        return handle


def _holder(message: str) -> str:
    """Which process has the file, as DuckDB says it."""
    found = re.search(r"lock is held in (.+?) \(PID (\d+)\)", message)
    return f"{Path(found[1]).name} (process {found[2]})" if found else scrub(message)


class _Closing:
    """A handle of dbt-duckdb's whose end lets go of the file, whatever the profile says about keeping it open."""

    def __init__(self, handle: object, environment: object) -> None:
        self._handle = handle
        self._environment = environment

    def cursor(self) -> object:
        """The cursor to speak through."""
        return self._handle.cursor()

    def close(self) -> None:
        """Let go of the file."""
        self._handle.close()
        self._environment.close()
