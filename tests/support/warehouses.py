"""Warehouses for the tests: real ones, built by dbt in this process from logs that the tests make up."""

import datetime as dt
import functools
import gc
import hashlib
import io
import itertools
import json
import math
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import jinja2
import pyarrow as pa
import pyarrow.parquet as pq
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from psycopg2.extras import register_uuid

from postgres_server import Connection, PostgresServer
from project import GRAINS, JOURNALS, NOT_OF_THE_LOG, ROOT

register_uuid()

SCHEMA = "warehouse"
COLUMNS = (
    "id",
    "user_id",
    "job_id",
    "style",
    "difficulty",
    "duration_ms",
    "costs",
    "tokens",
    "success",
    "error_message",
    "created_at",
)
# What a log may hold besides: a column that a row has is a column of the log.
DETAILS = ("scene", "photo_size", "timings", "model")
# The names of the environment that say where the log and the warehouse are: none may leak in from outside.
_SETTINGS = ("WAREHOUSE_", "GENERATION_LOGS", "PG")

_ASKED_FOR_BY_RUNS = ("GENERATION_LOGS", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")

# What one leaves behind is some 60 MB.
_RUNS_BETWEEN_COLLECTIONS = 5

Row = dict[str, object]
Marts = dict[str, dict[tuple, Row]]


def by_grain(name: str, rows: Iterable[Row]) -> dict[tuple, Row]:
    """Rows by the values of the columns that tell them apart; two of the same are an error."""
    found: dict[tuple, Row] = {}
    for row in rows:
        key = tuple(row[column] for column in (GRAINS | JOURNALS)[name])
        assert key not in found, f"{name} has two rows for {key}"
        found[key] = row
    return found


def differences(name: str, left: dict[tuple, Row], right: dict[tuple, Row], limit: int = 8) -> list[str]:
    """Where two versions of a table differ: in rows, in columns, in types or in values. Everything must be equal
    exactly, only floating-point numbers to a relative 1e-9."""
    found = [f"{name} {key}: only on the left: {left[key]}" for key in left if key not in right]
    found += [f"{name} {key}: only on the right: {right[key]}" for key in right if key not in left]
    for key in left.keys() & right.keys():
        if left[key].keys() != right[key].keys():
            return [f"{name}: columns {list(left[key])} and {list(right[key])}"]
        for column, value in left[key].items():
            other = right[key][column]
            if type(value) is not type(other):
                equal = False
            elif isinstance(value, float):
                equal = math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12)
            else:
                equal = value == other
            if not equal:
                found.append(f"{name} {key}: {column} is {value!r} and {other!r}")
    return [text[:400] for text in found[:limit]] + [f"{name}: {len(found)} differences"] * bool(found)


def assert_equal_marts(left: Marts, right: Marts, *, leaving_out: Iterable[str] = ()) -> None:
    """Every mart holds the same rows on both sides."""
    __tracebackhide__ = True
    found = []
    for name in left:
        if name not in set(leaving_out):
            found += differences(name, left[name], right[name])
    if found:
        raise AssertionError("\n".join(found))


class BuildError(AssertionError):
    """dbt did not succeed; the text is what it said."""


@dataclass
class Outcome:
    """What dbt said about a run."""

    success: bool
    messages: list[str]
    statuses: dict[str, str] = field(default_factory=dict)
    said: str = ""
    """what the project itself said, beside warnings and errors"""

    @property
    def text(self) -> str:
        """All warnings and errors in one."""
        return "\n".join(self.messages)


@functools.cache
def _spare_dbt_what_is_of_no_use() -> None:
    # In each run dbt looks through the stack, frame by frame, for the module that asks for its flags. Below pytest the
    # stack is so high that this takes longer than many a run.
    BehaviorFlagRendered._default_source = staticmethod(lambda: __name__)
    fire = EventManager.fire_event

    def fire_what_is_heard(
        self: EventManager, event: BaseEvent, level: EventLevel | None = None, *rest: object, **more: object
    ) -> None:
        # it would build the message of each of some thousand events of a run before it finds that no log takes it
        if self.loggers or (level or event.level_tag()) != EventLevel.DEBUG:
            fire(self, event, level, *rest, **more)

    EventManager.fire_event = fire_what_is_heard

    # The same models, macros and hooks are compiled in each run.
    compile_text, compiled = jinja2.Environment.compile, {}

    def compile_once(self: jinja2.Environment, source: object, *rest: object, **more: object) -> object:
        if rest or more or not isinstance(source, str):
            return compile_text(self, source, *rest, **more)
        if (type(self), source) not in compiled:
            compiled[type(self), source] = compile_text(self, source)
        return compiled[type(self), source]

    jinja2.Environment.compile = compile_once


