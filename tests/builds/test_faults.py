"""Whatever happens to a run, the next one makes it good: runs that are killed, cut off, failing, or two at once."""

import datetime as dt
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from factory import ENGINES, NewWarehouse, examples
from faults import Gate, Run, Statement, killed_after_commit_of, killed_before, killed_while, watched
from logs import failed_row, identifier, sound_row, user
from project import ROOT
from warehouses import Marts, Row, Warehouse, assert_equal_marts

_MONDAY = dt.date(2026, 3, 2)
_SALT = "one salt for all warehouses"
_LATE = identifier(777)


def _day(number: int) -> dt.date:
    return _MONDAY + dt.timedelta(days=number)


def _rows_of(day: int, *users: int, hour: int = 8) -> list[Row]:
    """A success and a failure of each user on a day, counted from the first."""
    rows = []
    for place, person in enumerate(users):
        number = day * 1_000 + hour * 20 + place * 2
        at = f"{_day(day)} {hour:02}:{place:02}:00"
        rows.append(sound_row(number, user_id=user(person), created_at=at, style=("anime", "pop_art")[person % 2]))
        rows.append(failed_row(number + 1, "Request timed out.", user_id=user(person), created_at=at))
    return rows


_BEFORE = [row for day in range(8) for row in _rows_of(day, day % 3, 3 + day % 2)]
# Late rows within the lookback, two new days, a newer version, a row without a date, and one from before the lookback.
_AFTER = [
    *_BEFORE,
    *_rows_of(5, 0, 7, hour=20),
    *_rows_of(8, 1, 8),
    *_rows_of(9, 2),
    sound_row(778, id=identifier(7_160), created_at=f"{_day(7)} 23:00:00", costs='{"total":2.5}'),
    sound_row(779, created_at=None),
    sound_row(777, id=_LATE, user_id=user(9), created_at=f"{_day(1)} 12:00:00"),
]


@dataclass
class Clean:
    """A warehouse before the run in question, and what undisturbed runs make of it."""

    base: Warehouse
    victim: Warehouse
    waiting: Marts
    """after an ordinary run: the row from before the lookback waits"""
    healed: Marts
    """after a backfill: it is counted"""
    statements: list[Statement]
    """of a run that is not the first"""
    first_statements: list[Statement]


