"""What is measured on PostgreSQL: the first build, hourly runs against materialized views, questions."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import psutil
import pyarrow as pa
from psycopg2.extensions import cursor

from benchmarks import by_hand, questions
from benchmarks.logs import Logs, first_time, tables_of
from benchmarks.on_duckdb import analysis, ask_in_turn
from benchmarks.processes import ALERTS, CHOSEN, ROOT, Dbt, trivial_project, watched
from benchmarks.store import Store
from simulator.log import SCHEMA
from simulator.postgres import write_table
from simulator.writers import csv_rows

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres_server  # noqa: E402

# A small production server's. Everything else is as PostgreSQL comes: it syncs what it commits.
SETTINGS = (
    "shared_buffers=2GB",
    "work_mem=64MB",
    "maintenance_work_mem=512MB",
    "max_wal_size=8GB",
    "timezone=UTC",
)


@contextmanager
def running(work: Path, logs: Logs, store: Store, keep: bool) -> Iterator["OnPostgres"]:
    """A server that lasts as long as the body, or the one that WAREHOUSE_TEST_PG_URL names, kept if asked."""
    with mock.patch.object(postgres_server, "_SETTINGS", SETTINGS), postgres_server.running_server() as server:
        yield OnPostgres(server, work, logs, store)
        if keep:
            server.made.clear()


class OnPostgres:
    """A database for every length of history: the raw log, the warehouse, and the materialized views."""

    def __init__(self, server: postgres_server.PostgresServer, work: Path, logs: Logs, store: Store) -> None:
        """`work` takes what dbt writes."""
        self._server, self._work, self._logs, self._store = server, work, logs, store
        self._views: dict[int, list[str]] = {}
        self._dbts: dict[int, Dbt] = {}
        with self._cursor(server.database) as statements:
            statements.execute("select pg_backend_pid()")
            self._postmaster = psutil.Process(statements.fetchone()[0]).ppid()
            statements.execute("show server_version")
            store.note("postgres_version", statements.fetchone()[0].split()[0])

    def hourly(self, rows: int, least: int, repeat: int, refresh_repeat: int) -> None:
        """An hourly run with one more hour of log, on a long history on the shortest, and refreshing views, in turn."""
        names = {size: f"hourly-postgres/{rows}/of-{size}" for size in (least, rows)}
        refresh = f"refresh/{rows}"
        if self._store.count(*names.values()) >= repeat and self._store.count(refresh) >= refresh_repeat:
            return
        for size in names:
            self._warehouse(size)
            self._dbts[size].hourly()
        self._create_views(rows)
        while self._store.count(*names.values()) < repeat or self._store.count(refresh) < refresh_repeat:
            for size, name in names.items():
                self._add_hour(size)
                self._store.add(name, self._with_server(self._dbts[size].hourly))
            if self._store.count(refresh) < refresh_repeat:
                self._store.add(refresh, self._with_server(lambda: self._refresh(rows)))
        for size in names:
            self._note_sizes(size)
        self._store.note(f"hourly-postgres/{rows}/models", self._dbts[rows].seconds_of_models())

    def ask(self, rows: int, repeat: int) -> None:
        """The questions, asked of the indexed raw table and of the marts, in turn."""
        if (
            self._store.count(
                *(f"ask/postgres/{rows}/{name}/{of}" for name in questions.RAW for of in ("raw", "marts"))
            )
            >= repeat
        ):
            return
        self._warehouse(rows)
        self._dbts[rows].run("compile", "--select", "path:analyses")
        with self._cursor(_database(rows)) as statements:
            statements.execute("vacuum analyze")
            statements.execute("select max(created_at) from public.generation_logs")
            now = statements.fetchone()[0]
            ask_in_turn(
                lambda sql: statements.execute(sql) or statements.fetchall(),
                {
                    name: questions.raw(name, "public.generation_logs", now, "(costs ->> 'total')::numeric")
                    for name in questions.RAW
                },
                {name: analysis(self._dbts[rows], name) for name in questions.RAW},
                self._store,
                f"ask/postgres/{rows}",
                repeat,
            )

    def alerts(self, rows: int, least: int, repeat: int) -> None:
        """An alert refresh with one more hour of log, on a long history and on the shortest, and dbt's own start-up for
        as many nodes, in turn."""
        names = {size: f"alerts-postgres/{rows}/of-{size}" for size in (least, rows)}
        startup_name = f"alerts-postgres/{rows}/startup"
        if self._store.count(*names.values(), startup_name) >= repeat:
            return
        for size in names:
            self._warehouse(size)
            self._dbts[size].alerts()
        startup = self._trivial(rows)
        while self._store.count(*names.values(), startup_name) < repeat:
            self._store.add(startup_name, startup.run_as_alerts_do("build", *CHOSEN))
            for size, name in names.items():
                self._add_hour(size)
                self._store.add(name, self._with_server(self._dbts[size].alerts))
        refresh, start = self._dbts[rows].statements_of_last_run(), startup.statements_of_last_run()
        self._store.note("alerts-postgres/statements", f"{refresh} and {start}")
        self._store.note("alerts-postgres/nodes", len(self._dbts[rows].listed(*ALERTS)))

    def compare(self, rows: int) -> None:
        """Are the materialized views what the warehouse is?"""
        if self._store.fact("equal_views"):
            return
        self._warehouse(rows)
        self._create_views(rows)
        self._dbts[rows].run("run")
        self._refresh(rows)
        with self._cursor(_database(rows)) as statements:
            query = lambda sql: statements.execute(sql) or statements.fetchall()  # noqa: E731
            found = dict(
                query(
                    "select table_name, concat_ws('.', table_schema, table_name) from information_schema.tables"
                    " where (table_schema like '%\\_marts' or table_name = 'int_user_days')"
                    f" and table_schema != 'by_hand' and table_name not in {by_hand.NOT_BY_HAND}"
                )
            )
            unequal = by_hand.differences(query, {name: f"by_hand.{name}" for name in found}, found)
        if any(unequal.values()):
            raise SystemExit(f"The views by hand are not the warehouse; rows on one side only: {unequal}")
        self._store.note("equal_views", {"rows": rows, "tables": len(unequal)})

    def _warehouse(self, rows: int) -> None:
        """The raw log in a table of the application's types, and the warehouse made of it."""
        if rows in self._dbts:
            return
        environment = self._server.environment(_database(rows))
        dbt = Dbt(self._work / f"dbt-postgres-{rows}", WAREHOUSE_TARGET="prod", **environment)
        with self._cursor(self._server.database) as statements:
            statements.execute(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [_database(rows)]
            )
            found = statements.fetchone()
        # left by a run that was cut off, on a server that outlives it
        if found and found[0] == "whole":
            self._dbts[rows] = dbt
            return
        self._server.create_database(_database(rows))
        pattern = Path(self._logs.whole(rows))
        start = time.perf_counter()
        dsn = " ".join(
            f"{name[2:].lower().replace('database', 'dbname')}='{value}'" for name, value in environment.items()
        )
        tables = tables_of(pattern.parent.glob(pattern.name))
        write_table(dsn, "public.generation_logs", tables, SCHEMA, replace=True)
        self._vacuum(rows)
        print(f"    loaded {rows:,} rows in {time.perf_counter() - start:,.0f} s", file=sys.stderr, flush=True)
        dbt.run("seed")
        first = self._with_server(lambda: dbt.run("run"))
        if not self._store.count(f"first-postgres/{rows}"):
            self._store.add(f"first-postgres/{rows}", first)
        self._vacuum(rows)
        self._server.execute(f"comment on database {_database(rows)} is 'whole'")
        self._dbts[rows] = dbt

    def _trivial(self, rows: int) -> Dbt:
        """A trivial project with as many nodes as there are here, in a separate database, built once."""
        self._server.create_database("bench_trivial")
        dbt = trivial_project(
            self._work / "trivial-postgres-alerts",
            self._dbts[rows],
            *ALERTS,
            WAREHOUSE_TARGET="prod",
            **self._server.environment("bench_trivial"),
        )
        dbt.run("build", *CHOSEN)
        return dbt

    def _create_views(self, rows: int) -> None:
        if rows not in self._views:
            with self._cursor(_database(rows)) as statements:
                self._views[rows] = by_hand.create_views(statements)

    def _refresh(self, rows: int) -> dict[str, float]:
        with self._cursor(_database(rows)) as statements:
            start = time.perf_counter()
            by_hand.refresh_views(statements, self._views[rows])
            return {"seconds": time.perf_counter() - start}

    def _add_hour(self, rows: int) -> None:
        """Put the next hour of the log into the raw table."""
        with self._cursor(_database(rows)) as statements:
            statements.execute("select max(created_at) from public.generation_logs")
            newest = statements.fetchone()[0]
            path = next((path for path in self._logs.hours() if first_time(path) > newest), None)
            if path is None:
                print("    no further hour of log: the run sees the same rows again", file=sys.stderr)
                return
            for table in tables_of([path]):
                statements.copy_expert(
                    "copy public.generation_logs from stdin with (format csv)", pa.BufferReader(csv_rows(table))
                )

    def _note_sizes(self, rows: int) -> None:
        with self._cursor(_database(rows)) as statements:
            statements.execute("""
                select case nspname when 'public' then 'raw' when 'by_hand' then 'views' else 'warehouse' end,
                    sum(pg_total_relation_size(pg_class.oid))::bigint
                from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
                where relkind in ('r', 'm') and (nspname in ('public', 'by_hand') or nspname like 'warehouse%')
                group by 1""")
            self._store.note(f"postgres_bytes/{rows}", dict(statements.fetchall()))

    def _with_server(self, action: Callable[[], dict[str, float]]) -> dict[str, float]:
        with watched(self._postmaster) as server:
            result = action()
        return result | server

    def _vacuum(self, rows: int) -> None:
        with self._cursor(_database(rows)) as statements:
            statements.execute("vacuum analyze")

    @contextmanager
    def _cursor(self, database: str) -> Iterator[cursor]:
        connection = self._server.connect(database)
        try:
            with connection.cursor() as statements:
                yield statements
        finally:
            connection.close()


def _database(rows: int) -> str:
    return f"bench_{rows}"
