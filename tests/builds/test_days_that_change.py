"""What the log says of days that are built already: rows that come late or go, days missing for one run, wrong clocks.
Daily runs follow the log as far back as the fact reaches; nothing stops, and nothing goes unsaid."""

import datetime as dt

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row, user
from warehouses import SCHEMA, Row, Warehouse, assert_equal_marts

pytestmark = pytest.mark.mainly_on("postgres")

_FIRST = dt.date(2026, 3, 2)
_SALT = "one salt for all warehouses"
_CHECK = "every_log_row_is_counted_set_aside_or_repeated"


def _day(number: int) -> dt.date:
    return _FIRST + dt.timedelta(days=number)


def _rows_of(day: int, count: int = 30, *, hour: int = 8) -> list[Row]:
    rows = []
    for place in range(count):
        at = f"{_day(day)} {hour + place // 60:02}:{place % 60:02}:00"
        options = {"user_id": user(place % 5), "created_at": at}
        number = day * 10_000 + hour * 100 + place
        rows.append(
            failed_row(number, "Request timed out.", **options) if place % 10 == 9 else sound_row(number, **options)
        )
    return rows


_LOG = [row for day in range(12) for row in _rows_of(day)]


def _without(day: int, keep: int = 0) -> list[Row]:
    """The log without a day, or with its first rows alone."""
    of_day = [row for row in _LOG if row["created_at"].startswith(str(_day(day)))]
    return [row for row in _LOG if row not in of_day[keep:]]


def _counts(warehouse: Warehouse) -> dict[dt.date, int]:
    found: dict[dt.date, int] = {}
    for row in warehouse.mart("fct_generations"):
        found[row["activity_date"]] = found.get(row["activity_date"], 0) + 1
    return found


def _assert_a_full_build(
    warehouse: Warehouse, rows: list[Row], new_warehouse: NewWarehouse, **variables: object
) -> None:
    scratch = new_warehouse(warehouse.engine)
    scratch.salt = _SALT
    scratch.load(rows)
    scratch.run(variables=variables)
    assert_equal_marts(warehouse.marts(), scratch.marts())


