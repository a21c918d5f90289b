"""What a run after the first does: nothing twice, nothing lost, and never another number than a build from scratch."""

import datetime as dt
from dataclasses import dataclass, field

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, identifier, sound_row, user
from project import OPTIONAL_MARTS, TIME_COLUMNS
from warehouses import Marts, Row, Warehouse, assert_equal_marts

pytestmark = pytest.mark.mainly_on("postgres")

_FIRST_DAY = dt.date(2026, 3, 2)
_SALT = "one salt for both warehouses"


def _day(number: int) -> dt.date:
    return _FIRST_DAY + dt.timedelta(days=number)


def _rows_of(day: int, *users: int, part: int = 0) -> list[Row]:
    """A success and a failure of each user on a day, counted from the first."""
    rows = []
    for place, person in enumerate(users):
        number = day * 100 + part * 20 + place * 2
        at = f"{_day(day)} {8 + 2 * part:02}:{place:02}:00"
        rows.append(sound_row(number, user_id=user(person), created_at=at, style=("anime", "pop_art")[person % 2]))
        rows.append(
            failed_row(number + 1, "Request timed out.", user_id=user(person), created_at=at.replace(":00", ":30"))
        )
    return rows


@dataclass
class History:
    """One warehouse through its runs: its marts after each, beside those of a build from scratch of the same log."""

    after: dict[str, Marts] = field(default_factory=dict)
    from_scratch: dict[str, Marts] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    log_rows: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module", params=ENGINES)
