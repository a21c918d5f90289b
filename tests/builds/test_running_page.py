"""docs/running.md, followed statement by statement on real servers, by the roles that it names: the oldest version that
is supported and the newest, without a superuser but where the page says so. And what it says of poolers and of a
database apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from factory import examples
from logs import sound_row, user
from postgres_server import DEBIAN, PostgresServer, needs, running_pooler, running_server
from project import MARTS, ROOT
from warehouses import SCHEMA, Dbt, PostgresWarehouse, Row

_BLOCKS = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "running.md").read_text(), re.DOTALL)
_LOG = "public.generation_logs"


def _block(title: str) -> list[str]:
    """The statements of the page under this title, which is a comment."""
    (found,) = [block for block in _BLOCKS if block.startswith(f"-- {title}\n")]
    return [statement.strip() for statement in found.split(";") if statement.strip().strip("-")]


def _rows_of(*days: int) -> list[Row]:
    return [
        sound_row(day * 100 + place, user_id=user(place), created_at=f"2026-03-{day:02} 08:{place:02}:00")
        for day in days
        for place in range(30)
    ]


@dataclass
class Site:
    """A database with an application, an administrator who is no superuser, and no warehouse yet."""

    server: PostgresServer
    warehouse: PostgresWarehouse

    def follow(self, user_name: str, *titles: str) -> None:
        """Do what the page says, as somebody."""
        connection = self.connect(user_name)
        try:
            for title in titles:
                for statement in _block(title):
                    connection.cursor().execute(
                        statement.replace("database app ", f"database {self.warehouse.database} ")
                    )
        finally:
            connection.close()

    def connect(self, user_name: str) -> psycopg2.extensions.connection:
        """A connection of somebody."""
        return self.server.connect(self.warehouse.database, user=user_name)

    def fails(self, user_name: str, sql: str) -> str:
        """The error that somebody gets."""
        connection = self.connect(user_name)
        try:
            with pytest.raises(psycopg2.Error) as refused:
                connection.cursor().execute(sql)
        finally:
            connection.close()
        return str(refused.value)


@pytest.fixture(scope="module", params=["oldest", "newest"])
def versions(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server of its own: roles belong to all of its databases."""
    if request.param == "oldest":
        needs(DEBIAN / "postgres")
    with running_server(DEBIAN if request.param == "oldest" else None) as server:
        yield server


@pytest.fixture
def site(versions: PostgresServer, dbt: Dbt, tmp_path: Path) -> Iterator[Site]:
    """The application and its log."""
    name = "site_of_page"
    warehouse = PostgresWarehouse(dbt, tmp_path, name, versions)
    for role in ("admin", "app_owner"):
        versions.execute(f"create role {role} login{' createrole' if role == 'admin' else ''}")
    versions.execute(f"alter database {warehouse.database} owner to admin")
    warehouse.execute("grant usage, create on schema public to app_owner; set role app_owner")
    warehouse.load(_rows_of(2, 3, 4), typed=True)
    warehouse.execute(f"drop index created_at_index; alter table {_LOG} enable row level security; reset role")
    warehouse.settings = {"PGUSER": "warehouse"}
    yield Site(versions, warehouse)
    warehouse.close()
    for role in ("analyst", "reporter", "eraser", "warehouse", "app_owner", "admin"):
        versions.execute(f"drop role if exists {role}")


_FIRST = "as the administrator"
_BEFOREHAND = "as the administrator, instead of the right to create"
_OWNER = "as the owner of the log"
_POLICY = "as the owner of the log, where row level security is on"
_READERS = "as the administrator, after the first build"
_OUTSIDE = "as the administrator, for people outside"
_ERASING = "as the administrator, for who erases"


def _owners_blocks() -> list[list[str]]:
    return [
        [statement.strip() for statement in block.split(";") if statement.strip()]
        for block in _BLOCKS
        if block.startswith(f"-- {_OWNER}\n")
    ]