@pytest.fixture(scope="module", params=ENGINES)
def built(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Warehouse:
    """Twelve days."""
    warehouse = module_warehouse(request.param)
    warehouse.salt = _SALT
    warehouse.load(_LOG)
    warehouse.run()
    return warehouse


@pytest.fixture
def twelve_days(built: Warehouse, new_warehouse: NewWarehouse) -> Warehouse:
    """A copy of it."""
    warehouse = new_warehouse(built.engine)
    warehouse.become(built)
    return warehouse


def test_rows_of_any_day_that_come_late_or_change_are_counted_by_the_next_daily_run(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    rows = [*_LOG, *_rows_of(2, 3, hour=20)]
    rows[40] = rows[40] | {"style": "sketch"}
    twelve_days.load(rows)
    said = twelve_days.run(selector="daily", tests=True)
    assert f"Older days have changed in the log and were rebuilt: {_day(2)} (30 rows, now 33)." in said.said
    assert f"rebuilt the days from {_day(1)} on" in said.said
    assert said.statuses[_CHECK] == "pass"
    _assert_a_full_build(twelve_days, rows, new_warehouse)


def test_a_daily_run_that_finds_nothing_changed_rebuilds_the_lookback_alone(twelve_days: Warehouse) -> None:
    said = twelve_days.run(selector="daily").said
    assert f"rebuilt the days from {_day(8)} on" in said
    assert "Older days" not in said


def test_deletions_are_followed_by_the_next_daily_run_and_nothing_waits_for_the_check(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    """One user of five asks to be forgotten: a fifth of each day, not more."""
    rows = [row for row in _LOG if row["user_id"] != user(3)]
    twelve_days.load(rows)
    hourly = twelve_days.run(selector="hourly", tests=True)
    assert set(hourly.statuses.values()) <= {"success", "pass", "warn"}
    daily = twelve_days.run(selector="daily", tests=True)
    assert set(daily.statuses.values()) <= {"success", "pass"}
    _assert_a_full_build(twelve_days, rows, new_warehouse)


def test_a_day_that_lost_no_more_than_twenty_rows_follows_at_once_however_large_a_share_that_is(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    less = _without(6, 10)
    twelve_days.load(less)
    twelve_days.run(selector="daily")
    _assert_a_full_build(twelve_days, less, new_warehouse)


def test_the_check_of_counts_warns_names_the_days_and_lets_every_model_be_built(twelve_days: Warehouse) -> None:
    twelve_days.load([*_LOG, *_rows_of(2, 3, hour=20)])
    outcome = twelve_days.run(selector="daily", tests=True, variables={"max_rebuilt_days": 0})
    assert outcome.statuses.pop(_CHECK) == "warn"
    assert set(outcome.statuses.values()) <= {"success", "pass"}
    strict = twelve_days.attempt(selector="daily", tests=True, variables={"max_rebuilt_days": 0, "strict": True})
    assert strict.statuses.pop(_CHECK) == "fail"
    assert set(strict.statuses.values()) <= {"success", "pass"}


@pytest.mark.parametrize(
    ("keep", "day"),
    [
        pytest.param(0, 10, id="a file is missing"),
        pytest.param(4, 6, id="most rows are gone", marks=pytest.mark.thorough),
    ],
)
def test_a_day_that_lost_most_of_its_rows_is_kept_and_warned_of_until_a_second_daily_run_sees_the_same(
    twelve_days: Warehouse, new_warehouse: NewWarehouse, keep: int, day: int
) -> None:
    before = twelve_days.marts()
    less = _without(day, keep)
    twelve_days.load(less)
    for options in [{"selector": "hourly"}, {"selector": "daily"}]:
        outcome = twelve_days.run(tests=True, **options)
        if day == 10 or options["selector"] == "daily":
            assert outcome.statuses["no_day_is_kept_that_the_log_has_lost"] == "warn"
            assert f"{_day(day)} (30 rows, now {keep})" in outcome.said
            assert f"backfill_from: {_day(day)}" in outcome.said
        assert set(outcome.statuses.values()) <= {"success", "pass", "warn"}
        assert_equal_marts(before, twelve_days.marts())
    # hourly runs do not confirm it
    twelve_days.run(selector="hourly")
    assert_equal_marts(before, twelve_days.marts())
    outcome = twelve_days.run(selector="daily", tests=True)
    assert "warn" not in outcome.statuses.values()
    _assert_a_full_build(twelve_days, less, new_warehouse)


def test_a_day_that_is_back_after_one_run_was_never_lost(twelve_days: Warehouse) -> None:
    before = twelve_days.marts()
    twelve_days.load(_without(10))
    twelve_days.run(selector="daily")
    twelve_days.load(_LOG)
    twelve_days.run(selector="daily")
    # lost again: that counts from the beginning
    twelve_days.load(_without(10, 1))
    twelve_days.run(selector="daily")
    assert_equal_marts(before, twelve_days.marts())


def test_the_newest_day_missing_leaves_the_clock_where_it_was(twelve_days: Warehouse) -> None:
    before = twelve_days.marts()
    twelve_days.load(_without(11))
    for selector in ("hourly", "daily"):
        twelve_days.run(selector=selector)
        assert_equal_marts(before, twelve_days.marts())


def test_a_backfill_replaces_a_day_that_lost_its_rows_at_once(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    less = _without(6, 4)
    twelve_days.load(less)
    twelve_days.run(variables={"backfill_from": str(_day(6))})
    _assert_a_full_build(twelve_days, less, new_warehouse)


def test_days_around_one_that_is_kept_are_rebuilt(twelve_days: Warehouse, new_warehouse: NewWarehouse) -> None:
    rows = [*_without(10), *_rows_of(9, 3, hour=20), *_rows_of(11, 3, hour=20)]
    twelve_days.load(rows)
    twelve_days.run(selector="hourly")
    twelve_days.run(select="tag:daily")
    assert [_counts(twelve_days)[_day(number)] for number in (9, 10, 11)] == [33, 30, 33]
    _assert_a_full_build(twelve_days, [*rows, *_rows_of(10)], new_warehouse)


def test_days_come_back_when_the_retention_is_raised_again(twelve_days: Warehouse, new_warehouse: NewWarehouse) -> None:
    said = twelve_days.run(variables={"log_retention_days": 5}).said
    assert f"Trimmed 210 generations of the days before {_day(7)}" in said
    assert sorted(_counts(twelve_days)) == [_day(number) for number in range(7, 12)]
    twelve_days.run(selector="hourly")
    assert len(_counts(twelve_days)) == 5
    outcome = twelve_days.run(selector="daily", tests=True, variables={"strict": True})
    assert set(outcome.statuses.values()) <= {"success", "pass"}
    _assert_a_full_build(twelve_days, _LOG, new_warehouse)


def test_days_that_a_raised_retention_admits_and_no_run_compares_are_named_until_a_backfill_brings_them(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    twelve_days.run(variables={"log_retention_days": 5})
    outcome = twelve_days.run(selector="daily", tests=True, variables={"max_rebuilt_days": 3, "strict": True})
    assert outcome.statuses[_CHECK] == "pass"
    assert f"admits again: 7 from {_day(0)} on." in outcome.said
    # a day of which the log has the end alone is not admitted; what the warehouse holds is compared
    twelve_days.load([*(row for row in _LOG if row["created_at"] > f"{_day(1)} 08:10"), *_rows_of(7, 3, hour=20)])
    outcome = twelve_days.run(selector="daily", tests=True, variables={"max_rebuilt_days": 3})
    assert outcome.statuses[_CHECK] == "warn"
    assert f"admits again: 5 from {_day(2)} on." in outcome.said
    twelve_days.load(_LOG)
    said = twelve_days.run(variables={"backfill_from": str(_day(0)), "max_rebuilt_days": 3}).said
    assert "admits again" not in said
    _assert_a_full_build(twelve_days, _LOG, new_warehouse)


def test_a_row_whose_wrong_date_is_corrected_to_an_old_day_is_counted_there_by_the_next_daily_run(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    """The future, no time, no date of the calendar; to days before the lookback, and before the log's first day."""
    wrong = ("2099-01-01 00:00:00", None, "2026-02-30 00:00:00")
    twelve_days.load([*_LOG, *(sound_row(99_000 + place, created_at=at) for place, at in enumerate(wrong))])
    twelve_days.run(selector="daily")
    assert len(twelve_days.mart("generation_log_issues")) == 3
    right = [sound_row(99_000 + place, created_at=f"{_day(day)} 10:00:00") for place, day in enumerate((1, 3, -5))]
    twelve_days.load([*_LOG, *right])
    twelve_days.run(selector="hourly")
    outcome = twelve_days.run(selector="daily", tests=True, variables={"strict": True})
    assert set(outcome.statuses.values()) <= {"success", "pass"}
    _assert_a_full_build(twelve_days, [*_LOG, *right], new_warehouse)


@pytest.mark.parametrize("seed", ["error_patterns", "document_keys"])
def test_new_definitions_reach_every_day_that_the_log_holds_by_the_next_daily_run(
    twelve_days: Warehouse, new_warehouse: NewWarehouse, seed: str
) -> None:
    """Patterns and keys of documents are seeds; one that has changed since the days were built."""
    change, mart, column, was = {
        "error_patterns": (
            "error_signature = 'as it was' where error_signature = 'Request timed out'",
            *("error_analysis", "error_signature", "as it was"),
        ),
        "document_keys": (
            "counts = 'nothing' where document = 'costs' and key_name = 'vision'",
            *("fct_generations", "vision_cost_usd", None),
        ),
    }[seed]
    twelve_days.execute(f"update {SCHEMA}_seeds.{seed} set {change}")
    twelve_days.run(select="path:models", exclude="tag:alerts", variables={"backfill_from": str(_FIRST)})
    assert {row[column] for row in twelve_days.mart(mart)} == {was}
    said = twelve_days.run(selector="daily").said
    assert f"rebuilt the days from {_FIRST} on" in said
    _assert_a_full_build(twelve_days, _LOG, new_warehouse)


# logs without rows


def test_an_empty_log_is_warned_of_and_changes_nothing(twelve_days: Warehouse) -> None:
    before = twelve_days.marts()
    twelve_days.load([])
    outcome = twelve_days.run(selector="hourly", tests=True)
    assert outcome.statuses["the_log_has_a_usable_row"] == "warn"
    assert_equal_marts(before, twelve_days.marts())
    strict = twelve_days.attempt(selector="hourly", tests=True, variables={"strict": True})
    assert not strict.success
    assert strict.statuses["fct_generations"] == "skipped"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_first_build_of_an_empty_log_is_warned_of(new_warehouse: NewWarehouse, engine: str) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load([])
    outcome = warehouse.run(selector="daily", tests=True)
    assert outcome.statuses["the_log_has_a_usable_row"] == "warn"
    assert not warehouse.attempt(selector="daily", tests=True, variables={"strict": True}).success


@pytest.mark.parametrize("engine", ENGINES)
def test_a_backfill_of_a_warehouse_that_holds_no_day_builds_all_days(new_warehouse: NewWarehouse, engine: str) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load([])
    warehouse.run()
    warehouse.load([sound_row(number, created_at=f"2026-03-0{number} 10:00:00") for number in range(1, 8)])
    warehouse.run(variables={"backfill_from": "2026-03-05"})
    assert warehouse.query("select count(*), count(distinct activity_date) from warehouse_marts.fct_generations") == [
        (7, 7)
    ]


# the clock


@pytest.mark.parametrize(
    "clock",
    ["2099-01-01", "infinity", "2026-03-13T23:30:00+02:00", "2026-02-30", "yesterday", "2026-03-13 24:00:00", 20260313],
)
def test_a_clock_of_the_future_or_one_that_is_no_utc_time_is_refused_by_name(
    twelve_days: Warehouse, clock: object
) -> None:
    before = twelve_days.marts()
    outcome = twelve_days.attempt(selector="hourly", variables={"as_of": clock})
    assert not outcome.success
    assert "as_of" in outcome.text
    assert str(clock) in outcome.text
    assert "Nothing was touched" in outcome.text
    assert_equal_marts(before, twelve_days.marts())


def test_the_wall_clock_over_an_old_log_is_refused_before_anything_is_trimmed(
    twelve_days: Warehouse, new_warehouse: NewWarehouse
) -> None:
    before = twelve_days.marts()
    for warehouse in (twelve_days, new_warehouse(twelve_days.engine)):
        if warehouse is not twelve_days:
            warehouse.load(_LOG)
        outcome = warehouse.attempt(selector="hourly", variables={"as_of": "now"})
        assert not outcome.success
        assert "max_trimmed_share: 1" in outcome.text
        assert f"newest row is of {_day(11)} 08:29:00" in outcome.text
    assert_equal_marts(before, twelve_days.marts())
    twelve_days.run(variables={"as_of": "now", "max_trimmed_share": 1})
    assert _counts(twelve_days) == {}
    # and a later run brings all of it back, the first day included
    twelve_days.run(full_refresh=True, variables={"lose_history": True})
    assert _counts(twelve_days) == dict.fromkeys(map(_day, range(12)), 30)


# variables


_WRONG = [
    {
        "lookback_days": -1,
        "max_rebuilt_days": 1.5,
        "backfill_from": "yesterday",
        "log_retention_days": 0,
        "log_begins_on": "May",
    },
    {"lookback_days": "90", "backfill_from": "2026-03-02 12:00:00", "log_timezone": "Mars", "lose_history": "yes"},
    {"lookback_days": True, "wait_for_other_run_seconds": "600", "lock_timeout_seconds": 0, "max_deleted_share": 20},
    {"max_trimmed_share": -0.1, "alert_settle_minutes": None, "max_cost_usd": -5, "strict": 1},
    {
        "log_timezone": "UTC'); drop table x; --",
        "alert_first_hours": 0,
        "max_difficulty": "10",
        "max_set_aside_share": 2,
        "share_min_users": -1,
    },
    {"min_difficulty": 11},
]


@pytest.mark.parametrize("wrong", _WRONG, ids=lambda wrong: ", ".join(wrong))
def test_variables_that_make_no_sense_are_all_named_before_anything_is_touched(
    duckdb_warehouse: Warehouse, wrong: dict[str, object]
) -> None:
    duckdb_warehouse.load(_LOG[:1])
    outcome = duckdb_warehouse.attempt(variables=wrong)
    assert not outcome.success
    for variable in wrong:
        assert f"The variable {variable} is " in outcome.text
    assert "it should be" in outcome.text
    assert "Nothing was touched" in outcome.text
    assert duckdb_warehouse.relations() == set()


@pytest.mark.parametrize(
    "schema",
    ["Analytics", "wh'x", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("my-wh", "1wh", "w" * 47))],
)
def test_a_prefix_of_schemas_that_works_once_and_never_again_is_refused_before_any_is_made(
    new_warehouse: NewWarehouse, schema: str
) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load(_LOG[:1])
    warehouse.settings = {"WAREHOUSE_SCHEMA": schema}
    before = warehouse.query("select nspname from pg_namespace order by 1")
    outcome = warehouse.attempt()
    assert not outcome.success
    assert f"(WAREHOUSE_SCHEMA) is '{schema}'" in outcome.text
    assert warehouse.query("select nspname from pg_namespace order by 1") == before


def test_a_service_file_is_refused_and_settings_of_nothing_count_as_not_set(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load(_LOG[:1])
    warehouse.settings = {"PGSERVICE": "production"}
    outcome = warehouse.attempt()
    assert not outcome.success
    assert "PGSERVICE is set, which dbt does not read" in outcome.text
    warehouse.settings = {"PGSSLMODE": "", "PGPASSWORD": "", "WAREHOUSE_SCHEMA": ""}
    warehouse.run()
    assert len(warehouse.mart("fct_generations")) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_that_is_no_longer_fed_is_stale_whatever_its_rows_of_the_future_say(
    new_warehouse: NewWarehouse, engine: str
) -> None:
    warehouse = new_warehouse(engine)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    of_the_future = sound_row(9_999, created_at=str(now + dt.timedelta(days=900)))
    warehouse.load([*_LOG, of_the_future])
    warehouse.run()
    assert not warehouse.attempt("source freshness").success
    warehouse.load([*_LOG, of_the_future, sound_row(9_998, created_at=str(now - dt.timedelta(minutes=30)))])
    warehouse.run()
    assert warehouse.attempt("source freshness").success