class Dbt:
    """dbt in this process, with the example profile. What it parses for one warehouse serves the next of that name."""

    def __init__(self, folder: Path) -> None:
        """Make the profile and the folders in `folder`."""
        self.folder = folder
        self.profiles = folder / "profiles"
        self.profiles.mkdir()
        shutil.copy(ROOT / "profiles.example.yml", self.profiles / "profiles.yml")
        _spare_dbt_what_is_of_no_use()
        self._messages: list[str] = []
        self._said: list[str] = []
        self._manifests: dict[tuple, Manifest] = {}
        self._runs_since_collecting = 0

    def invoke(
        self, arguments: Iterable[str], environment: Mapping[str, str], target_path: Path, *, log_file: bool = False
    ) -> Outcome:
        """Run dbt once with exactly this environment."""
        # Where the log's file is, who asks the server, and what variables say, is asked for when a run begins: no
        # parsed file depends on it, but for how severe a test is.
        strict = ["--vars", "{strict: true}"] if '"strict": true' in " ".join(arguments) else []
        parsed_for = (
            *(target_path, bool(strict)),
            *sorted(each for each in environment.items() if each[0] not in _ASKED_FOR_BY_RUNS),
        )
        if parsed_for not in self._manifests:
            parsed = self._invoke(["parse", *strict], environment, target_path)
            if not parsed.success:
                return self._outcome(parsed)
            self._manifests[parsed_for] = parsed.result
            # it stays for good: each later search for garbage would go through all of it
            self._collect()
            gc.freeze()
        manifest = self._manifests[parsed_for]
        for node in manifest.nodes.values():
            # dbt would take the ephemeral models that it has put into a model's SQL before for those of this run
            if node.resource_type != "seed":
                node.compiled, node.extra_ctes, node.extra_ctes_injected = False, [], False
        return self._outcome(self._invoke(arguments, environment, target_path, manifest=manifest, log_file=log_file))

    def _invoke(
        self,
        arguments: Iterable[str],
        environment: Mapping[str, str],
        target_path: Path,
        *,
        manifest: Manifest | None = None,
        log_file: bool = False,
    ) -> dbtRunnerResult:
        self._messages.clear()
        self._said.clear()
        # A sixth of dbt's time would go into collecting what it keeps anyway, and a tenth into collecting after each
        # run what that one leaves.
        gc.disable()
        self._runs_since_collecting += 1
        if self._runs_since_collecting == _RUNS_BETWEEN_COLLECTIONS:
            self._collect()
        with _environment(environment):
            try:
                return dbtRunner(manifest, [self._listen]).invoke(
                    [
                        *arguments,
                        *("--project-dir", str(ROOT)),
                        *("--profiles-dir", str(self.profiles)),
                        *("--target-path", str(target_path)),
                        *("--log-path", str(target_path / "logs")),
                        *("--log-level", "none", "--log-level-file", "debug" if log_file else "none"),
                    ]
                )
            finally:
                DuckDBConnectionManager.close_all_connections()
                reset_adapters()

    def _collect(self) -> None:
        self._runs_since_collecting = 0
        gc.collect()

    def _outcome(self, result: dbtRunnerResult) -> Outcome:
        statuses = {}
        messages = list(self._messages)
        for each in getattr(result.result, "results", []):
            if each.node.resource_type == "exposure":
                continue
            statuses[each.node.name] = str(each.status)
            if str(each.status) not in ("success", "pass", "skipped"):
                messages.append(f"{each.node.name}: {each.status}: {each.message}")
        if result.exception:
            messages.append(str(result.exception))
        if not result.success:
            # The exception's traceback would hold on to the database.
            result.exception = None
            self._collect()
        return Outcome(result.success, messages, statuses, "\n".join(self._said))

    def _listen(self, event: object) -> None:
        if event.info.level in ("warn", "error"):
            self._messages.append(event.info.msg)
        elif event.info.name == "JinjaLogInfo":
            self._said.append(event.info.msg)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith(_SETTINGS):
            del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Warehouse:
    """One warehouse on one engine, empty at first. Made by the fixture `new_warehouse`."""

    engine: str

    def __init__(self, dbt: Dbt, folder: Path, name: str) -> None:
        """Warehouses of one name, one after the other, share a database's name and dbt's parsed project."""
        self.folder = folder
        self.name = name
        self.variables: dict[str, object] = {}
        self.settings: dict[str, str] = {}
        self._dbt = dbt
        self._connection: duckdb.DuckDBPyConnection | Connection | None = None
        self._numbers = itertools.count()

    # the log

    def load(self, rows: Iterable[Row], *, typed: bool = False) -> None:
        """Make these rows the log, in place of what it was. Values are text, or anything whose str() is meant; with
        `typed` the columns have the types of the application's own table, costs and tokens as JSON text or jsonb."""
        raise NotImplementedError

    # the runs

    def run(
        self,
        command: str = "build",
        *,
        select: str | None = None,
        exclude: str | None = None,
        selector: str | None = None,
        variables: Mapping[str, object] | None = None,
        full_refresh: bool = False,
        tests: bool = False,
    ) -> Outcome:
        """Run dbt and raise with its messages where it fails. Its own tests run only if asked for: most tests here
        look for themselves."""
        outcome = self.attempt(
            command,
            select=select,
            exclude=exclude,
            selector=selector,
            variables=variables,
            full_refresh=full_refresh,
            tests=tests,
        )
        if not outcome.success:
            raise BuildError(f"dbt {command} failed on {self.engine}:\n{outcome.text}")
        return outcome

    def attempt(
        self,
        command: str = "build",
        *,
        select: str | None = None,
        exclude: str | None = None,
        selector: str | None = None,
        variables: Mapping[str, object] | None = None,
        full_refresh: bool = False,
        tests: bool = False,
        log_file: bool = False,
    ) -> Outcome:
        """The same, for a run that may fail. With `log_file` dbt writes all it can: artifacts and its most talkative
        log."""
        arguments = command.split()
        if command == "build" and not tests:
            arguments += ["--exclude-resource-types", "test", "--exclude-resource-types", "unit_test"]
        elif command == "build":
            arguments += ["--exclude-resource-types", "unit_test"]
        if command == "build" and not (tests or select or exclude or selector):
            # they follow from what is compared elsewhere, and have tests of their own
            exclude = "tag:alerts"
        if select:
            arguments += ["--select", *select.split()]
        if exclude:
            arguments += ["--exclude", *exclude.split()]
        if selector:
            arguments += ["--selector", selector]
        if full_refresh:
            arguments.append("--full-refresh")
        if not log_file and command != "source freshness":
            arguments.append("--no-write-json")
        variables = self.variables | dict(variables or {})
        if variables:
            arguments += ["--vars", json.dumps(variables)]
        self._disconnect()
        return self._dbt.invoke(arguments, self.environment() | self.settings, self.target_path, log_file=log_file)

    @property
    def profiles(self) -> Path:
        """The folder of dbt's profile."""
        return self._dbt.profiles

    @property
    def target_path(self) -> Path:
        """Where dbt writes what it parses and compiles."""
        return self._dbt.folder / "targets" / (self.name if self.engine == "postgres" else self.engine)

    def environment(self) -> dict[str, str]:
        """How the project is told where its log and its database are."""
        raise NotImplementedError

    # what is in it

    def query(self, sql: str) -> list[tuple]:
        """The rows that a query gives."""
        raise NotImplementedError

    def execute(self, sql: str) -> None:
        """Run a statement that gives no rows."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Let go of the database, for another process to take it."""
        self._disconnect()

    def empty(self, salt: str) -> None:
        """Begin again from nothing, with this salt."""
        raise NotImplementedError

    def become(self, other: "Warehouse") -> None:
        """Hold what another holds, its log included, in place of what was here."""
        raise NotImplementedError

    def _disconnect(self) -> None:
        """Let go of the database, before dbt or anybody else takes it."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Drop the database."""
        raise NotImplementedError

    def relations(self) -> set[tuple[str, str, str]]:
        """Schema, name and kind of every relation of the warehouse, the log's own left out."""
        return set(
            self.query(
                "select table_schema, table_name, table_type from information_schema.tables "
                f"where table_schema like '{SCHEMA}%'"
            )
        )

    def columns(self, schema: str, name: str) -> list[str]:
        """The columns of a relation, in order."""
        return [
            column
            for (column,) in self.query(
                "select column_name from information_schema.columns "
                f"where table_schema = '{schema}' and table_name = '{name}' order by ordinal_position"
            )
        ]

    def schema_of(self, name: str) -> str:
        """The schema in which a relation stands."""
        found = [schema for schema, relation, _ in self.relations() if relation == name]
        assert len(found) == 1, f"{name} stands in {found or 'no schema'}"
        return found[0]

    def mart(self, name: str) -> list[Row]:
        """All rows of a relation, as dictionaries."""
        schema = self.schema_of(name)
        columns = self.columns(schema, name)
        listed = ", ".join(f'"{column}"' for column in columns)
        return [dict(zip(columns, row, strict=True)) for row in self.query(f"select {listed} from {schema}.{name}")]

    def marts(self, names: Iterable[str] = tuple(GRAINS)) -> Marts:
        """Every mart, and what is kept as they are, by what a row stands for: all that depends on the log alone."""
        return {
            name: by_grain(
                name,
                [
                    {column: row[column] for column in row if column not in NOT_OF_THE_LOG.get(name, ())}
                    for row in self.mart(name)
                ],
            )
            for name in names
        }

    @property
    def salt(self) -> str:
        """The secret from which the users' keys are made."""
        return self.query(f"select salt from {SCHEMA}_internal.user_key_salt")[0][0]

    @salt.setter
    def salt(self, salt: str) -> None:
        """Set it before the first build."""
        self.execute(f"create schema {SCHEMA}_internal")
        self.execute(
            f"create table {SCHEMA}_internal.user_key_salt "
            "(is_only_row boolean primary key default true check (is_only_row), salt text not null)"
        )
        self.execute(f"insert into {SCHEMA}_internal.user_key_salt (salt) values ('{salt}')")

    def user_key(self, user_id: str, salt: str | None = None) -> uuid.UUID:
        """The key of a user: the first 128 bits of SHA-256 over the salt and the id."""
        return uuid.UUID(hashlib.sha256(((salt or self.salt) + user_id).encode()).hexdigest()[:32])