def _as_owner(site: Site, what: str) -> None:
    (statements,) = [block for block in _owners_blocks() if what in block[0] or what in block[-1]]
    connection = site.connect("app_owner")
    for statement in statements:
        connection.cursor().execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("versions", "schemas"),
    [
        ("oldest", "made by runs"),
        pytest.param("oldest", "made beforehand", marks=pytest.mark.thorough),
        pytest.param("newest", "made by runs", marks=pytest.mark.thorough),
        ("newest", "made beforehand"),
    ],
    indirect=["versions"],
)
def test_the_page_is_followed_from_roles_to_readers_and_migrations(site: Site, schemas: str) -> None:
    warehouse = site.warehouse
    site.follow("admin", _FIRST)
    if schemas == "made beforehand":
        warehouse.execute(f"revoke create on database {warehouse.database} from warehouse")
        site.follow("admin", _BEFOREHAND)
        warehouse.execute(f"drop schema {SCHEMA}_share")
    _as_owner(site, "create index concurrently")
    site.follow("app_owner", _POLICY)
    if schemas == "made beforehand":
        # as in a site of a release that had one schema less
        refused = warehouse.attempt(selector="daily")
        assert not refused.success
        (said,) = re.findall(r"There is no schema (\w+), and warehouse may not make one", refused.text)[:1]
        (statement,) = re.findall(r"An administrator does: (.*?;)", refused.text)[:1]
        assert (said, statement) == (f"{SCHEMA}_share", f"create schema {SCHEMA}_share authorization warehouse;")
        assert not [name for _, name, _ in warehouse.relations()]
        connection = site.connect("admin")
        connection.cursor().execute(statement)
        connection.close()
    first = warehouse.run(selector="daily", tests=True)
    assert "index" not in first.text
    site.follow("admin", _READERS, _OUTSIDE, _ERASING)
    warehouse.execute("alter role analyst login; alter role reporter login")
    _each_role_may_do_what_the_page_says(site)

    def analyst_sees() -> int:
        connection = site.connect("analyst")
        cursor = connection.cursor()
        for name in MARTS:
            cursor.execute(f"select count(*) from {SCHEMA}_marts.{name}")
        cursor.execute(f"select count(*) from {SCHEMA}_marts.fct_generations")
        (count,) = cursor.fetchone()
        cursor.execute("show idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("10min",)
        connection.close()
        return count

    assert analyst_sees() == 90
    for hidden in (f"{SCHEMA}_internal.user_key_salt", f"{SCHEMA}_intermediate.int_user_days", _LOG):
        assert "permission denied" in site.fails("analyst", f"select * from {hidden}")
    # rights stay, whatever runs
    _log_more(site, 5)
    warehouse.run(selector="hourly", tests=True)
    assert analyst_sees() == 120
    if schemas == "made beforehand":
        # an erasure ends with such a run
        warehouse.settings |= {"PGUSER": "eraser"}
    warehouse.run(selector="daily", full_refresh=True)
    warehouse.settings |= {"PGUSER": "warehouse"}
    assert warehouse.query(
        "select distinct pg_get_userbyid(relowner) from pg_class "
        f"where relnamespace::regnamespace::text like '{SCHEMA}%'"
    ) == [("warehouse",)]
    assert analyst_sees() == 120
    site.follow("analyst", "as anybody")
    # a migration of one of the eleven columns
    assert "used by a view" in site.fails("app_owner", f"alter table {_LOG} alter column difficulty type bigint")
    site.follow("warehouse", "as warehouse")
    _as_owner(site, "alter column difficulty type bigint")
    _log_more(site, 6)
    warehouse.run(selector="hourly", tests=True)
    assert analyst_sees() == 150
    # a view instead of the table
    warehouse.execute("grant create on database " + warehouse.database + " to app_owner")
    _as_owner(site, "create schema export")
    warehouse.execute(f"revoke all on {_LOG} from warehouse; drop policy warehouse_reads on {_LOG}")
    warehouse.settings |= {"GENERATION_LOGS_SCHEMA": "export"}
    _log_more(site, 7)
    warehouse.run(selector="hourly", tests=True)
    assert analyst_sees() == 180
    warehouse.execute("drop owned by analyst, reporter, eraser, warehouse cascade; drop owned by app_owner cascade")


# role, what it tries, and the server's answer
_NOBODY_BUT_THE_RUNS = (
    ("select * from warehouse_staging.stg_generation_logs", "denied for schema warehouse_staging"),
    ("select * from warehouse_intermediate.int_user_days", "denied for schema warehouse_intermediate"),
    ("select * from warehouse_internal.user_key_salt", "denied for schema warehouse_internal"),
    ("select warehouse_internal.hold_run('somebody')", "denied for schema warehouse_internal"),
    ("select * from warehouse_seeds.alert_rules", "denied for schema warehouse_seeds"),
    ("select * from public.generation_logs", "denied for table generation_logs"),
    ("select * from pg_statistic", "denied for table pg_statistic"),
    ("create table public.mine (number integer)", "denied for schema public"),
    ("create schema mine", "denied for database"),
    ("set role warehouse", "denied to set role"),
    ("copy (select 1) to program 'true'", "COPY to or from an external program"),
    ("select pg_read_file('postgresql.conf')", "denied for function pg_read_file"),
)
_NOBODY_BUT_THE_LOGS_OWNER = (
    ("delete from public.generation_logs", "denied for table generation_logs"),
    ("update public.generation_logs set style = 'anime'", "denied for table generation_logs"),
    ("insert into public.generation_logs (style) values ('anime')", "denied for table generation_logs"),
    ("truncate public.generation_logs", "denied for table generation_logs"),
    ("alter table public.generation_logs add column mine text", "must be owner of table generation_logs"),
    ("select * from pg_statistic", "denied for table pg_statistic"),
    ("create role mine", "denied to create role"),
)
_REFUSED = {
    "reporter": (
        *_NOBODY_BUT_THE_RUNS,
        ("select * from warehouse_marts.fct_generations", "denied for schema warehouse_marts"),
        ("select * from warehouse_marts.style_performance", "denied for schema warehouse_marts"),
        ("delete from warehouse_share.weekly_generations", "denied for table weekly_generations"),
        ("create table warehouse_share.mine (number integer)", "denied for schema warehouse_share"),
    ),
    "analyst": (
        *_NOBODY_BUT_THE_RUNS,
        ("delete from warehouse_marts.fct_generations", "denied for table fct_generations"),
        ("create table warehouse_marts.mine (number integer)", "denied for schema warehouse_marts"),
    ),
    "warehouse": _NOBODY_BUT_THE_LOGS_OWNER,
    "eraser": _NOBODY_BUT_THE_LOGS_OWNER,
}
_KEYS_IN_STATISTICS = "select count(*) from pg_stats where attname = 'user_key'"


def _each_role_may_do_what_the_page_says(site: Site) -> None:
    for role, tried in _REFUSED.items():
        for statement, answer in tried:
            assert answer in site.fails(role, statement), (role, statement)

    def ask(role: str, *statements: str) -> list[tuple]:
        connection = site.connect(role)
        cursor = connection.cursor()
        try:
            for statement in statements:
                cursor.execute(statement)
            # a VACUUM that is refused is a warning
            assert connection.notices == []
            return cursor.fetchall()
        finally:
            connection.close()

    site.warehouse.execute("analyze")
    assert ask("reporter", f"select count(*) from {SCHEMA}_share.weekly_generations") == [(0,)]
    assert ask("reporter", f"select count(*) from {SCHEMA}_share.weekly_retention") == [(0,)]
    assert ask("reporter", _KEYS_IN_STATISTICS) == [(0,)]
    ((seen,),) = ask("analyst", _KEYS_IN_STATISTICS)
    assert seen > 0
    # what is made later, too
    ask("warehouse", f"create table {SCHEMA}_share.later as select 1 as number", "select 1")
    assert ask("reporter", f"select number from {SCHEMA}_share.later") == [(1,)]
    ask("warehouse", f"drop table {SCHEMA}_share.later", "select 1")
    # who erases reaches every table, the lock of the runs and the tables' files, in the name of the warehouse
    assert ask("eraser", "select current_user, session_user") == [("warehouse", "eraser")]
    tables = [f"{schema}.{name}" for schema, name, kind in site.warehouse.relations() if kind == "BASE TABLE"]
    assert len(tables) > 30
    ask("eraser", "begin", *(f"delete from {table}" for table in tables), "select 1", "rollback", "select 1")
    ask("eraser", f"vacuum (full, analyze) {SCHEMA}_marts.fct_generations", "select 1")
    ask("eraser", f"select {SCHEMA}_internal.hold_run(run_id) from {SCHEMA}_internal.current_run")


def _log_more(site: Site, day: int) -> None:
    connection = site.connect("app_owner")
    cursor = connection.cursor()
    for row in _rows_of(day):
        names = ", ".join(row)
        cursor.execute(f"insert into {_LOG} ({names}) values ({', '.join(['%s'] * len(row))})", list(row.values()))
    connection.close()


def test_a_statement_timeout_of_the_host_does_not_hold_for_the_warehouse(site: Site) -> None:
    for role in ("postgres", "admin", "app_owner"):
        site.warehouse.execute(f"alter role {role} in database {site.warehouse.database} set statement_timeout = 0")
    site.warehouse.execute(f"alter database {site.warehouse.database} set statement_timeout = '5ms'")
    site.follow("admin", _FIRST)
    _as_owner(site, "create index concurrently")
    site.follow("app_owner", _POLICY)
    site.warehouse.run(selector="daily")
    assert len(site.warehouse.mart("fct_generations")) == 90
    site.warehouse.execute(
        "drop owned by warehouse cascade; set role app_owner; drop table generation_logs; reset role"
    )
    site.warehouse.execute("drop owned by app_owner")


def test_runs_and_alerts_go_through_a_pooler_in_transaction_mode_and_leave_nothing_on_its_connections(
    dbt: Dbt, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """make soak has 48 hourly runs and 96 of the alerts."""
    warehouse = PostgresWarehouse(dbt, tmp_path, "pooled", postgres_server)
    try:
        warehouse.load(_rows_of(2, 3), typed=True)
        with running_pooler(postgres_server, ["postgres"]) as port:
            warehouse.settings = {"PGPORT": str(port)}
            warehouse.run("build")
            warehouse.run(selector="alerts")
            for number in range(examples(2)):
                day = 4 + number
                warehouse.load(_rows_of(*range(2, day + 1)), typed=True)
                warehouse.run(selector="hourly", tests=True)
                for _ in range(2):
                    warehouse.run(selector="alerts_refresh")
                assert len(warehouse.mart("fct_generations")) == 30 * (day - 1)
            assert warehouse.query("select relname from pg_class where relpersistence = 't'") == []
    finally:
        warehouse.close()


def test_a_warehouse_in_a_database_apart_reads_the_log_through_a_foreign_table(dbt: Dbt, tmp_path: Path) -> None:
    needs(DEBIAN / "postgres")  # the package's own server has no postgres_fdw
    with running_server(DEBIAN) as server:
        application = PostgresWarehouse(dbt, tmp_path / "a", "application", server)
        apart = PostgresWarehouse(dbt, tmp_path / "b", "apart", server)
        try:
            application.load(_rows_of(2, 3, 4), typed=True)
            server.execute("create role warehouse login")
            application.execute(f"grant select on {_LOG} to warehouse")
            apart.execute(f"grant create on database {apart.database} to warehouse")
            (block,) = [block for block in _BLOCKS if "create extension postgres_fdw" in block]
            there = f"host '{server.host}', port '{server.port}', dbname '{application.database}'"
            apart.execute(block.replace("host 'db.example.org', dbname 'app'", there))
            apart.settings = {"PGUSER": "warehouse"}
            apart.run(selector="daily", tests=True)
            application.load(_rows_of(2, 3, 4, 5), typed=True)
            apart.run(selector="hourly", tests=True)
            assert len(apart.mart("fct_generations")) == 120
        finally:
            apart.close()
            application.close()