@pytest.fixture(scope="module", params=ENGINES)
def clean(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Clean:
    base, victim = module_warehouse(request.param), module_warehouse(request.param)
    # a daily run would mend the row from before the lookback by itself, and could not be told from a backfill
    base.variables = victim.variables = {"max_rebuilt_days": 0}
    base.salt = _SALT
    base.load(_BEFORE)
    first_statements: list[Statement] = []
    with watched(first_statements.append):
        base.run()
    # so that an hourly run knows what the days were like
    base.run()
    base.load(_AFTER)
    victim.become(base)
    statements: list[Statement] = []
    with watched(statements.append):
        victim.run()
    waiting = victim.marts()
    victim.run(variables={"backfill_from": str(_day(1))})
    return Clean(base, victim, waiting, victim.marts(), statements, first_statements)


@pytest.fixture
def victim(clean: Clean) -> Warehouse:
    """The warehouse before the run in question."""
    clean.victim.become(clean.base)
    return clean.victim


def _as_if_new(warehouse: Warehouse) -> None:
    """Empty, with the log of the run in question."""
    warehouse.empty(_SALT)
    warehouse.load(_AFTER)


def _is_late_row_counted(marts: Marts) -> bool:
    return any(str(key[0]) == _LATE for key in marts["fct_generations"])


def _points(statements: list[Statement], count: int, *, seed: int) -> list[int]:
    """Statements before which to kill a run: the first, and so many of those after which something was made permanent,
    spread over the run."""
    permanent = [each.number + 1 for each in statements if each.is_done and each.is_commit]
    permanent.append(max(each.number for each in statements))
    random, count = Random(seed), max(1, examples(count))
    edges = [round(place * len(permanent) / count) for place in range(count + 1)]
    return sorted({random.choice(permanent[a:b]) for a, b in zip(edges, edges[1:], strict=False) if a < b})


def _kill(warehouse: Warehouse, watch: Callable[[Statement], None], **options: object) -> None:
    assert Run(warehouse, watch, **options).wait() is None, "the run came to its end"


def test_a_run_killed_at_any_statement_and_repeated_equals_a_clean_run(clean: Clean, victim: Warehouse) -> None:
    for place, number in enumerate(_points(clean.statements, 3, seed=1)):
        victim.become(clean.base)
        _kill(victim, killed_before(number))
        # an hourly run, which leaves alone what has not changed, does as well
        victim.run(selector="hourly" if place % 2 == 0 else None)
        victim.run(select="tag:daily")
        _assert_equal(victim, clean.waiting, f"killed before statement {number}")


def test_a_first_run_killed_at_any_statement_and_repeated_equals_a_clean_run(clean: Clean, victim: Warehouse) -> None:
    for number in _points(clean.first_statements, 2, seed=2):
        _as_if_new(victim)
        _kill(victim, killed_before(number))
        victim.run()
        _assert_equal(victim, clean.healed, f"killed before statement {number}")


@pytest.mark.parametrize(
    ("options", "seed"),
    [
        pytest.param({"variables": {"backfill_from": str(_day(1))}}, 3, id="backfill"),
        pytest.param({"full_refresh": True}, 4, id="full_refresh", marks=pytest.mark.thorough),
        pytest.param({"variables": {"max_rebuilt_days": 90}}, 6, id="mending", marks=pytest.mark.mainly_on("postgres")),
    ],
)
def test_a_backfill_killed_at_any_statement_is_finished_by_an_ordinary_run(
    clean: Clean, victim: Warehouse, options: dict[str, object], seed: int
) -> None:
    """As soon as the fact has the row that came too late, every mart gets it; and until then none has it."""
    counted = []
    for number in _points(clean.statements, 2, seed=seed):
        victim.become(clean.base)
        _kill(victim, killed_before(number), **options)
        victim.run()
        marts = victim.marts()
        counted.append(_is_late_row_counted(marts))
        _assert_equal(victim, clean.healed if counted[-1] else clean.waiting, f"killed before statement {number}")
    assert counted == sorted(counted)
    assert counted[-1]


@pytest.mark.mainly_on("postgres")
def test_an_hourly_run_finishes_a_backfill_that_was_killed_between_the_issues_and_the_fact(
    clean: Clean, victim: Warehouse
) -> None:
    _kill(victim, killed_after_commit_of("generation_log_issues"), variables={"backfill_from": str(_day(1))})
    assert not _is_late_row_counted(victim.marts(["fct_generations"]))
    victim.run(selector="hourly")
    assert _is_late_row_counted(victim.marts(["fct_generations"]))
    victim.run(select="tag:daily")
    _assert_equal(victim, clean.healed, "killed between the issues and the fact")


def test_a_run_killed_while_a_statement_is_at_work_equals_a_clean_run(clean: Clean, victim: Warehouse) -> None:
    inserts = [
        each.number
        for each in clean.statements
        if not each.is_done and "insert into" in each.sql and each.model in ("fct_generations", "int_user_days")
    ]
    random = Random(5)
    for number in random.sample(inserts, min(examples(1), len(inserts))):
        victim.become(clean.base)
        _kill(victim, killed_while(number, random.choice([0.0, 0.0005, 0.002])))
        victim.run()
        _assert_equal(victim, clean.waiting, f"killed at statement {number}")


@pytest.mark.mainly_on("postgres")
def test_three_runs_killed_one_after_the_other_and_a_fourth_equal_a_clean_run(clean: Clean, victim: Warehouse) -> None:
    """Each gets to another model and sees another log."""
    for rows, model in ((_AFTER[:-8], "fct_generations"), (_AFTER, "generation_log_issues"), (_AFTER, "int_user_days")):
        victim.load(rows)
        _kill(victim, killed_after_commit_of(model))
    victim.run(selector="hourly")
    victim.run(select="tag:daily")
    _assert_equal(victim, clean.waiting, "killed three times")


def test_a_backend_that_goes_on_after_its_client_was_killed_doubles_nothing(clean: Clean, victim: Warehouse) -> None:
    if victim.engine != "postgres":
        pytest.skip("DuckDB works in the process that is killed")
    # A reader's lock holds the statement up that replaces the days.
    reader = victim.server.connect(victim.database)
    reader.autocommit = False
    reader.cursor().execute("lock table warehouse_marts.style_performance in share mode")
    run = Run(victim, lambda _: None)
    _until_a_backend_waits(victim)
    run.kill()
    opening = threading.Timer(1, reader.close)
    opening.start()
    victim.run()
    opening.join()
    _assert_equal(victim, clean.waiting, "a backend was left at work")


def _until_a_backend_waits(warehouse: Warehouse) -> None:
    for _ in range(600):
        if warehouse.query(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'relation'"
        ):
            warehouse.disconnect()
            return
        time.sleep(0.05)
    raise AssertionError("no run came as far as the lock")


def test_dbt_itself_killed_from_outside_and_run_again_equals_a_clean_run(clean: Clean, victim: Warehouse) -> None:
    """The command that people type, and no knowledge of where it is."""
    if victim.engine != "duckdb":
        pytest.skip("once is enough: it starts slowly")
    victim.disconnect()
    dbt = Path(sys.executable).parent / "dbt"
    environment = {"PATH": "/usr/bin:/bin", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", **victim.environment()}
    target = victim.folder / "target"
    shutil.copytree(victim.target_path, target)
    command = [str(dbt), "build", "--exclude-resource-types", "test", "--exclude-resource-types", "unit_test"]
    command += ["--vars", json.dumps(victim.variables)]
    paths = ["--profiles-dir", str(victim.profiles), "--target-path", str(target), "--log-path", str(target)]
    process = subprocess.Popen(
        command + paths, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ""
    for line in process.stdout:
        said += line
        if "fct_generations" in line:
            break
    process.kill()
    process.communicate()
    assert process.returncode == -9, said
    victim.run()
    _assert_equal(victim, clean.waiting, "dbt was killed")


@pytest.mark.mainly_on("postgres")
def test_days_that_a_killed_run_left_in_the_fact_reach_every_mart_though_the_log_has_lost_them(
    clean: Clean, victim: Warehouse
) -> None:
    # Undisturbed: the rows are built, and then the log of the tenth day alone.
    today = [*_rows_of(9, 2), *_rows_of(9, 1, hour=22)]
    for log in (_AFTER, today):
        victim.load(log)
        victim.run()
    undisturbed = victim.marts()
    # The same, but that the first run is killed as soon as the fact has its rows.
    victim.become(clean.base)
    _kill(victim, killed_after_commit_of("fct_generations"))
    victim.load(today)
    victim.run()
    _assert_equal(victim, undisturbed, "killed, and the log cut")


@pytest.mark.mainly_on("postgres")
def test_a_mart_that_failed_in_the_first_run_gets_the_days_that_the_log_has_lost_since(victim: Warehouse) -> None:
    retention = {"log_retention_days": 5}
    last = _rows_of(9, 2)
    _as_if_new(victim)
    victim.run(variables=retention)
    victim.load(last)
    victim.run(variables=retention)
    undisturbed = victim.marts()
    assert _days_of_the_fact(undisturbed) == {_day(number) for number in range(5, 10)}

    def fail(statement: Statement) -> None:
        if statement.model in ("style_performance", "int_user_days"):
            raise RuntimeError("the disk is full")

    _as_if_new(victim)
    with watched(fail):
        outcome = victim.attempt(variables=retention)
    assert not outcome.success
    assert outcome.statuses["style_performance"] == "error"
    # Nothing is trimmed before every mart has it.
    assert _days_of_the_fact(victim.marts(["fct_generations"])) == {_day(number) for number in range(10)}
    victim.load(last)
    victim.run(variables=retention)
    _assert_equal(victim, undisturbed, "two marts failed")


def _days_of_the_fact(marts: Marts) -> set[dt.date]:
    return {day for _, day in marts["fct_generations"]}


def test_postgres_restarted_in_the_middle_fails_the_run_and_the_next_equals_a_clean_run(
    clean: Clean, victim: Warehouse
) -> None:
    if victim.engine != "postgres":
        pytest.skip("DuckDB has no server")
    if not victim.server.restart:
        pytest.skip("an existing server is not ours to restart")
    clean.base.disconnect()
    for model in ("fct_generations", "hourly_costs"):
        victim.become(clean.base)
        is_restarted = False

        def restart(statement: Statement, model: str = model) -> None:
            nonlocal is_restarted
            if not is_restarted and statement.model == model and "delete from" in statement.sql:
                is_restarted = True
                victim.server.restart()

        with watched(restart):
            outcome = victim.attempt()
        assert is_restarted
        assert not outcome.success
        assert outcome.statuses[model] == "error"
        victim.run()
        _assert_equal(victim, clean.waiting, f"restarted during {model}")


# Two runs at once.


def _replaces(model: str) -> Callable[[Statement], bool]:
    return lambda each: each.is_done and each.model == model and "delete from" in each.sql


@pytest.mark.parametrize("model", ["fct_generations", pytest.param("hourly_engagement", marks=pytest.mark.thorough)])
def test_of_two_runs_at_once_one_gives_up_with_a_clear_message_and_nothing_is_doubled(
    clean: Clean, victim: Warehouse, model: str
) -> None:
    gate = Gate(victim.folder, _replaces(model))
    first = Run(victim, gate)
    gate.wait()
    second = victim.attempt(variables={"wait_for_other_run_seconds": 5})
    gate.open()
    assert not second.success
    if victim.engine == "postgres":
        assert "Another run" in second.text
    else:
        assert "Could not set lock on file" in second.text
    outcome = first.wait()
    assert outcome.success, outcome.text
    _assert_equal(victim, clean.waiting, "another run gave up")
    victim.run()
    _assert_equal(victim, clean.waiting, "and came again")


def test_of_two_runs_at_once_one_waits_for_the_other_and_nothing_is_doubled(clean: Clean, victim: Warehouse) -> None:
    if victim.engine != "postgres":
        pytest.skip("a DuckDB file is refused at once")
    gate = Gate(victim.folder, _replaces("generation_log_issues"))
    first = Run(victim, gate)
    gate.wait()
    second = Run(victim, lambda _: None, variables={"backfill_from": str(_day(1))})
    time.sleep(4)
    gate.open()
    for outcome in (first.wait(), second.wait()):
        assert outcome.success, outcome.text
    _assert_equal(victim, clean.healed, "one waited")


@pytest.mark.parametrize("is_first", [True, False], ids=["first_runs", "later_runs"])
def test_two_runs_started_together_give_what_one_gives(clean: Clean, victim: Warehouse, is_first: bool) -> None:
    if victim.engine != "postgres":
        pytest.skip("a DuckDB file is refused at once")
    if is_first:
        _as_if_new(victim)
    outcomes = [run.wait() for run in [Run(victim, lambda _: None) for _ in range(2)]]
    assert any(outcome.success for outcome in outcomes)
    for outcome in outcomes:
        assert outcome.success or "Another run" in outcome.text, outcome.text
    _assert_equal(victim, clean.healed if is_first else clean.waiting, "two runs at once")


@pytest.mark.parametrize("model", ["response_times", pytest.param("user_retention", marks=pytest.mark.thorough)])
def test_a_run_that_was_taken_for_dead_stops_before_it_touches_anything(
    clean: Clean, victim: Warehouse, model: str
) -> None:
    """A laptop that slept between two models wakes up after another run has done the work."""
    if victim.engine != "postgres":
        pytest.skip("a DuckDB file stays locked")
    gate = Gate(victim.folder, lambda each: each.model == model and not each.is_done)
    first = Run(victim, gate)
    gate.wait()
    victim.run(variables={"backfill_from": str(_day(1))})
    gate.open()
    outcome = first.wait()
    # a mart that has nothing left to replace is left alone, a table that is made anew is not
    assert not outcome.success or model == "response_times"
    assert outcome.success or "Another run" in outcome.text
    _assert_equal(victim, clean.healed, "a run woke up")


def _assert_equal(warehouse: Warehouse, expected: Marts, told: str) -> None:
    __tracebackhide__ = True
    try:
        assert_equal_marts(warehouse.marts(), expected)
    except AssertionError as error:
        raise AssertionError(f"{told} on {warehouse.engine}:\n{error}") from None