class DuckdbWarehouse(Warehouse):
    """A warehouse in a DuckDB file."""

    engine = "duckdb"

    def __init__(self, dbt: Dbt, folder: Path, name: str) -> None:
        """Start without a file."""
        super().__init__(dbt, folder, name)
        self.database = folder / "warehouse.duckdb"
        self.log = "no log is loaded"

    def load(self, rows: Iterable[Row], *, typed: bool = False) -> None:
        """Make a Parquet file of these rows the log."""
        path = self.folder / f"log_{next(self._numbers)}.parquet"
        pq.write_table(arrow_table(rows, typed=typed), path)
        self.log = str(path)

    def environment(self) -> dict[str, str]:
        """How the project is told where its log and its database are."""
        # Its path is part of what dbt parses: through one link it is the same for every warehouse.
        link = self._dbt.folder / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(self.folder)
        return {
            "WAREHOUSE_TARGET": "local",
            "WAREHOUSE_DUCKDB": str(link / self.database.name),
            "WAREHOUSE_MEMORY": "2GB",
            "GENERATION_LOGS": self.log,
        }

    def query(self, sql: str) -> list[tuple]:
        """The rows that a query gives."""
        return self._connected().execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        """Run a statement that gives no rows."""
        self._connected().execute(sql)

    def empty(self, salt: str) -> None:
        """Begin again from nothing, with this salt."""
        self.close()
        self.salt = salt

    def become(self, other: "DuckdbWarehouse") -> None:
        """Hold what another holds, its log included, in place of what was here."""
        other.disconnect()
        self.close()
        if other.database.exists():
            shutil.copy(other.database, self.database)
        self.log = other.log

    def _connected(self) -> duckdb.DuckDBPyConnection:
        # another process of the same test may be about to let the file go
        last_moment = time.monotonic() + 20
        while self._connection is None:
            try:
                self._connection = duckdb.connect(str(self.database))
            except duckdb.IOException:
                if time.monotonic() > last_moment:
                    raise
                time.sleep(0.1)
        return self._connection

    def close(self) -> None:
        """Remove the file."""
        self._disconnect()
        for path in self.database.parent.glob(f"{self.database.name}*"):
            path.unlink()


