"""Processes as a user starts them, with the time they take and the memory they need at most."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
# Of the environment, nothing that would point dbt or libpq somewhere else may leak in.
_SETTINGS = ("WAREHOUSE_", "GENERATION_LOGS", "PG", "DBT_")
KEEP_ALL = "{log_retention_days: 36500}"
ALERTS = ("--selector", "alerts_refresh")
CHOSEN = ("--select", "path:models/chosen", "path:seeds/chosen", "path:tests/chosen")
NO_TESTS = ("--exclude-resource-types", "test", "unit_test")
_DBT = (str(Path(sys.executable).parent / "dbt"),)
# warehouse/run_dbt.py spares dbt the garbage collector, and a manifest of a few megabytes that nobody reads.
_WITHOUT_COLLECTOR = "import gc; gc.disable(); from dbt.cli.main import cli; cli()"
_DBT_OF_ALERTS = (sys.executable, "-c", _WITHOUT_COLLECTOR, "--no-write-json")


def measured(command: list[str], environment: dict[str, str], folder: Path, log: Path) -> dict[str, float]:
    """Run a command to its end: wall time, time of processors and the largest resident memory."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(log.read_text().splitlines()[-30:])
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}:\n{tail}")
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024}


class Dbt:
    """dbt with one log and one database, and its own folders."""

    def __init__(self, folder: Path, project: Path = ROOT, **environment: str) -> None:
        """`folder` takes what dbt writes; `environment` says where the log and the database are."""
        self.folder = folder
        self.target = folder / "target"
        self._project = project
        profiles = folder / "profiles"
        profiles.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "profiles.example.yml", profiles / "profiles.yml")
        self._environment = clean_environment() | {
            "DBT_PROFILES_DIR": str(profiles),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            **environment,
        }
        self._is_parsed = False

    def run(self, *arguments: str) -> dict[str, float]:
        """A dbt command in a separate process, with a warm partial parse."""
        return self._run(_DBT, arguments)

    def run_as_alerts_do(self, *arguments: str) -> dict[str, float]:
        """The same, as `python -m warehouse alerts` runs dbt."""
        return self._run(_DBT_OF_ALERTS, arguments)

    def _run(self, dbt: tuple[str, ...], arguments: tuple[str, ...]) -> dict[str, float]:
        if not self._is_parsed:
            self._is_parsed = True
            self.run("parse")
        command = [*dbt, *arguments, "--vars", KEEP_ALL]
        return measured(command, self._environment, self._project, self.folder / "output.txt")

    def command(self, *arguments: str) -> dict[str, float]:
        """python -m warehouse, in a separate process."""
        command = [sys.executable, "-m", "warehouse", *arguments]
        return measured(command, self._environment, self._project, self.folder / "output.txt")

    def hourly(self) -> dict[str, float]:
        """What a scheduler starts every hour."""
        return self.run("build", *hourly_selection())

    def alerts(self) -> dict[str, float]:
        """What `python -m warehouse alerts`, which a scheduler starts every few minutes, makes of dbt."""
        return self.run_as_alerts_do("build", *ALERTS)

    def listed(self, *arguments: str) -> list[dict[str, object]]:
        """The nodes that a command would run."""
        self.run("ls", *arguments, "--output", "json", "--output-keys", "name", "resource_type", "config", "--quiet")
        lines = (self.folder / "output.txt").read_text().splitlines()
        nodes = [json.loads(line) for line in lines if line.startswith("{")]
        return [node for node in nodes if node["resource_type"] in ("model", "seed", "test")]

    def statements_of_last_run(self) -> int:
        """How many statements dbt sent to the database in its last run, as its log says."""
        log = (self.folder / "logs" / "dbt.log").read_text()
        return log[log.rindex("Running with dbt=") :].count("SQL status: ")

    def seconds_of_tests(self) -> float:
        """What the tests of the last run took, one after the other."""
        return sum(seconds for (kind, _), seconds in self._seconds().items() if kind == "test")

    def seconds_of_models(self) -> dict[str, float]:
        """What each model of the last run took."""
        return {name: seconds for (kind, name), seconds in self._seconds().items() if kind == "model"}

    def _seconds(self) -> dict[tuple[str, str], float]:
        results = json.loads((self.target / "run_results.json").read_text())["results"]
        return {
            (kind, name): result["execution_time"]
            for result in results
            for kind, _, name in [result["unique_id"].split(".", 2)]
        }


def hourly_selection() -> list[str]:
    """How the hourly run is selected; without selectors, all models."""
    return ["--selector", "hourly"] if (ROOT / "selectors.yml").exists() else list(NO_TESTS)


def trivial_project(folder: Path, warehouse: Dbt, *selection: str, **environment: str) -> Dbt:
    """A project of as many models, seeds and tests as the warehouse, all of them `select 1`, of which CHOSEN selects as
    many as the selection has there: what dbt itself costs. On DuckDB unless the environment says otherwise."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    for name in ("models", "seeds", "tests"):
        (project / name / "chosen").mkdir(parents=True)
    (project / "dbt_project.yml").write_text(
        "{name: trivial, version: '1.0.0', profile: generation_warehouse, flags: {send_anonymous_usage_stats: false}}\n"
    )
    chosen = {node["name"] for node in warehouse.listed(*selection)}
    for number, node in enumerate(warehouse.listed("--select", "fqn:*")):
        folder_of_node = "chosen" if node["name"] in chosen else "."
        if node["resource_type"] == "seed":
            (project / "seeds" / folder_of_node / f"seed_{number}.csv").write_text("one\n1\n")
        elif node["resource_type"] == "test":
            (project / "tests" / folder_of_node / f"test_{number}.sql").write_text("select 1 as one where false\n")
        else:
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            text = f"{{{{ config(materialized='{kind}') }}}}\nselect 1 as one\n"
            (project / "models" / folder_of_node / f"model_{number}.sql").write_text(text)
    return Dbt(folder, project, **({"WAREHOUSE_DUCKDB": str(folder / "trivial.duckdb")} | environment))


def clean_environment() -> dict[str, str]:
    """The environment without what would point somewhere else."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}


@contextmanager
def watched(postmaster: int, every: float = 0.2) -> Iterator[dict[str, float]]:
    """The most memory that the processes of a PostgreSQL server hold for themselves while the body runs, sampled.

    It is what is resident and neither a file's nor shared, so the shared buffers come on top.
    """
    found = {"server_peak_bytes": 0}
    done = threading.Event()

    def sample() -> None:
        while not done.wait(every):
            total = 0
            for process in psutil.Process(postmaster).children():
                try:
                    memory = process.memory_info()
                    total += memory.rss - memory.shared
                except psutil.Error:
                    continue
            found["server_peak_bytes"] = max(found["server_peak_bytes"], total)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def megabytes_free(path: Path) -> int:
    """The space left on the disk."""
    return shutil.disk_usage(path).free // 2**20


def remove(*paths: Path) -> None:
    """Remove files and folders, and what DuckDB leaves beside a database."""
    for path in paths:
        for one in (path, path.with_name(path.name + ".wal"), path.with_name(path.name + ".tmp")):
            if one.is_dir():
                shutil.rmtree(one)
            else:
                one.unlink(missing_ok=True)
