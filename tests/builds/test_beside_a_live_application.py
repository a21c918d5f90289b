"""PostgreSQL beside a live application: runs are in nobody's way, and nobody is in theirs without being named. Each
test has a second connection, as an analyst, a dump or the application has one."""

import datetime as dt
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from factory import NewWarehouse
from faults import Gate, Run, watched
from logs import failed_row, identifier, sound_row, user
from postgres_server import Connection, skip_unless_ci
from project import GRAINS, OPTIONAL_MARTS
from warehouses import SCHEMA, PostgresWarehouse, Row, assert_equal_marts

_MONDAY = dt.date(2026, 3, 2)
_SALT = "one salt for all warehouses"
_LOG = "public.generation_logs"
_JOURNALS = ("evaluations", "incidents", "notifications")
_RUNS = {
    "hourly": {"selector": "hourly"},
    "daily": {"selector": "daily"},
    "full_refresh": {"exclude": "tag:alerts", "full_refresh": True},
}
_EACH_RUN = ["hourly", pytest.param("daily", marks=pytest.mark.thorough), "full_refresh"]


def _day(number: int) -> dt.date:
    return _MONDAY + dt.timedelta(days=number)


def _rows_of(day: int, count: int = 30, *, first: int = 0) -> list[Row]:
    """So many generations of a day, one a minute from eight o'clock on; each tenth fails."""
    rows = []
    for place in range(first, first + count):
        at = f"{_day(day)} {8 + place // 60:02}:{place % 60:02}:00"
        options = {"user_id": user(place % 7), "created_at": at, "style": ("anime", "pop_art")[place % 2]}
        number = day * 1_000 + place
        rows.append(
            failed_row(number, "Request timed out.", **options) if place % 10 == 9 else sound_row(number, **options)
        )
    return rows


_LOGGED = [row for day in range(10) for row in _rows_of(day)]
_LOGGED[0]["difficulty"] = 77  # an issue


@pytest.fixture(scope="module")
def built(module_warehouse: NewWarehouse) -> PostgresWarehouse:
    """A warehouse of ten days, with the types of the application's own table."""
    warehouse = module_warehouse("postgres")
    warehouse.salt = _SALT
    warehouse.load(_LOGGED, typed=True)
    warehouse.run(selector="daily")
    return warehouse


@pytest.fixture
def live(built: PostgresWarehouse, new_warehouse: NewWarehouse) -> PostgresWarehouse:
    """A copy of it."""
    warehouse = new_warehouse("postgres")
    warehouse.become(built)
    return warehouse


def _log_more(warehouse: PostgresWarehouse, rows: list[Row]) -> None:
    """What the application does: insert, without a word to the warehouse."""
    columns = list(rows[0])
    for row in rows:
        values = ["null" if row[name] is None else "'" + str(row[name]).replace("'", "''") + "'" for name in columns]
        warehouse.execute(f"insert into {_LOG} ({', '.join(columns)}) values ({', '.join(values)})")


def _connect(warehouse: PostgresWarehouse, name: str, user_name: str | None = None) -> Connection:
    options = {"user": user_name} if user_name else {}
    connection = warehouse.server.connect(warehouse.database, application_name=name, **options)
    connection.autocommit = False
    return connection


@contextmanager
def _open_read(warehouse: PostgresWarehouse, *relations: str, name: str = "dbeaver") -> Iterator[Connection]:
    """Somebody's transaction that has read these and stays open."""
    connection = _connect(warehouse, name)
    try:
        for relation in relations:
            connection.cursor().execute(f"select * from {relation} limit 1")
        yield connection
    finally:
        connection.close()


def _ours(warehouse: PostgresWarehouse) -> dict[str, tuple]:
    """Every relation of the warehouse by name, with its identity: another one after a drop, another file after a
    truncate or a rewrite. Indexes belong to their tables."""
    found = warehouse.query(
        "select nspname || '.' || relname, pg_class.oid, relfilenode from pg_class "
        f"join pg_namespace on pg_namespace.oid = relnamespace where nspname like '{SCHEMA}%' and relkind in ('r', 'v')"
    )
    return {name: rest for name, *rest in found}


