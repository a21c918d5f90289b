"""The questions of docs/questions.md: as the analyses ask them, with the same answers on both engines, and right."""

import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from factory import NewWarehouse
from logs import simulated_rows
from oracle import Generation, Oracle
from project import ROOT
from tools.questions import PAGE, page
from warehouses import Warehouse

_DAY = dt.timedelta(days=1)
_HALF_AN_HOUR = dt.timedelta(minutes=30)
# A log without the columns scene and timings has no answer, and one of a hundred rows a day no incident.
_MAY_BE_EMPTY = {"scenes_by_success_rate", "slow_steps", "mean_time_to_resolve_by_rule", "incident_minutes_by_month"}
_QUESTION = re.compile(r"^### ([^\n]+\?)\n\n([^`]*?)\n*`(\w+)`\n\n```sql\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
QUESTIONS = {name: sql for _, _, name, sql in _QUESTION.findall(PAGE.read_text())}
Built = dict[str, Warehouse]


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return simulated_rows(6_000, 60, seed=21, dirt=0.03, incidents=2)


@pytest.fixture(scope="module")
def built(module_warehouse: NewWarehouse, rows: list[dict]) -> Built:
    """The same log on both engines."""
    warehouses = {}
    for engine in ("duckdb", "postgres"):
        warehouses[engine] = module_warehouse(engine)
        warehouses[engine].salt = "ab" * 32
        warehouses[engine].load(rows)
        warehouses[engine].run()
        warehouses[engine].run(selector="alerts")
    return warehouses


@pytest.fixture(scope="module")
def oracle(built: Built, rows: list[dict]) -> Oracle:
    warehouse = built["duckdb"]
    salt = warehouse.salt
    return Oracle(rows, lambda user_id: warehouse.user_key(user_id, salt), fact=warehouse.mart("fct_generations"))


def test_the_page_holds_the_analyses_as_they_are(built: Built) -> None:
    warehouse = built["duckdb"]
    warehouse.attempt("compile", select="path:analyses")
    compiled = Path(warehouse.target_path) / "compiled" / "generation_warehouse" / "analyses"
    assert PAGE.read_text() == page(compiled), "docs/questions.md is older than analyses/: run `make questions`"
    assert set(QUESTIONS) == {path.stem for path in (ROOT / "analyses").glob("*.sql")}
    assert len(QUESTIONS) >= 30


def test_a_question_names_its_trap() -> None:
    told = {
        path.stem: " ".join(path.read_text().replace("\n-- ", " ").split()) for path in (ROOT / "analyses").iterdir()
    }
    assert [name for name, text in told.items() if not re.match(r"-- [^?]{10,110}\? .{20,}", text)] == []
    assert [name for name, text in told.items() if "Trap: " not in text] == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_can_be_pasted_and_has_one_answer_on_both_engines(built: Built, name: str) -> None:
    left, right = (warehouse.query(QUESTIONS[name]) for warehouse in built.values())
    assert len(left) == len(right)
    assert left or name in _MAY_BE_EMPTY
    for one, other in zip(left, right, strict=True):
        assert len(one) == len(other)
        for value, expected in zip(one, other, strict=True):
            if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                assert float(value) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
            else:
                assert value == expected


def _days(oracle: Oracle, count: int) -> list[Generation]:
    """The generations of so many whole days."""
    last = oracle.as_of.date() - _DAY
    return [row for row in oracle.generations if last - (count - 1) * _DAY <= row.activity_date <= last]


def test_the_four_numbers_are_those_of_the_log(built: Built, oracle: Oracle) -> None:
    rows = _days(oracle, 28)
    costs = [row.total_cost_usd for row in rows if row.total_cost_usd is not None]
    last = oracle.as_of.date() - _DAY
    cohorts = defaultdict(list)
    for user, first in oracle.first_at.items():
        cohorts[first.date() - first.weekday() * _DAY].append(user)
    sure = {
        monday: users
        for monday, users in cohorts.items()
        if monday >= oracle.unknown_before + 28 * _DAY and last - 27 * _DAY <= monday + 13 * _DAY <= last
    }
    back = [
        any(monday + 7 * _DAY <= day < monday + 14 * _DAY for day in oracle.days_of[user])
        for monday, users in sure.items()
        for user in users
    ]
    ((per_hour, success_rate, cost, retention),) = built["duckdb"].query(QUESTIONS["the_four_numbers"])
    assert per_hour == pytest.approx(len(rows) / (28 * 24))
    assert success_rate == pytest.approx(sum(row.is_success for row in rows) / len(rows))
    assert cost == pytest.approx(float(sum(costs)) / len(costs))
    assert 0 < len(costs) < len(rows)
    assert len(sure) >= 2
    assert retention == pytest.approx(sum(back) / len(back))


def test_users_by_style_are_each_counted_once(built: Built, oracle: Oracle) -> None:
    users = defaultdict(set)
    for row in _days(oracle, 30):
        users[row.style] |= {row.user_key} - {None}
    found = {style: count for style, count, _ in built["duckdb"].query(QUESTIONS["users_by_style_30_days"])}
    assert found == {style: len(those) for style, those in users.items()}


def test_active_users_of_a_calendar_month_are_each_counted_once(built: Built, oracle: Oracle) -> None:
    users = defaultdict(set)
    for row in oracle.generations:
        users[row.activity_date.replace(day=1)] |= {row.user_key} - {None}
    found = built["duckdb"].query(QUESTIONS["active_users_by_calendar_month"])
    assert {month: count for month, count, _ in found} == {month: len(those) for month, those in users.items()}
    held = oracle.unknown_before + _DAY, oracle.as_of.date() - _DAY
    for month, _, is_complete in found:
        last = (month + 31 * _DAY).replace(day=1) - _DAY
        assert is_complete == (held[0] <= month and last <= held[1])


def test_retries_are_told_by_user_and_time(built: Built, oracle: Oracle) -> None:
    found = {row[0]: row[1:] for row in built["duckdb"].query(QUESTIONS["do_retries_help"])}
    failures, retried, helped = defaultdict(int), defaultdict(int), defaultdict(int)
    for rows in oracle.by_user.values():
        ordered = sorted(rows, key=lambda row: (row.created_at, row.generation_id.int))
        for row, following in zip(ordered, [*ordered[1:], None], strict=True):
            if not row.is_success:
                failures[row.error_category] += 1
                if following and following.created_at - row.created_at <= _HALF_AN_HOUR:
                    retried[row.error_category] += 1
                    helped[row.error_category] += following.is_success
    assert {name: numbers[:2] for name, numbers in found.items()} == {
        name: (count, retried[name]) for name, count in failures.items()
    }
    for name, (_, _, rate) in found.items():
        assert rate == (pytest.approx(helped[name] / retried[name]) if retried[name] else None)
    assert sum(retried.values()) > 20


def test_average_tokens_are_over_those_that_are_known(built: Built, oracle: Oracle) -> None:
    groups = defaultdict(list)
    for row in _days(oracle, 28):
        groups[row.style].append(row)
    for style, count, into, out_of in built["duckdb"].query(QUESTIONS["tokens_per_generation_by_style"]):
        assert count == len(groups[style])
        for value, name in ((into, "input_tokens"), (out_of, "output_tokens")):
            known = [getattr(row, name) for row in groups[style] if getattr(row, name) is not None]
            assert value == (pytest.approx(sum(known) / len(known)) if known else None)


def test_what_the_numbers_leave_out_adds_up_to_the_log(built: Built, rows: list[dict]) -> None:
    found = built["duckdb"].query(QUESTIONS["what_the_numbers_leave_out"])
    assert sum(count for disposition, issue, count in found if disposition != "counted" or issue == "all") == len(rows)
