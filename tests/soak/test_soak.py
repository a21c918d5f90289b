"""make soak: hundreds of hourly runs on PostgreSQL beside an application and analysts who do what they do, at random.

WAREHOUSE_SOAK_RUNS says how many, WAREHOUSE_SOAK_SEED which story. At the end every mart equals a full build elsewhere,
the warehouse takes at most one and a half times the space of that, and nothing has waited longer than it may."""

import datetime as dt
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from factory import NewWarehouse
from faults import Run, killed_before
from logs import failed_row, sound_row, user
from postgres_server import Connection, PostgresServer, running_pooler
from project import GRAINS, KEPT
from warehouses import SCHEMA, PostgresWarehouse, Row, assert_equal_marts

_RUNS = int(os.environ.get("WAREHOUSE_SOAK_RUNS", "200"))
_SEED = int(os.environ.get("WAREHOUSE_SOAK_SEED", "1"))
_START = dt.datetime(2026, 1, 5)
_LOG = "public.generation_logs"
_SALT = "one salt for all warehouses"
_LOCK_SECONDS = 2


class _Life:
    """The application, its owner and the analysts."""

    def __init__(self, warehouse: PostgresWarehouse, random: Random) -> None:
        self.warehouse, self.random = warehouse, random
        self.now, self._number = _START, 0
        self._analysts: list[tuple[int, Connection]] = []
        self._users = list(range(40))

    def rows(self, count: int, first: dt.datetime, last: dt.datetime) -> list[Row]:
        """Generations at random times between these."""
        made = []
        for _ in range(count):
            self._number += 1
            at = first + (last - first) * self.random.random()
            options = {
                "user_id": user(self.random.choice(self._users)),
                "created_at": str(at.replace(microsecond=0)),
                "style": self.random.choice(["anime", "pop_art", "sketch"]),
                "difficulty": self.random.randint(1, 5),
            }
            fails = self.random.random() < 0.1
            made.append(
                failed_row(self._number, "Request timed out.", **options)
                if fails
                else sound_row(self._number, **options)
            )
        return made

    def insert(self, rows: list[Row]) -> None:
        """As the application does, in one transaction of its own."""
        connection = self.warehouse.server.connect(self.warehouse.database, application_name="application")
        with connection.cursor() as cursor:
            cursor.execute("set statement_timeout = '5s'")
            for row in rows:
                cursor.execute(
                    f"insert into {_LOG} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", list(row.values())
                )
        connection.close()

    def hour(self) -> str:
        """The next hour of the service."""
        self.insert(self.rows(self.random.randint(0, 30), self.now, self.now + dt.timedelta(hours=1)))
        self.now += dt.timedelta(hours=1)
        return "hour"

    def late(self) -> str:
        """Rows that come up to ten days late."""
        first = max(_START, self.now - dt.timedelta(days=10))
        self.insert(self.rows(self.random.randint(1, 5), first, self.now))
        return "late rows"

    def delete(self) -> str:
        """A user asks to be forgotten."""
        gone = self._users.pop(self.random.randrange(len(self._users)))
        self._users.append(self._number + 1_000)
        self.warehouse.execute(f"delete from {_LOG} where user_id = '{user(gone)}'")
        return "deletion"

    def change(self) -> str:
        """The application corrects old rows."""
        at = _START + (self.now - _START) * self.random.random()
        self.warehouse.execute(
            f"update {_LOG} set style = 'corrected' where created_at between '{at}' and '{at + dt.timedelta(hours=1)}'"
        )
        return "correction"

    def read(self) -> str:
        """An analyst opens a transaction and leaves it, for a few runs."""
        connection = self.warehouse.server.connect(self.warehouse.database, application_name="analyst")
        connection.autocommit = False
        for name in self.random.sample(sorted(GRAINS), 5):
            schema = "intermediate" if name in KEPT else "marts"
            connection.cursor().execute(f"select * from {SCHEMA}_{schema}.{name} limit 1")
        self._analysts.append((self.random.randint(1, 6), connection))
        return "open read"

    def migrate(self) -> str:
        """The owner adds or drops a column that the warehouse does not read, or retypes one that it does."""
        self.warehouse.execute("set lock_timeout = '3s'")
        kind = self.random.choice(["add", "drop", "retype"])
        if kind == "add":
            self.warehouse.execute(f"alter table {_LOG} add column if not exists likes integer default 0")
        elif kind == "drop":
            self.warehouse.execute(f"alter table {_LOG} drop column if exists likes")
        else:
            for view in ("stg_generation_log_times", "stg_generation_logs"):
                self.warehouse.execute(f"drop view if exists {SCHEMA}_staging.{view}")
            type_ = self.random.choice(["integer", "bigint"])
            self.warehouse.execute(f"alter table {_LOG} alter column difficulty type {type_}")
        return f"migration: {kind}"

    def go_on(self) -> None:
        """Analysts come back to their transactions and end them."""
        for left, connection in self._analysts:
            if left == 0:
                connection.close()
        self._analysts = [(left - 1, connection) for left, connection in self._analysts if left]

    def end(self) -> None:
        """All of them go home."""
        for _, connection in self._analysts:
            connection.close()
        self._analysts = []