def _equals_a_full_build(warehouse: PostgresWarehouse, new_warehouse: NewWarehouse, **options: object) -> None:
    elsewhere = new_warehouse("postgres")
    elsewhere.become(warehouse)
    for schema in ("marts", "share", "intermediate", "staging", "seeds", "internal"):
        elsewhere.execute(f"drop schema if exists {SCHEMA}_{schema} cascade")
    elsewhere.salt = _SALT
    elsewhere.run(**options)
    assert_equal_marts(warehouse.marts(), elsewhere.marts())


@pytest.mark.parametrize("kind", _EACH_RUN)
def test_no_relation_is_dropped_renamed_truncated_or_made_again(live: PostgresWarehouse, kind: str) -> None:
    before = _ours(live)
    _log_more(live, _rows_of(10))
    live.run(tests=True, **_RUNS[kind])
    after = _ours(live)
    assert len(before) > 30
    assert {name: (before[name], after.get(name)) for name in before if after.get(name) != before[name]} == {}
    assert len(live.mart("fct_generations")) == len(_LOGGED) + 30


@pytest.mark.parametrize("kind", _EACH_RUN)
def test_an_open_read_of_every_relation_delays_no_run(
    live: PostgresWarehouse, new_warehouse: NewWarehouse, kind: str
) -> None:
    """As an analyst's forgotten tab, or a pg_dump of the whole database, holds them."""
    _log_more(live, _rows_of(10))
    with _open_read(live, *_ours(live), _LOG, name="pg_dump"):
        live.run(tests=True, variables={"lock_timeout_seconds": 0.5}, **_RUNS[kind])
    assert len(live.mart("fct_generations")) == len(_LOGGED) + 30
    live.run(selector="daily")
    _equals_a_full_build(live, new_warehouse)


def test_every_mart_can_be_read_at_every_moment_of_a_run_and_after_one_that_failed(live: PostgresWarehouse) -> None:
    """At each statement of a run, from another connection; then a run fails in the middle."""
    reader = live.server.connect(live.database)
    relations = [name for name in _ours(live) if name.startswith(f"{SCHEMA}_marts.")]
    assert len(relations) >= len(GRAINS)
    reads = 0

    def read(statement: object) -> None:
        nonlocal reads
        with reader.cursor() as cursor:
            cursor.execute("set statement_timeout = '2s'")
            for relation in relations:
                cursor.execute(f"select 1 from {relation} limit 1")
                assert cursor.fetchall() or relation.endswith(_JOURNALS + OPTIONAL_MARTS), f"{relation} is empty"
            reads += 1

    _log_more(live, _rows_of(10))
    with watched(read):
        live.run(selector="daily")
    assert reads > 100

    def fail(statement: object) -> None:
        read(statement)
        if statement.model == "int_log_rows" and not statement.is_done and "insert into" in statement.sql:
            raise psycopg2.errors.DiskFull("could not extend file: No space left on device")

    _log_more(live, _rows_of(11))
    with watched(fail):
        outcome = live.attempt(selector="daily")
    assert not outcome.success
    read(None)
    reader.close()


def test_views_of_others_upon_every_mart_survive_every_run(live: PostgresWarehouse) -> None:
    live.execute("create schema analyst")
    for name in GRAINS:
        schema = live.schema_of(name)
        live.execute(f"create view analyst.v_{name} as select * from {schema}.{name}")
        live.execute(f"create materialized view analyst.m_{name} as select * from {schema}.{name}")
    _log_more(live, _rows_of(10))
    for options in _RUNS.values():
        live.run(**options)
    for name in GRAINS:
        view = live.query(f"select count(*) from analyst.v_{name}")[0][0]
        kept = live.query(f"select count(*) from analyst.m_{name}")[0][0]
        assert view == len(live.mart(name)), name
        assert kept > 0 or name in OPTIONAL_MARTS, name


def test_a_lock_on_the_log_fails_the_run_soon_and_names_who_has_it_and_the_application_waits_for_nothing(
    live: PostgresWarehouse,
) -> None:
    """A migration of the application's table that takes long."""
    migration = _connect(live, "flyway")
    named = f"is locked by pid {migration.info.backend_pid}, user postgres, application flyway, since "
    try:
        migration.cursor().execute(f"alter table {_LOG} add column likes integer")
        began = time.monotonic()
        outcome = live.attempt(selector="hourly")
        assert not outcome.success
        assert named in outcome.text
        assert time.monotonic() - began < 6
        migration.rollback()
        # between the start of a run and its first model
        gate_passed = []

        def lock_later(statement: object) -> None:
            if statement.model == "int_log_days" and not gate_passed:
                gate_passed.append(1)
                migration.cursor().execute(f"alter table {_LOG} add column likes integer")

        with watched(lock_later):
            outcome = live.attempt(selector="hourly")
        assert not outcome.success
        assert named in outcome.text
        assert "waited 1 seconds" in outcome.text
        migration.commit()
    finally:
        migration.close()
    _log_more(live, _rows_of(10))
    live.run(selector="hourly")
    assert len(live.mart("fct_generations")) == len(_LOGGED) + 30