def history(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> History:
    """Ten days; the same again; late rows; a month's gap; a row later than the lookback; a backfill; expiry."""
    warehouse, scratch = (module_warehouse(request.param) for _ in range(2))
    warehouse.salt = _SALT
    told = History()

    def run(
        step: str, rows: list[Row], *, compare: bool = False, selector: str | None = None, **variables: object
    ) -> None:
        warehouse.load(rows)
        told.log_rows[step] = len(rows)
        told.said[step] = warehouse.run(selector=selector, variables=variables).text
        told.after[step] = warehouse.marts()
        if compare:
            _empty(scratch)
            scratch.load(rows)
            scratch.run()
            told.from_scratch[step] = scratch.marts()

    rows = [row for day in range(10) for row in _rows_of(day, day % 3, 3 + day % 4)]
    run("the first run", rows)
    run("the same again", rows)

    # Late ones of the last three days: of old users, of a new one, of one whose first day becomes an earlier one, and a
    # newer version of a generation that is counted already.
    rows = [
        *rows,
        *_rows_of(7, 0, 20, part=1),
        *_rows_of(8, 9, part=1),
        *_rows_of(9, 9, part=1),
        sound_row(902, id=identifier(900), created_at=f"{_day(9)} 23:00:00", costs='{"total":2.5}'),
        sound_row(903, user_id=None, created_at=f"{_day(7)} 00:00:00"),
        sound_row(904, created_at=None),
        *_rows_of(10, 1, 5),
    ]
    run("late rows", rows, compare=True)

    rows = [*rows, *_rows_of(40, 1, 30)]
    run("a month later", rows, compare=True)

    rows = [*rows, *_rows_of(30, 40, part=1)]
    run("a row too late", rows, selector="hourly")
    run("a backfill", rows, compare=True, backfill_from=str(_day(30)), max_rebuilt_days=0)

    refused = warehouse.attempt(variables={"as_of": f"{_day(20)} 12:00:00"})
    told.said["a clock turned back"] = "" if refused.success else refused.text
    told.after["a clock turned back"] = warehouse.marts()

    # The log keeps twenty days, the warehouse as many.
    rows = [row for row in rows if row["created_at"] and row["created_at"] >= str(_day(21))] + _rows_of(41, 1, 31)
    run("expiry", rows, log_retention_days=20)
    return told


def _empty(warehouse: Warehouse) -> None:
    """Begin anew with the same salt."""
    warehouse.close()
    if warehouse.engine == "postgres":
        warehouse.server.create_database(warehouse.database)
    warehouse.salt = _SALT


def test_a_second_run_of_the_same_log_changes_nothing(history: History) -> None:
    assert_equal_marts(history.after["the same again"], history.after["the first run"])


def test_late_rows_within_the_lookback_give_what_a_build_from_scratch_gives(history: History) -> None:
    assert_equal_marts(history.after["late rows"], history.from_scratch["late rows"])
    assert len(history.after["late rows"]["fct_generations"]) > len(history.after["the first run"]["fct_generations"])


def test_a_gap_of_a_month_catches_up_by_itself(history: History) -> None:
    assert_equal_marts(history.after["a month later"], history.from_scratch["a month later"])
    assert len(history.after["a month later"]["daily_engagement"]) == 41


def test_a_row_later_than_the_lookback_waits_and_a_backfill_brings_it_in(history: History) -> None:
    waiting = {key for key in history.after["a row too late"]["fct_generations"] if key[1] == _day(30)}
    assert not waiting
    assert_equal_marts(history.after["a backfill"], history.from_scratch["a backfill"])
    healed = {key for key in history.after["a backfill"]["fct_generations"] if key[1] == _day(30)}
    assert len(healed) == 2


def test_a_clock_before_what_is_built_is_refused_and_changes_nothing(history: History) -> None:
    said = history.said["a clock turned back"]
    assert f"as_of is {_day(20)} 12:00:00" in said
    assert "already built up to" in said
    assert_equal_marts(history.after["a clock turned back"], history.after["a backfill"])


def test_every_row_of_the_log_is_counted_set_aside_or_repeated_after_each_run(history: History) -> None:
    for step in ("the first run", "the same again", "late rows", "a month later", "a backfill"):
        marts = history.after[step]
        issues = marts["generation_log_issues"].values()
        others = sum(row["row_count"] for row in issues if row["disposition"] != "counted")
        assert len(marts["fct_generations"]) + others == history.log_rows[step], step


def test_single_generations_expire_by_whole_days_and_the_aggregates_stay(history: History) -> None:
    before, after = history.after["a backfill"], history.after["expiry"]
    assert {key[1] for key in after["fct_generations"]} == {_day(30), _day(40), _day(41)}
    assert not [key for key in after["generation_log_issues"] if key[0] and key[0] < _day(22)]
    last_whole = _day(37)
    for name, time_column in TIME_COLUMNS.items():
        if name in ("fct_generations", "generation_log_issues", *OPTIONAL_MARTS):
            continue

        def old(marts: Marts, name: str = name, time_column: str = time_column) -> dict:
            return {key: row for key, row in marts[name].items() if _date(row[time_column]) < last_whole}

        assert old(before), name
        assert_equal_marts({name: old(after)}, {name: old(before)})


def test_who_came_first_survives_the_expiry_of_the_log(history: History) -> None:
    before, after = history.after["a backfill"], history.after["expiry"]
    assert before["dim_users"].keys() < after["dim_users"].keys()
    for key, row in before["dim_users"].items():
        assert after["dim_users"][key]["first_generation_at"] == row["first_generation_at"]

    def sizes(marts: Marts) -> dict[tuple, int]:
        return {key: row["cohort_size"] for key, row in marts["user_retention"].items() if key[0] == "day"}

    assert sizes(before).items() <= sizes(after).items()


def _date(time: dt.date | dt.datetime) -> dt.date:
    return time.date() if isinstance(time, dt.datetime) else time


@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_cut_inside_a_day_does_not_cut_what_is_built(new_warehouse: NewWarehouse, engine: str) -> None:
    rows = [row for day in range(5) for part in (0, 1) for row in _rows_of(day, 1, 2, part=part)]
    warehouse = new_warehouse(engine)
    warehouse.load(rows)
    warehouse.run()
    before = warehouse.marts()
    cut = f"{_day(3)} 09:00:00"
    warehouse.load([row for row in rows if row["created_at"] > cut])
    warehouse.run()
    assert_equal_marts(warehouse.marts(), before)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_that_has_lost_all_its_rows_replaces_nothing(new_warehouse: NewWarehouse, engine: str) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load(_rows_of(0, 1, 2) + _rows_of(1, 1))
    warehouse.run()
    before = warehouse.marts()
    warehouse.load([])
    warehouse.run(tests=True)
    after = warehouse.marts()
    assert_equal_marts(after, before)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_refresh_from_a_log_without_its_newest_days_is_refused(new_warehouse: NewWarehouse, engine: str) -> None:
    rows = [row for day in range(6) for row in _rows_of(day, 1, 2)]
    warehouse = new_warehouse(engine)
    warehouse.load(rows)
    warehouse.run()
    before = warehouse.marts()
    warehouse.load([row for row in rows if row["created_at"] < str(_day(4))])
    refused = warehouse.attempt(full_refresh=True)
    assert not refused.success
    assert f"fct_generations: 2 days, {_day(4)} to {_day(5)}" in refused.text
    assert_equal_marts(warehouse.marts(), before)
    warehouse.run(full_refresh=True, variables={"lose_history": True})
    assert {key[1] for key in warehouse.marts()["fct_generations"]} == {_day(day) for day in range(4)}


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_the_future_are_no_history_that_a_full_refresh_would_lose(
    new_warehouse: NewWarehouse, engine: str
) -> None:
    """Every run takes them from the present log; also where that has no other row, and where they are gone from it."""
    warehouse = new_warehouse(engine)
    future = sound_row(1, created_at="2099-01-01 00:00:00")
    warehouse.load([future, sound_row(2, created_at=None)])
    of_the_future = {"max_set_aside_share": 1}
    warehouse.run(select="+fct_generations", variables=of_the_future)
    warehouse.load([future | {"created_at": "2098-01-01 00:00:00"}])
    warehouse.run(select="+fct_generations", full_refresh=True, variables=of_the_future)
    assert [row["activity_date"] for row in warehouse.mart("generation_log_issues")] == [dt.date(2098, 1, 1)]
    # what was counted is history
    warehouse.load([future, *_rows_of(0, 1, 2)])
    warehouse.run(select="+fct_generations")
    warehouse.load([future])
    refused = warehouse.attempt(select="+fct_generations", full_refresh=True, variables=of_the_future)
    assert f"fct_generations: 1 days, {_day(0)} to {_day(0)}" in refused.text
    assert "generation_log_issues" not in refused.text.split("No table was touched")[0]
