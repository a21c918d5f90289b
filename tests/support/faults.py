"""Runs that do not go as planned: killed, held up or failing at a chosen statement. Each is a process of its own,
forked from this one, so that it need not load dbt again."""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dbt.adapters.sql.connections import SQLConnectionManager

from warehouses import Outcome, Warehouse


@dataclass(frozen=True)
class Statement:
    """A statement that a run sends to its database, counted from 1, before or after the database has done it."""

    number: int
    sql: str
    is_done: bool
    model: str | None = None

    @property
    def is_commit(self) -> bool:
        """Does it make permanent what was done before it?"""
        return self.sql.strip().upper() == "COMMIT"


Watcher = Callable[[Statement], None]


@contextmanager
def watched(watch: Watcher) -> Iterator[None]:
    """Tell `watch` of every statement that dbt executes, before and after. What it raises is the statement's error."""
    execute = SQLConnectionManager.add_query
    lock = threading.Lock()
    count = 0

    def add_query(self: SQLConnectionManager, sql: str, *arguments: object, **named: object) -> object:
        nonlocal count
        with lock:
            count += 1
            number = count
        name = self.get_thread_connection().name or ""
        model = name.split(".")[-1] if name.startswith("model.") else None
        watch(Statement(number, sql, is_done=False, model=model))
        result = execute(self, sql, *arguments, **named)
        watch(Statement(number, sql, is_done=True, model=model))
        return result

    SQLConnectionManager.add_query = add_query
    try:
        yield
    finally:
        SQLConnectionManager.add_query = execute


def die() -> None:
    """As kill -9 does: nothing is closed, nothing is rolled back by the client."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def killed_before(number: int) -> Watcher:
    """Die when statement `number` is about to be sent; what was committed before is all there is."""

    def watch(statement: Statement) -> None:
        if statement.number >= number and not statement.is_done:
            die()

    return watch


def killed_while(number: int, seconds: float) -> Watcher:
    """Die so many seconds after statement `number` was sent, whether or not it is done by then."""

    def watch(statement: Statement) -> None:
        if statement.number == number and not statement.is_done:
            threading.Timer(seconds, die).start()

    return watch


def killed_after_commit_of(model: str) -> Watcher:
    """Die as soon as a model's new rows are permanent."""
    inserted = False

    def watch(statement: Statement) -> None:
        nonlocal inserted
        if statement.model == model and statement.is_done:
            inserted = inserted or f'"{model}" (' in statement.sql and "insert into" in statement.sql
            if inserted and statement.is_commit:
                die()

    return watch


class Run:
    """A run in another process."""

    def __init__(self, warehouse: Warehouse, watch: Watcher, **options: object) -> None:
        """Start it. The options are those of Warehouse.attempt()."""
        # dbt's parser has threads of its own, which a fork leaves behind: what is to be parsed is parsed before.
        assert (warehouse.target_path / "partial_parse.msgpack").exists(), "run it once in this process"
        # A connection to the database would be shared by both processes, and a DuckDB file be locked.
        warehouse.disconnect()
        self._said = warehouse.folder / f"run_{time.monotonic_ns()}.json"
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = os.fork()
        if not self._process:
            _be_the_run(warehouse, watch, options, self._said)

    def wait(self, seconds: float = 120) -> Outcome | None:
        """What it said at its end; None where it was killed."""
        for _ in range(round(seconds * 50)):
            done, status = os.waitpid(self._process, os.WNOHANG)
            if done:
                break
            time.sleep(0.02)
        else:
            self.kill()
            raise AssertionError(f"a run is still at work after {seconds} seconds")
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return None
        said = json.loads(self._said.read_text())
        assert "failure" not in said, said["failure"]
        return Outcome(said["success"], said["messages"], said["statuses"])

    def kill(self) -> None:
        """Kill it from outside, wherever it is."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _be_the_run(warehouse: Warehouse, watch: Watcher, options: dict[str, object], said: Path) -> None:
    try:
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        with watched(watch):
            outcome = warehouse.attempt(**options)
        told = {"success": outcome.success, "messages": outcome.messages, "statuses": outcome.statuses}
    except BaseException:
        told = {"failure": traceback.format_exc()}
    said.write_text(json.dumps(told))
    os._exit(0)


class Gate:
    """Holds a run up at a chosen statement until it is opened."""

    def __init__(self, folder: Path, is_here: Callable[[Statement], bool]) -> None:
        """Two empty files tell the processes apart: the run has come, and the run may go on."""
        self._come = folder / f"come_{time.monotonic_ns()}"
        self._open = folder / f"open_{time.monotonic_ns()}"
        self._is_here = is_here

    def __call__(self, statement: Statement) -> None:
        """Let pass or wait: what a run that is watched calls."""
        if not self._come.exists() and self._is_here(statement):
            self._come.touch()
            _until(self._open.exists)

    def wait(self) -> None:
        """Until the run has come."""
        _until(self._come.exists)

    def open(self) -> None:
        """Let the run go on."""
        self._open.touch()


def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(round(seconds * 100)):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for {seconds} seconds")