def test_a_lock_on_a_mart_fails_its_model_alone_names_who_has_it_and_the_next_run_catches_up(
    live: PostgresWarehouse, new_warehouse: NewWarehouse
) -> None:
    _log_more(live, _rows_of(10))
    other = _connect(live, "maintenance")
    pid = other.info.backend_pid
    try:
        other.cursor().execute(f"lock table {SCHEMA}_marts.hourly_costs in share mode")
        outcome = live.attempt(selector="hourly", variables={"lock_timeout_seconds": 1})
    finally:
        other.close()
    assert not outcome.success
    failed = [name for name, status in outcome.statuses.items() if status == "error"]
    assert failed == ["hourly_costs"]
    assert f"hourly_costs is locked by pid {pid}, user postgres, application maintenance" in outcome.text
    live.run(selector="daily")
    _equals_a_full_build(live, new_warehouse)


def test_nothing_of_ours_that_has_touched_the_log_stays_open_while_it_waits_for_another_run(
    live: PostgresWarehouse,
) -> None:
    """A migration is not held up by a run that waits for its turn."""
    gate = Gate(live.folder, lambda statement: statement.model == "daily_engagement")
    _log_more(live, _rows_of(10))
    first = Run(live, gate, selector="hourly")
    gate.wait()
    second = Run(live, lambda statement: None, selector="hourly")
    try:
        time.sleep(3)
        migration = _connect(live, "flyway")
        cursor = migration.cursor()
        cursor.execute("set lock_timeout = '500ms'")
        cursor.execute(f"alter table {_LOG} add column likes integer")
        migration.commit()
        migration.close()
    finally:
        gate.open()
    assert first.wait().success
    assert second.wait().success


def test_alerts_are_judged_while_a_build_fails_for_a_lock(live: PostgresWarehouse) -> None:
    live.run(selector="alerts")
    with _open_read(live, f"{SCHEMA}_marts.cost_by_user", f"{SCHEMA}_marts.dim_users"):
        _log_more(live, _rows_of(10))
        live.run(selector="hourly")
        live.run(selector="alerts_refresh")
    judged_to = live.query(f"select max(window_end) from {SCHEMA}_marts.alert_evaluations")[0][0]
    assert judged_to.date() == _day(10)


def test_an_hourly_run_defines_next_to_nothing_and_leaves_nothing_temporary(
    live: PostgresWarehouse,
) -> None:
    """Each would make an API in front of the database read its schema again; a pooled connection keeps what is
    temporary."""
    live.run(selector="hourly")
    defining = _count_defining(live)
    live.run(selector="hourly", tests=True)
    # the issues of rows without a date are compared in every run
    assert defining() == [("CREATE TABLE",)]
    _log_more(live, _rows_of(10))
    live.run(selector="hourly", tests=True)
    assert len(defining()) <= 20
    assert live.query("select count(*) from pg_class where relpersistence = 't'") == [(0,)]


def _count_defining(warehouse: PostgresWarehouse) -> Callable[[], list]:
    warehouse.execute("create table public.defined (tag text)")
    warehouse.execute(
        "create function public.note() returns event_trigger language plpgsql as $$ begin "
        "insert into public.defined select command_tag from pg_event_trigger_ddl_commands(); end $$"
    )
    warehouse.execute("create event trigger noted on ddl_command_end execute function public.note()")
    return lambda: warehouse.query("select * from public.defined")


