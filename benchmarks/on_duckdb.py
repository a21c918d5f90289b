"""What is measured on DuckDB: full builds, hourly runs, questions."""

import gzip
import sys
import time
from pathlib import Path

import duckdb

from benchmarks import by_hand, questions
from benchmarks.logs import Logs
from benchmarks.processes import (
    ALERTS,
    CHOSEN,
    ROOT,
    Dbt,
    clean_environment,
    hourly_selection,
    measured,
    remove,
    trivial_project,
)
from benchmarks.store import Store


class OnDuckdb:
    """One warehouse for every length of history, kept from one part to the next."""

    def __init__(self, work: Path, logs: Logs, store: Store, memory: str) -> None:
        """`work` takes the databases and what dbt writes."""
        self._work, self._logs, self._store, self._memory = work, logs, store, memory
        self._dbts: dict[tuple[str, bool], Dbt] = {}

    def full_build(self, rows: int, repeat: int, beside: int | None = None) -> None:
        """`dbt run` into a new database, the script by hand, and dbt's start-up, in turn.

        `beside` is a shorter history that is built in turn with it, for the ratio of the two.
        """
        name = f"full/{rows}"
        names = [f"{name}/dbt", f"{name}/hand", f"{name}/startup"] + ([f"{name}/dbt-of-{beside}"] if beside else [])
        if self._store.count(*names) < repeat:
            startup = self._trivial("models", "--resource-types", "model")
            while self._store.count(*names) < repeat:
                self._store.add(f"{name}/startup", startup.run("run", *CHOSEN))
                if beside:
                    self._store.add(f"{name}/dbt-of-{beside}", self._build(beside, "beside"))
                    remove(self._work / "beside.duckdb")
                self._store.add(f"{name}/dbt", self._build(rows, str(rows)))
                self._store.add(f"{name}/hand", self._by_hand(rows))
            on_disk = {"log": self._logs.size(rows), "warehouse": self._database(rows).stat().st_size}
            self._store.note(f"{name}/bytes", on_disk)
            self._store.note(f"{name}/models", self._dbt(rows).seconds_of_models())
        if not self._store.count(f"{name}/tests"):
            self._warehouse(rows)
            tests = self._dbt(rows).run("test", "--exclude-resource-types", "unit_test")
            tests["in_tests"] = self._dbt(rows).seconds_of_tests()
            self._store.add(f"{name}/tests", tests)

    def compare(self, rows: int) -> None:
        """Are the tables by hand those of the warehouse?"""
        if self._store.fact("equal_tables"):
            return
        self._build(rows, "compared")
        self._by_hand(rows, keep=True, warehouse=self._work / "compared.duckdb")
        with duckdb.connect(str(self._work / "by_hand.duckdb")) as connection:
            connection.execute(
                f"set TimeZone = 'UTC'; attach '{self._work / 'compared.duckdb'}' as compared (read_only)"
            )
            query = lambda sql: connection.execute(sql).fetchall()  # noqa: E731
            found = dict(
                query(
                    "select table_name, concat_ws('.', 'compared', table_schema, table_name)"
                    " from information_schema.tables where table_catalog = 'compared' and ("
                    "table_schema like '%_marts' or table_name = 'int_user_days')"
                    f" and table_name not in {by_hand.NOT_BY_HAND}"
                )
            )
            unequal = by_hand.differences(query, {name: f"by_hand.main.{name}" for name in found}, found)
        remove(self._work / "by_hand.duckdb", self._work / "compared.duckdb")
        if any(unequal.values()):
            raise SystemExit(f"The tables by hand are not those of the warehouse; rows on one side only: {unequal}")
        self._store.note("equal_tables", {"rows": rows, "tables": len(unequal)})

    def hourly(self, rows: int, least: int, repeat: int) -> None:
        """An hourly run with one more hour of log, on a long history and on the shortest, in turn."""
        names = {size: f"hourly/{rows}/of-{size}" for size in (least, rows)}
        if self._store.count(*names.values()) >= repeat:
            return
        for size in names:
            self._warehouse(size)
            self._dbt(size, growing=True).hourly()
        while self._store.count(*names.values()) < repeat:
            for size, name in names.items():
                if self._logs.add_hour(size) is None:
                    print("    no further hour of log: the run sees the same files again", file=sys.stderr)
                self._store.add(name, self._dbt(size, growing=True).hourly())

    def nothing_new(self, rows: int, repeat: int) -> None:
        """An hourly run with nothing new, and dbt's own start-up for as many nodes, in turn."""
        names = ["nothing/warehouse", "nothing/startup"]
        if self._store.count(*names) >= repeat:
            return
        self._warehouse(rows)
        warehouse = self._dbt(rows, growing=True)
        warehouse.hourly()
        startup = self._trivial("hourly", *hourly_selection())
        while self._store.count(*names) < repeat:
            self._store.add(names[0], warehouse.hourly())
            self._store.add(names[1], startup.run("build", *CHOSEN))
        for name, dbt in zip(names, (warehouse, startup), strict=True):
            models, tests = sum(dbt.seconds_of_models().values()), dbt.seconds_of_tests()
            self._store.note(
                f"{name}/last", {"statements": dbt.statements_of_last_run(), "models": models, "tests": tests}
            )
        self._store.note("nothing/nodes", len(self._dbt(rows, growing=True).listed(*hourly_selection())))

    def alerts(self, rows: int, least: int, repeat: int) -> None:
        """An alert refresh with one more hour of log, on a long history and on the shortest, and dbt's own start-up for
        as many nodes, in turn."""
        names = {size: f"alerts/{rows}/of-{size}" for size in (least, rows)}
        startup_name = f"alerts/{rows}/startup"
        if self._store.count(*names.values(), startup_name) >= repeat:
            return
        for size in names:
            self._warehouse(size)
            self._dbt(size, growing=True).alerts()
        startup = self._trivial("alerts", *ALERTS)
        while self._store.count(*names.values(), startup_name) < repeat:
            self._store.add(startup_name, startup.run_as_alerts_do("build", *CHOSEN))
            for size, name in names.items():
                if self._logs.add_hour(size) is None:
                    print("    no further hour of log: the run sees the same files again", file=sys.stderr)
                self._store.add(name, self._dbt(size, growing=True).alerts())
        refresh, start = self._dbt(rows, growing=True).statements_of_last_run(), startup.statements_of_last_run()
        self._store.note("alerts/statements", f"{refresh} and {start}")
        self._store.note("alerts/nodes", len(self._dbt(rows, growing=True).listed(*ALERTS)))

    def page(self, rows: int, repeat: int) -> None:
        """The page with the numbers, from process start to a file."""
        name = f"page/{rows}"
        if self._store.count(name) >= repeat:
            return
        self._warehouse(rows)
        out = self._work / f"{rows}.html"
        while self._store.count(name) < repeat:
            self._store.add(name, self._dbt(rows).command("report", "--out", str(out)))
        self._store.note(f"{name}/bytes", out.stat().st_size)
        self._store.note(f"{name}/packed_bytes", len(gzip.compress(out.read_bytes())))

    def ask(self, rows: int, repeat: int) -> None:
        """The questions, asked of the Parquet files and of the marts, in turn."""
        if (
            self._store.count(*(f"ask/duckdb/{rows}/{name}/{of}" for name in questions.RAW for of in ("raw", "marts")))
            >= repeat
        ):
            return
        self._warehouse(rows)
        dbt = self._dbt(rows, growing=True)
        dbt.run("compile", "--select", "path:analyses")
        log = f"read_parquet('{self._logs.growing(rows)}')"
        with duckdb.connect(
            str(self._database(rows)), read_only=True, config={"memory_limit": self._memory}
        ) as connection:
            connection.execute("set TimeZone = 'UTC'")
            now = connection.execute(f"select max(created_at) from {log}").fetchall()[0][0]
            ask_in_turn(
                lambda sql: connection.execute(sql).fetchall(),
                {name: questions.raw(name, log, now, "(costs ->> 'total')::numeric(18, 6)") for name in questions.RAW},
                {name: analysis(dbt, name) for name in questions.RAW},
                self._store,
                f"ask/duckdb/{rows}",
                repeat,
            )

    def _build(self, rows: int, name: str) -> dict[str, float]:
        is_whole = self._work / f"{name}.is_whole"
        remove(self._work / f"{name}.duckdb", is_whole)
        dbt = self._dbt(rows, name=name)
        dbt.run("seed")
        result = dbt.run("run")
        is_whole.touch()
        return result

    def _by_hand(self, rows: int, keep: bool = False, warehouse: Path | None = None) -> dict[str, float]:
        database = self._work / "by_hand.duckdb"
        remove(database)
        command = [sys.executable, "-m", "benchmarks.by_hand", str(database), self._logs.whole(rows)]
        command += [str(warehouse or self._database(rows)), "--memory", self._memory]
        result = measured(command, clean_environment(), ROOT, self._work / "by_hand.txt")
        result["database_bytes"] = database.stat().st_size
        if not keep:
            remove(database)
        return result

    def _trivial(self, name: str, *selection: str) -> Dbt:
        """A trivial project with as many nodes as there are here, built once."""
        rows = min(self._store.fact("rows"))
        dbt = trivial_project(self._work / f"trivial-{name}", self._dbt(rows), *selection)
        dbt.run("build", *CHOSEN)
        return dbt

    def _warehouse(self, rows: int) -> None:
        """The warehouse of a history, built unless an earlier part left it."""
        if not (self._work / f"{rows}.is_whole").exists():
            self._build(rows, str(rows))

    def _database(self, rows: int) -> Path:
        return self._work / f"{rows}.duckdb"

    def _dbt(self, rows: int, growing: bool = False, name: str | None = None) -> Dbt:
        name = name or str(rows)
        if (name, growing) not in self._dbts:
            self._dbts[name, growing] = Dbt(
                self._work / f"dbt-{name}{'-growing' if growing else ''}",
                GENERATION_LOGS=self._logs.growing(rows) if growing else self._logs.whole(rows),
                WAREHOUSE_DUCKDB=str(self._work / f"{name}.duckdb"),
                WAREHOUSE_MEMORY=self._memory,
            )
        return self._dbts[name, growing]


def analysis(dbt: Dbt, name: str) -> str:
    """The SQL of an analysis, compiled."""
    return (dbt.target / "compiled" / "generation_warehouse" / "analyses" / f"{name}.sql").read_text()


def ask_in_turn(
    query: by_hand.Query, raw: dict[str, str], marts: dict[str, str], store: Store, prefix: str, repeat: int
) -> None:
    """Ask each question of both, once to warm up and then in turn."""
    for name in raw:
        for sql in (raw[name], marts[name]):
            query(sql)
        for _ in range(repeat):
            for of, sql in (("raw", raw[name]), ("marts", marts[name])):
                start = time.perf_counter()
                query(sql)
                store.add(f"{prefix}/{name}/{of}", {"seconds": time.perf_counter() - start})
