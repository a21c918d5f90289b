"""The command: this tree against an earlier commit, side by side: python -m benchmarks.against COMMIT."""

import argparse
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pyarrow as pa

from benchmarks.logs import Logs, tables_of
from benchmarks.on_postgres import postgres_server
from benchmarks.processes import ALERTS, ROOT, Dbt, remove
from simulator.log import SCHEMA
from simulator.postgres import write_table
from simulator.writers import csv_rows

_DESCRIPTION = """\
Measure full builds, hourly runs, hourly runs with nothing new and alert refreshes of this tree and of an earlier
commit, in turn, on the same simulated log, and print medians and their ratio. Both run in this environment."""
_TABLE = "public.generation_logs"


class _Tree:
    """A tree of the project with a warehouse of its own."""

    def __init__(self, folder: Path, project: Path, environment: dict[str, str]) -> None:
        self._dbt = Dbt(folder, project, **environment)
        # each tree's own profile: an older one need not know what today's says
        shutil.copy(project / "profiles.example.yml", folder / "profiles" / "profiles.yml")

    def full(self) -> float:
        return self._seconds("build", "--selector", "daily")

    def hourly(self) -> float:
        return self._seconds("build", "--selector", "hourly")

    def alerts(self) -> float:
        return self._dbt.run_as_alerts_do("build", *ALERTS)["seconds"]

    def _seconds(self, *arguments: str) -> float:
        return self._dbt.run(*arguments)["seconds"]


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    work = options.work_dir.resolve()
    remove(work)
    work.mkdir(parents=True)
    old = work / "old"
    old.mkdir()
    archive = subprocess.run(["git", "archive", options.commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(old)], input=archive, check=True)
    logs = Logs(work / "logs", [options.rows], max(1, options.rows // 90))
    on_engine = of_trees_on_postgres if options.engine == "postgres" else of_trees_on_duckdb
    with on_engine(work, logs, options.rows) as (environments, begin_again, add_hour, defining):
        trees = {
            name: _Tree(work / name / "dbt" if name == "old" else work / "dbt", project, environments[name])
            for name, project in (("old", old), ("new", ROOT))
        }
        found: dict[str, dict[str, list[float]]] = {}

        def in_turn(what: str, number: int, measure: Callable[[_Tree], float]) -> None:
            for name in ("old", "new") if number % 2 else ("new", "old"):
                seconds = measure(trees[name])
                found.setdefault(what, {"old": [], "new": []})[name].append(seconds)
                print(f"  {what}, {name}: {seconds:.2f} s", file=sys.stderr, flush=True)

        for number in range(options.builds):
            for name in trees:
                begin_again(name)
            in_turn("full build", number, _Tree.full)
        for number in range(options.pairs):
            add_hour()
            in_turn("alert refresh", number, _Tree.alerts)
            in_turn("hourly run", number, _Tree.hourly)
            before = {name: defining(name) for name in trees}
            in_turn("nothing new", number, _Tree.hourly)
        statements = {name: defining(name) - before[name] for name in trees}
    print(f"{options.engine}, {options.rows:,} rows, {options.commit[:12]} (old) and this tree (new), medians")
    for what, seconds in found.items():
        before, after = (statistics.median(seconds[name]) for name in ("old", "new"))
        pairs = len(seconds["old"])
        print(f"  {what:<14} {before:7.2f} s {after:7.2f} s   ratio {after / before:.3f}   ({pairs} pairs)")
    if options.engine == "postgres":
        print(f"  statements that define something in a run with nothing new: {statements['old']}, {statements['new']}")
    if not options.keep:
        remove(work)


_Engine = tuple[dict[str, dict[str, str]], Callable[[str], None], Callable[[], None], Callable[[str], int]]
# Each makes an API in front of the database read its schema again.
_NOTE_DEFINING = """
create table public.defined (tag text);
create function public.note() returns event_trigger language plpgsql as $$ begin
    insert into public.defined values (tg_tag);
end $$;
create event trigger noted on ddl_command_end execute function public.note();
"""


@contextmanager
def of_trees_on_duckdb(work: Path, logs: Logs, rows: int) -> Iterator[_Engine]:
    """Two warehouses in files."""
    files = {name: work / f"{name}.duckdb" for name in ("old", "new")}
    environments = {
        name: {
            "WAREHOUSE_TARGET": "local",
            "WAREHOUSE_DUCKDB": str(file),
            "GENERATION_LOGS": logs.growing(rows),
        }
        for name, file in files.items()
    }
    yield environments, lambda name: remove(files[name]), lambda: logs.add_hour(rows), lambda name: 0


@contextmanager
def of_trees_on_postgres(work: Path, logs: Logs, rows: int) -> Iterator[_Engine]:
    """Two warehouses in databases of a server that is started for them."""
    with postgres_server.running_server() as server:
        databases = {name: f"against_{name}" for name in ("old", "new")}

        def begin_again(name: str) -> None:
            server.create_database(databases[name])
            environment = server.environment(databases[name])
            keys = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
            dsn = " ".join(f"{key}='{environment[variable]}'" for variable, key in keys.items())
            pattern = Path(logs.growing(rows))
            write_table(dsn, _TABLE, tables_of(pattern.parent.glob(pattern.name)), SCHEMA, replace=True)
            _execute(name, f"create index on {_TABLE} (created_at); analyze {_TABLE}; {_NOTE_DEFINING}")

        def add_hour() -> None:
            path = logs.add_hour(rows)
            for name in databases:
                with server.connect(databases[name]) as connection, connection.cursor() as cursor:
                    for table in tables_of([path]):
                        cursor.copy_expert(
                            f"copy {_TABLE} from stdin with (format csv)", pa.BufferReader(csv_rows(table))
                        )

        def defining(name: str) -> int:
            with server.connect(databases[name]) as connection, connection.cursor() as cursor:
                cursor.execute("select count(*) from public.defined")
                return cursor.fetchone()[0]

        def _execute(name: str, sql: str) -> None:
            connection: psycopg2.extensions.connection = server.connect(databases[name])
            connection.cursor().execute(sql)
            connection.close()

        environments = {
            name: {"WAREHOUSE_TARGET": "prod", **server.environment(database)} for name, database in databases.items()
        }
        yield environments, begin_again, add_hour, defining


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.against",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("commit", help="the commit to compare with")
    parser.add_argument("--engine", choices=("duckdb", "postgres"), default="duckdb")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--builds", type=int, default=3, help="full builds of each tree")
    parser.add_argument("--pairs", type=int, default=7, help="hourly runs of each tree; at most 12")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "build" / "against")
    parser.add_argument("--keep", action="store_true", help="leave logs and databases in the work folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
