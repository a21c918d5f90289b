"""Wishes go on past midnight, and past the days that a run rebuilds: each run counts them where they began."""

import datetime as dt

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row, user
from oracle import assert_as_defined
from warehouses import Row, Warehouse

pytestmark = pytest.mark.mainly_on("postgres")

_MONDAY = dt.datetime(2026, 3, 2)
_DAY = dt.timedelta(days=1)


def _failed(number: int, at: dt.datetime, person: int = 1, style: str = "anime") -> Row:
    return failed_row(number, "Request timed out.", user_id=user(person), created_at=str(at), style=style)


def _good(number: int, at: dt.datetime, person: int = 1, style: str = "anime") -> Row:
    return sound_row(number, user_id=user(person), created_at=str(at), style=style)


def _outcomes(warehouse: Warehouse) -> dict[tuple[dt.date, str], tuple[int, ...]]:
    """By day and style: wishes, at the first try, fulfilled, given up, attempts."""
    names = ("wish_count", "first_try_count", "fulfilled_count", "given_up_count", "attempt_count")
    return {
        (row["activity_date"], row["style"]): tuple(row[name] for name in names)
        for row in warehouse.mart("wish_outcomes")
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wish_that_goes_on_past_midnight_is_settled_on_the_day_on_which_it_began(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    warehouse = new_warehouse(engine)
    midnight = _MONDAY + 5 * _DAY
    last_day = (midnight - _DAY).date()
    log = [
        *(_good(number, _MONDAY + number * _DAY, 9, "noir") for number in range(5)),
        _failed(10, midnight - dt.timedelta(minutes=10)),
        _failed(11, midnight - dt.timedelta(minutes=5), 2, "noir"),
    ]
    # both may still go on
    warehouse.load(log)
    warehouse.run()
    assert _outcomes(warehouse)[last_day, "anime"] == (1, 0, 0, 0, 1)
    assert _outcomes(warehouse)[last_day, "noir"] == (2, 1, 1, 0, 2)
    # only the new day is rebuilt elsewhere
    log += [_good(12, midnight + dt.timedelta(minutes=20), style="noir")]
    warehouse.load(log)
    warehouse.run(selector="hourly")
    assert _outcomes(warehouse)[last_day, "anime"] == (1, 0, 1, 0, 2)
    assert (midnight.date(), "noir") not in _outcomes(warehouse)
    assert _outcomes(warehouse)[last_day, "noir"] == (2, 1, 1, 0, 2)
    log += [_good(13, midnight + dt.timedelta(minutes=26), 3, "noir")]
    warehouse.load(log)
    warehouse.run(selector="hourly")
    assert _outcomes(warehouse)[last_day, "noir"] == (2, 1, 1, 1, 2)
    warehouse.run(select="tag:daily")
    assert_as_defined(warehouse, log)
    # the row that settled the wish is gone again
    log = [row for row in log if row["created_at"] != str(midnight + dt.timedelta(minutes=20))]
    warehouse.load(log)
    warehouse.run(selector="hourly")
    assert _outcomes(warehouse)[last_day, "anime"] == (1, 0, 0, 1, 1)
    warehouse.run(select="tag:daily")
    assert_as_defined(warehouse, log)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "hours", [pytest.param(30, id="over a day", marks=pytest.mark.thorough), pytest.param(250, id="over a week")]
)
def test_a_wish_that_is_tried_for_days_is_one_wish(engine: str, hours: int, new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse(engine)
    end = _MONDAY + 14 * _DAY + dt.timedelta(minutes=5)
    tries = [_failed(100 + number, end - number * dt.timedelta(minutes=29)) for number in range(1, hours * 60 // 29)]
    others = [_good(number, _MONDAY + number * _DAY, 9) for number in range(15)]
    warehouse.load([*others, *tries])
    warehouse.run()
    log = [*others, *tries, _good(99, end), _good(98, end + dt.timedelta(hours=2), 9)]
    warehouse.load(log)
    warehouse.run(selector="hourly")
    assert sum(row["fulfilled_count"] for row in warehouse.mart("wish_outcomes")) == 17
    assert max(row["attempt_count"] for row in warehouse.mart("wish_outcomes")) == len(tries) + 2
    warehouse.run(select="tag:daily")
    assert_as_defined(warehouse, log)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_goes_on_with_a_wish_of_a_day_that_was_trimmed_begins_no_other(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.variables = {"log_retention_days": 5}
    first_kept = _MONDAY + 3 * _DAY
    log = [
        *(_good(number, _MONDAY + number * _DAY, 9, "noir") for number in range(8)),
        _failed(13, first_kept - _DAY - dt.timedelta(minutes=10)),
        _good(14, first_kept - _DAY + dt.timedelta(minutes=10)),
        _failed(10, first_kept - dt.timedelta(minutes=10)),
        _good(11, first_kept + dt.timedelta(minutes=10)),
        _good(12, first_kept + dt.timedelta(minutes=15)),
    ]
    warehouse.load(log)
    warehouse.run()
    before = _outcomes(warehouse)
    assert before[(first_kept - _DAY).date(), "anime"] == (1, 0, 1, 0, 2)
    assert before[first_kept.date(), "anime"] == (1, 1, 1, 0, 1)
    for trimmed in ("fct_generations", "int_continued_wishes"):
        assert min(row["activity_date"] for row in warehouse.mart(trimmed)) == first_kept.date()
    # its first day is made again, for another generation
    warehouse.load([row | {"difficulty": 1} if row["created_at"] == str(first_kept) else row for row in log])
    warehouse.run()
    assert {row["difficulty"] for row in warehouse.mart("fct_generations")} == {1, 3}
    assert _outcomes(warehouse) == before