def test_a_row_that_has_not_changed_is_not_written_again(live: PostgresWarehouse) -> None:
    """Each would leave a dead one behind. A late row of the first day, and everything is rebuilt from there on."""
    tables = [f"{SCHEMA}_marts.{name}" for name in ("fct_generations", "service_health", "dim_users", "hourly_costs")]

    def written() -> dict[str, set]:
        return {table: set(live.query(f"select ctid::text, xmin::text from {table}")) for table in tables}

    before = written()
    _log_more(live, _rows_of(0, 1, first=200))
    live.run(selector="daily")
    assert len(live.mart("fct_generations")) == len(_LOGGED) + 1
    new = {table: len(rows - before[table]) for table, rows in written().items()}
    assert new == {
        f"{SCHEMA}_marts.fct_generations": 1,
        f"{SCHEMA}_marts.service_health": 1,
        f"{SCHEMA}_marts.dim_users": 1,
        f"{SCHEMA}_marts.hourly_costs": 2,
    }


# the log, read by its columns


def test_the_application_may_add_drop_and_retype_what_the_warehouse_does_not_read(live: PostgresWarehouse) -> None:
    live.execute(f"alter table {_LOG} add column prompt text, add column logged_at timestamptz default now()")
    live.run(selector="hourly")
    live.execute(f"alter table {_LOG} alter column prompt type varchar(500)")
    live.execute(f"alter table {_LOG} drop column prompt")
    _log_more(live, _rows_of(10))
    live.run(selector="hourly")
    assert len(live.mart("fct_generations")) == len(_LOGGED) + 30


def test_a_change_of_another_column_is_no_change_of_the_log(live: PostgresWarehouse) -> None:
    live.execute(f"alter table {_LOG} add column likes integer")
    live.run(selector="hourly")
    live.execute(f"update {_LOG} set likes = 1")
    live.run(selector="hourly")
    assert live.query(f"select rebuild_from from {SCHEMA}_intermediate.int_log_window") == [(None,)]
    live.execute(f"update {_LOG} set style = 'sketch' where created_at::date = '{_day(9)}'")
    live.run(selector="hourly")
    assert live.query(f"select rebuild_from from {SCHEMA}_intermediate.int_log_window") == [(_day(9),)]


def test_a_column_that_the_warehouse_reads_is_migrated_by_the_recipe(live: PostgresWarehouse) -> None:
    """docs/running.md: drop the two views, migrate, and the next run makes them again."""
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        live.execute(f"alter table {_LOG} alter column difficulty type bigint")
    before = live.marts()
    live.execute(f"drop view {SCHEMA}_staging.stg_generation_log_times, {SCHEMA}_staging.stg_generation_logs")
    live.execute(f"alter table {_LOG} alter column difficulty type bigint")
    live.execute(f"alter table {_LOG} alter column created_at type timestamptz using created_at at time zone 'UTC'")
    live.run(selector="daily")
    assert_equal_marts(before, live.marts())


# row level security


@pytest.fixture
def role(live: PostgresWarehouse) -> Iterator[str]:
    """The warehouse's own role, with the rights of docs/running.md; it owns what was built."""
    name = f"w_{live.name}"
    live.execute(f"drop role if exists {name}")
    live.execute(f"create role {name} login")
    live.execute(f"grant create on database {live.database} to {name}")
    live.execute(f"grant usage on schema public to {name}; grant select on {_LOG} to {name}")
    for schema in ("marts", "share", "intermediate", "staging", "seeds", "internal"):
        live.execute(f"drop schema if exists {SCHEMA}_{schema} cascade")
    live.settings = {"PGUSER": name}
    yield name
    live.settings = {}
    live.execute(f"drop owned by {name} cascade; drop role {name}")


@pytest.mark.parametrize(
    "policy",
    [None, pytest.param("using (success)", marks=pytest.mark.thorough), "as restrictive using (success)"],
)
def test_row_level_security_that_may_hide_rows_stops_the_run_and_names_the_policy(
    live: PostgresWarehouse, role: str, policy: str | None
) -> None:
    live.run(selector="daily")
    before = live.marts()
    live.execute(f"alter table {_LOG} enable row level security")
    if policy:
        live.execute(f"create policy gallery on {_LOG} {policy}")
        if "restrictive" in policy:
            live.execute(f"create policy all_of_it on {_LOG} using (true)")
    outcome = live.attempt(selector="hourly")
    assert not outcome.success
    assert f"for select to {role} using (true)" in outcome.text
    assert f"alter role {role} bypassrls" in outcome.text
    assert_equal_marts(before, live.marts())
    if policy and "restrictive" in policy:
        live.execute(f"drop policy gallery on {_LOG}")
    else:
        live.execute(f"create policy warehouse_reads on {_LOG} for select to {role} using (true)")
    live.run(selector="hourly")
    assert len(live.mart("fct_generations")) == len(_LOGGED)