class PostgresWarehouse(Warehouse):
    """A warehouse in a database of its own on the PostgreSQL server."""

    engine = "postgres"

    def __init__(self, dbt: Dbt, folder: Path, name: str, server: PostgresServer) -> None:
        """Start with an empty database."""
        super().__init__(dbt, folder, name)
        self.server = server
        self.database = f"warehouse_test_{os.getpid()}_{name}"
        server.create_database(self.database)

    def load(self, rows: Iterable[Row], *, typed: bool = False) -> None:
        """Make a table of these rows the log."""
        rows = list(rows)
        types = TABLE_TYPES if typed else dict.fromkeys(COLUMNS, "text")
        columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
        with self._connected().cursor() as cursor:
            # Kept once it is there, as the application's own is: views are built upon it.
            cursor.execute(f"create table if not exists public.generation_logs ({columns})")
            cursor.execute("create index if not exists created_at_index on public.generation_logs (created_at)")
            for name in _details(rows):
                cursor.execute(f"alter table public.generation_logs add column if not exists {name} text")
            cursor.execute("truncate public.generation_logs")
            names = (*COLUMNS, *_details(rows))
            cursor.copy_expert(f"copy public.generation_logs ({', '.join(names)}) from stdin", _copy_text(rows, names))

    def environment(self) -> dict[str, str]:
        """How the project is told where its log and its database are."""
        return {"WAREHOUSE_TARGET": "prod", **self.server.environment(self.database)}

    def query(self, sql: str) -> list[tuple]:
        """The rows that a query gives."""
        with self._connected().cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def execute(self, sql: str) -> None:
        """Run a statement that gives no rows."""
        with self._connected().cursor() as cursor:
            cursor.execute(sql)

    def empty(self, salt: str) -> None:
        """Begin again from nothing, with this salt."""
        self._disconnect()
        self.server.create_database(self.database)
        self.salt = salt

    def become(self, other: "PostgresWarehouse") -> None:
        """Hold what another holds, its log included, in place of what was here."""
        other.disconnect()
        self._disconnect()
        self.server.create_database(self.database, template=other.database)
        # A copied sequence believes that the log of changes already holds its next values. After a crash it would give
        # some of them again, but for a checkpoint in between.
        self.server.execute("checkpoint")

    def _connected(self) -> Connection:
        self._connection = self._connection or self.server.connect(self.database)
        return self._connection

    def close(self) -> None:
        """Drop the database."""
        self._disconnect()
        self.server.drop_database(self.database)