@contextmanager
def _longest_waits(server: PostgresServer, database: str) -> Iterator[dict[str, float]]:
    """How long any session of dbt's, and any of the application's, waited for a lock on a relation, sampled."""
    found = {"dbt": 0.0, "application": 0.0}
    since: dict[tuple[int, str], float] = {}
    done = threading.Event()

    def sample() -> None:
        connection = server.connect(database, application_name="watch")
        cursor = connection.cursor()
        while not done.wait(0.1):
            cursor.execute(
                "select pid, query_start::text, application_name from pg_stat_activity "
                "where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'relation'"
            )
            waiting = {(pid, query): name for pid, query, name in cursor.fetchall()}
            now = time.monotonic()
            for key in list(since):
                if key not in waiting:
                    del since[key]
            for key, name in waiting.items():
                since.setdefault(key, now)
                found[name] = max(found.get(name, 0.0), now - since[key])
        connection.close()

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def _vacuum(warehouse: PostgresWarehouse) -> None:
    """What the server does by itself in the hour between two runs, which here takes seconds."""
    for schema, table, kind in sorted(warehouse.relations()):
        if kind == "BASE TABLE":
            warehouse.execute(f"vacuum {schema}.{table}")


def _bytes(warehouse: PostgresWarehouse) -> dict[str, int]:
    return dict(
        warehouse.query(
            "select relname, pg_total_relation_size(pg_class.oid) from pg_class "
            f"join pg_namespace on pg_namespace.oid = relnamespace where nspname like '{SCHEMA}%' and relkind = 'r'"
        )
    )


def test_hundreds_of_runs_beside_a_live_application_end_as_a_full_build(new_warehouse: NewWarehouse) -> None:
    random = Random(_SEED)
    warehouse, scratch = new_warehouse("postgres"), new_warehouse("postgres")
    warehouse.variables = {"lock_timeout_seconds": _LOCK_SECONDS}
    warehouse.salt = scratch.salt = _SALT
    life = _Life(warehouse, random)
    warehouse.load(life.rows(6_000, _START, _START + dt.timedelta(days=60)), typed=True)
    life.now = _START + dt.timedelta(days=60)
    warehouse.run()
    warehouse.run(selector="alerts")
    events: Counter[str] = Counter()
    happenings: list[tuple[float, Callable[[], str]]] = [
        *((0.3, life.late), (0.05, life.delete), (0.1, life.change), (0.3, life.read), (0.1, life.migrate)),
    ]
    with _longest_waits(warehouse.server, warehouse.database) as waits:
        for number in range(_RUNS):
            events[life.hour()] += 1
            for chance, happen in happenings:
                if random.random() < chance:
                    events[happen()] += 1
            selector = "daily" if number % 24 == 23 else "hourly"
            if random.random() < 0.15:
                ended = Run(warehouse, killed_before(random.randint(20, 250)), selector=selector).wait()
                events["killed" if ended is None else "not killed in time"] += 1
            else:
                outcome = warehouse.attempt(selector=selector, tests=True)
                events[f"{selector}: {'success' if outcome.success else 'failure'}"] += 1
                assert outcome.success, outcome.text
            if random.random() < 0.3:
                warehouse.run(selector="alerts_refresh")
                events["alerts"] += 1
            life.go_on()
            _vacuum(warehouse)
    life.end()
    # what a second daily run has to see is seen
    for _ in range(2):
        warehouse.run(selector="daily", tests=True)
    log = warehouse.query(f"select * from {_LOG}")
    columns = [name for name in warehouse.columns("public", "generation_logs") if name != "likes"]
    names = warehouse.columns("public", "generation_logs")
    scratch.load(
        [{name: value for name, value in zip(names, row, strict=True) if name in columns} for row in log],
        typed=True,
    )
    scratch.run()
    assert_equal_marts(warehouse.marts(), scratch.marts())
    here, there = _bytes(warehouse), _bytes(scratch)
    # journals grow with every run, and the alerts' are not part of a full build
    made_of_the_log = there.keys() - {"replacements"}
    bloat = sum(here[name] for name in made_of_the_log) / sum(there[name] for name in made_of_the_log)
    journals = sum(here.values()) - sum(here[name] for name in made_of_the_log)
    print(
        f"{_RUNS} runs, {len(log):,} rows of log; {dict(events)}; waits {waits}; space {bloat:.2f} of a full build, "
        f"and {journals:,} bytes of journals"
    )
    for name in sorted(there, key=lambda name: there[name] - here[name])[:12]:
        print(f"  {name}: {here[name]:,} bytes, in a full build {there[name]:,}")
    assert waits["dbt"] <= _LOCK_SECONDS + 1
    assert waits["application"] <= 2
    assert bloat <= 1.5


@pytest.mark.parametrize("hours", [48 if _RUNS >= 200 else 3])
def test_two_days_of_hourly_runs_and_alerts_through_a_pooler(new_warehouse: NewWarehouse, hours: int) -> None:
    warehouse = new_warehouse("postgres")
    life = _Life(warehouse, Random(_SEED))
    warehouse.load(life.rows(300, _START, _START + dt.timedelta(days=5)), typed=True)
    life.now = _START + dt.timedelta(days=5)
    with running_pooler(warehouse.server, ["postgres"]) as port:
        warehouse.settings = {"PGPORT": str(port)}
        warehouse.run()
        warehouse.run(selector="alerts")
        for _ in range(hours):
            life.hour()
            warehouse.run(selector="hourly", tests=True)
            for _ in range(2):
                warehouse.run(selector="alerts_refresh")
    assert warehouse.query("select relname from pg_class where relpersistence = 't'") == []
    logged = warehouse.query(f"select count(*) from {_LOG}")[0][0]
    assert len(warehouse.mart("fct_generations")) == logged