def test_row_level_security_below_a_view_is_that_of_who_reads_there(live: PostgresWarehouse, role: str) -> None:
    """The owner of the log gives a view of the eleven columns: the owner's rights hold, unless the view says
    otherwise."""
    live.execute(f"alter table {_LOG} enable row level security; revoke all on {_LOG} from {role}")
    live.execute(f"create schema export; create view export.generation_logs as select * from {_LOG}")
    live.execute(f"grant usage on schema export to {role}; grant select on export.generation_logs to {role}")
    live.settings |= {"GENERATION_LOGS_SCHEMA": "export"}
    live.run(selector="daily")
    assert len(live.mart("fct_generations")) == len(_LOGGED)
    live.execute(f"grant select on {_LOG} to {role}; alter view export.generation_logs set (security_invoker = true)")
    outcome = live.attempt(selector="hourly")
    assert not outcome.success
    assert "Row level security is on for generation_logs" in outcome.text


def test_rights_on_the_columns_that_are_read_are_enough(live: PostgresWarehouse, role: str) -> None:
    live.execute(f"alter table {_LOG} add column prompt text; revoke all on {_LOG} from {role}")
    columns = "id, user_id, job_id, style, difficulty, duration_ms, costs, tokens, success, error_message, created_at"
    live.execute(f"grant select ({columns}) on {_LOG} to {role}")
    live.run(selector="daily", tests=True)
    assert len(live.mart("fct_generations")) == len(_LOGGED)


def test_schemas_that_were_made_beforehand_need_no_right_to_make_any(live: PostgresWarehouse, role: str) -> None:
    live.execute(f"revoke create on database {live.database} from {role}")
    for schema in ("marts", "share", "intermediate", "staging", "seeds", "internal"):
        live.execute(f"create schema {SCHEMA}_{schema} authorization {role}")
    live.run(selector="daily", tests=True)
    live.run(selector="hourly", tests=True)
    assert len(live.mart("fct_generations")) == len(_LOGGED)


# the index


@pytest.mark.parametrize(
    ("type_", "zone", "index"),
    [
        pytest.param("timestamp", "UTC", "created_at", marks=pytest.mark.thorough),
        ("timestamptz", "UTC", "timezone('UTC', created_at)"),
        ("timestamp", "Europe/Berlin", "timezone('UTC', timezone('Europe/Berlin', created_at))"),
    ],
)
def test_the_warning_of_a_missing_index_names_the_one_that_serves(
    live: PostgresWarehouse, type_: str, zone: str, index: str
) -> None:
    live.execute(f"drop view {SCHEMA}_staging.stg_generation_log_times, {SCHEMA}_staging.stg_generation_logs")
    live.execute("drop index created_at_index")
    live.execute(f"alter table {_LOG} alter column created_at type {type_}")
    if index != "created_at":
        live.execute(f"create index on {_LOG} (created_at)")
    variables = {"log_timezone": zone}
    outcome = live.run(selector="hourly", variables=variables)
    assert f"(({index}))" in outcome.text
    live.execute(f"create index advised on {_LOG} (({index}))")
    assert "index" not in live.run(selector="hourly", variables=variables).text
    plan = live.query(
        f"set enable_seqscan = off; explain select * from {SCHEMA}_staging.stg_generation_log_times "
        f"where created_at >= '{_day(9)}'"
    )
    assert "advised" in str(plan)


# pg_dump


def test_a_dump_of_the_whole_database_and_a_run_do_not_wait_for_each_other(live: PostgresWarehouse) -> None:
    dump = live.server.bin_folder / "pg_dump" if live.server.bin_folder else None
    if not dump or not dump.exists():
        skip_unless_ci("there is no pg_dump beside the server")
    environment = live.server.environment(live.database)
    process = subprocess.Popen([dump, "--no-sync"], env=environment, stdout=subprocess.PIPE)
    process.stdout.read(1_000)  # it holds its locks, and waits for its output to be read
    _log_more(live, _rows_of(10))
    live.run(selector="daily", variables={"lock_timeout_seconds": 0.5})
    rest = threading.Thread(target=process.stdout.read)
    rest.start()
    rest.join()
    assert process.wait() == 0
    assert live.query(f"select count(*) from {_LOG} where id = '{identifier(10_000)}'") == [(1,)]