# The types of the application's own table.
TABLE_TYPES = {
    "id": "uuid",
    "user_id": "uuid",
    "job_id": "text",
    "style": "text",
    "difficulty": "integer",
    "duration_ms": "bigint",
    "costs": "jsonb",
    "tokens": "jsonb",
    "success": "boolean",
    "error_message": "text",
    "created_at": "timestamp",
}
_TYPED_SCHEMA = pa.schema(
    [
        ("id", pa.uuid()),
        ("user_id", pa.uuid()),
        ("job_id", pa.string()),
        ("style", pa.string()),
        ("difficulty", pa.int32()),
        ("duration_ms", pa.int64()),
        ("costs", pa.string()),
        ("tokens", pa.string()),
        ("success", pa.bool_()),
        ("error_message", pa.string()),
        ("created_at", pa.timestamp("us")),
    ]
)


def as_text(value: object) -> str | None:
    """A value as the log's text has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def _details(rows: list[Row]) -> tuple[str, ...]:
    """The columns that a log of these rows holds besides."""
    return tuple(name for name in DETAILS if any(name in row for row in rows))


def arrow_table(rows: Iterable[Row], *, typed: bool = False) -> pa.Table:
    """Rows of the log as an Arrow table, all text or typed as the application's table is."""
    rows = list(rows)
    names = COLUMNS if typed else (*COLUMNS, *_details(rows))
    texts = [[as_text(row.get(name)) for row in rows] for name in names]
    if not typed:
        return pa.table([pa.array(column, pa.string()) for column in texts], names=list(names))
    convert = {
        "id": lambda text: uuid.UUID(text).bytes,
        "user_id": lambda text: uuid.UUID(text).bytes,
        "difficulty": int,
        "duration_ms": int,
        "success": lambda text: text == "true",
        "created_at": dt.datetime.fromisoformat,
    }
    arrays = []
    for name, column in zip(COLUMNS, texts, strict=True):
        of_text = convert.get(name, str)
        arrays.append(
            pa.array([None if text is None else of_text(text) for text in column], _TYPED_SCHEMA.field(name).type)
        )
    return pa.table(arrays, schema=_TYPED_SCHEMA)


def _copy_text(rows: Iterable[Row], names: Iterable[str]) -> io.StringIO:
    """These columns of rows in the text format of PostgreSQL's copy."""
    marks = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
    lines = io.StringIO(newline="")
    for row in rows:
        texts = (as_text(row.get(name)) for name in names)
        lines.write("\t".join("\\N" if text is None else text.translate(marks) for text in texts) + "\n")
    lines.seek(0)
    return lines
