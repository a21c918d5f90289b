"""Every number of the marts equals what the definitions say, worked out in plain Python or by hand."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from factory import ENGINES, Factory, NewWarehouse, examples
from logs import START, failed_row, identifier, simulated_rows, sound_row, user
from oracle import assert_as_defined
from project import GRAINS
from warehouses import COLUMNS, Row, Warehouse, arrow_table

_DAY = dt.timedelta(days=1)

_NO_FACTS = {name: {} for name in GRAINS}


# Whole logs


@pytest.mark.parametrize("engine", ENGINES)
def test_a_simulated_log_with_dirt_gives_the_defined_numbers(new_warehouse: NewWarehouse, engine: str) -> None:
    rows = simulated_rows(3_000, 40, seed=5, dirt=0.15, incidents=1)
    warehouse = new_warehouse(engine)
    warehouse.load(rows)
    warehouse.run()
    assert_as_defined(warehouse, rows)


def _times(days: list[int]) -> st.SearchStrategy[str]:
    # Few distinct times, so that there are ties, and ends of days and hours.
    clocks = ["00:00:00", "00:00:00.000001", "09:30:00", "09:34:59.999999", "09:35:00", "12:00:00", "23:59:59.999999"]
    midnight = dt.datetime(2026, 2, 23)
    return st.builds(
        lambda day, clock: f"{(midnight + dt.timedelta(days=day)).date()} {clock}",
        st.sampled_from(days),
        st.sampled_from(clocks),
    )


_USD = st.sampled_from(["0", "0.01", "0.05", "0.1", "12.345678", "1000", "-1", "1001", '"0.25"', "null", "true"])
_COUNTS = st.sampled_from(["0", "1", "440", "1056", '"7"', "-1", "1000000001", "null", "{}", "2.5"])


@st.composite
def _small_logs(draw: st.DrawFn) -> list[Row]:
    """Few users on few days of some weeks, with gaps, ties, nobody, and everything that can be unknown."""
    days = draw(st.lists(st.integers(0, 48), min_size=1, max_size=14, unique=True))
    users = st.none() | st.sampled_from([user(number) for number in range(draw(st.integers(1, 12)))])
    costs = st.none() | st.builds(
        lambda vision, image, total: f'{{"vision":{vision},"image":{image},"total":{total}}}', _USD, _USD, _USD
    )
    costs |= st.builds(lambda vision, other: f'{{"vision":{vision},"moderation":{other}}}', _USD, _USD)
    of_application = st.builds(
        lambda a, b, c, d: f'{{"vision_input":{a},"vision_output":{b},"image_input":{c},"image_output":{d}}}',
        *[_COUNTS] * 4,
    )
    flat = st.builds(lambda into, out, total: f'{{"input":{into},"output":{out},"total":{total}}}', *[_COUNTS] * 3)
    nested = st.builds(
        lambda a, b, c, d: f'{{"vision":{{"prompt_tokens":{a},"output":{b}}},"image":{{"input":{c},"total":{d}}}}}',
        *[_COUNTS] * 4,
    )
    row = st.fixed_dictionaries(
        {
            "user_id": users,
            "job_id": st.none(),
            "style": st.sampled_from([None, "anime", "Anime ", "oil  painting", "pop_art"]),
            "difficulty": st.sampled_from([None, "1", "2", "10", "11", "0"]),
            "duration_ms": st.sampled_from([None, "0", "1", "999", "15000", "86400000", "86400001", "-1"]),
            "costs": costs,
            "tokens": st.none() | of_application | flat | nested,
            "success": st.sampled_from(["true", "true", "true", "false", None]),
            "error_message": st.sampled_from([None, None, "Request timed out.", "429 Rate limit reached", "Odd thing"]),
            "created_at": _times(days),
        }
    )
    rows = draw(st.lists(row, min_size=1, max_size=60))
    # One id a row: which of equally late repeats counts is no definition.
    return [row | {"id": identifier(number)} for number, row in enumerate(rows)]


@settings(
    max_examples=examples(7),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(rows=_small_logs())
def test_small_random_logs_give_the_defined_numbers(factory: Factory, rows: list[Row]) -> None:
    warehouse = factory("duckdb")
    try:
        warehouse.load(rows)
        warehouse.run(variables={"max_set_aside_share": 1})
        assert_as_defined(warehouse, rows)
    finally:
        factory.close(warehouse)


# No log to speak of


@pytest.fixture(
    params=[
        "a header alone",
        pytest.param("no rows in Parquet", marks=pytest.mark.thorough),
        "no rows in the table",
    ]
)
def empty(request: pytest.FixtureRequest, new_warehouse: NewWarehouse) -> Warehouse:
    """A warehouse whose log holds nothing yet."""
    warehouse = new_warehouse("postgres" if request.param == "no rows in the table" else "duckdb")
    warehouse.load([])
    if request.param == "a header alone":
        warehouse.log = str(warehouse.folder / "log.csv")
        (warehouse.folder / "log.csv").write_text(",".join(COLUMNS) + "\n")
    return warehouse


def test_an_empty_log_builds_empty_marts_and_the_first_rows_fill_them(empty: Warehouse) -> None:
    empty.run(tests=True)
    no_time = dict.fromkeys(["as_of", "first_activity_date", "last_complete_date", "newest_generation_at"])
    assert empty.marts() == _NO_FACTS | {
        "warehouse_clock": {(None,): no_time | {"set_aside_row_count": 0, "retention_lag_days": 0}}
    }
    rows = [sound_row(0), failed_row(1, "Request timed out.")]
    empty.load(rows)
    empty.run()
    assert_as_defined(empty, rows)


def test_a_log_whose_every_row_is_set_aside_builds_marts_without_numbers(duckdb_warehouse: Warehouse) -> None:
    rows = [sound_row(0, id=None, created_at=None), sound_row(1, created_at="2099-01-01"), sound_row(2, id="x")]
    duckdb_warehouse.load(rows)
    assert "3 of 3" in duckdb_warehouse.attempt().text
    duckdb_warehouse.run(variables={"max_set_aside_share": 1})
    assert_as_defined(duckdb_warehouse, rows)
    filled = {name for name, found in duckdb_warehouse.marts().items() if found}
    assert filled == {"generation_log_issues", "warehouse_clock"}


def test_a_log_of_one_row_counts_it_once_everywhere(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.load([sound_row(0, duration_ms=12_000)])
    warehouse.run()
    key = warehouse.user_key(user(0))
    assert [row["generation_count"] for row in warehouse.mart("style_performance")] == [1]
    assert warehouse.query(
        "select p50_duration_ms, p95_duration_ms, p99_duration_ms, total_cost_usd, cost_per_success_usd "
        "from warehouse_marts.style_performance"
    ) == [(12_000.0, 12_000.0, 12_000.0, Decimal("0.050660"), 0.05066)]
    assert warehouse.query("select user_key, value_tier, lifecycle_stage from warehouse_marts.dim_users") == [
        (key, "top_1_percent", None)
    ]
    assert warehouse.query(
        "select activity_hour, previous_hour_cost_usd, is_complete from warehouse_marts.hourly_costs"
    ) == [(START, None, False)]
    assert warehouse.query(
        "select cohort_grain, cohort_date, period_number, cohort_size, retained_users, retention_rate, is_complete "
        "from warehouse_marts.user_retention order by 1"
    ) == [
        ("day", START.date(), 0, 1, 1, None, False),
        ("week", START.date(), 0, 1, 1, None, False),
    ]


# Hand-computed


def test_a_month_without_rows_has_its_days_and_hours_with_nothing_in_them(new_warehouse: NewWarehouse) -> None:
    rows = [
        sound_row(0, user_id=user(1), created_at="2026-03-02 09:00:00"),
        sound_row(1, user_id=user(2), created_at="2026-03-02 10:00:00"),
        sound_row(2, user_id=user(1), created_at="2026-04-05 10:00:00"),
    ]
    warehouse = new_warehouse("duckdb")
    warehouse.load(rows)
    warehouse.run()
    assert_as_defined(warehouse, rows)
    days = warehouse.mart("daily_engagement")
    assert len(days) == 35
    on = {row["activity_date"]: row for row in days}
    quiet = on[dt.date(2026, 3, 20)]
    assert (quiet["daily_active_users"], quiet["weekly_active_users"]) == (0, 0)
    assert on[dt.date(2026, 3, 8)]["weekly_active_users"] == 2
    late = on[dt.date(2026, 3, 31)]
    assert (late["daily_active_users"], late["monthly_active_users"], late["stickiness_ratio"]) == (0, 2, 0.0)
    assert quiet["generations_per_active_user"] is None
    silent = on[dt.date(2026, 4, 1)]
    assert (silent["monthly_active_users"], silent["stickiness_ratio"]) == (0, None)
    assert on[dt.date(2026, 3, 15)]["weekly_dormant_users"] == 2
    last = on[dt.date(2026, 4, 5)]
    assert (last["weekly_active_users"], last["weekly_resurrected_users"], last["weekly_new_users"]) == (1, 1, 0)
    assert len(warehouse.mart("hourly_engagement")) == 34 * 24 + 2
    stages = {row["user_key"]: row["lifecycle_stage"] for row in warehouse.mart("dim_users")}
    assert stages == {warehouse.user_key(user(1)): "resurrected", warehouse.user_key(user(2)): "inactive"}


def test_a_day_ends_at_midnight_utc_whatever_offset_is_written(duckdb_warehouse: Warehouse) -> None:
    times = {
        "2026-03-05 23:59:59.999999": "2026-03-05 23:59:59.999999",
        "2026-03-06 00:00:00": "2026-03-06 00:00:00",
        "2026-03-06T01:30:00+02:00": "2026-03-05 23:30:00",
        "2026-03-05 23:30:00-0530": "2026-03-06 05:00:00",
        "2026-03-05T22:00:00Z": "2026-03-05 22:00:00",
        "2026-03-06 00:59:59.9+01": "2026-03-05 23:59:59.9",
    }
    rows = [sound_row(number, created_at=text) for number, text in enumerate(times)]
    duckdb_warehouse.load(rows)
    duckdb_warehouse.run()
    found = {row["generation_id"]: row["created_at"] for row in duckdb_warehouse.mart("fct_generations")}
    assert [str(found[generation]) for generation in sorted(found)] == [
        str(dt.datetime.fromisoformat(utc)) for utc in times.values()
    ]
    assert_as_defined(duckdb_warehouse, rows)


def test_times_without_an_offset_are_in_the_zone_that_is_set(warehouse: Warehouse) -> None:
    times = {
        "2026-03-29 00:30:00": "2026-03-28 23:30:00",  # winter
        "2026-03-29 03:30:00": "2026-03-29 01:30:00",  # summer, an hour and a second later
        "2026-03-29 12:00:00Z": "2026-03-29 12:00:00",
        "2026-03-29 12:00:00-04:00": "2026-03-29 16:00:00",
    }
    rows = [sound_row(number, created_at=text) for number, text in enumerate(times)]
    warehouse.load(rows)
    warehouse.run(variables={"log_timezone": "Europe/Berlin"})
    found = {row["generation_id"]: str(row["created_at"]) for row in warehouse.mart("fct_generations")}
    assert [found[generation] for generation in sorted(found)] == list(times.values())
    assert_as_defined(warehouse, rows, zone="Europe/Berlin")


def test_a_timestamp_column_with_a_zone_keeps_its_instants(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    instants = [dt.datetime(2026, 3, 5, 23, 30, tzinfo=dt.UTC), dt.datetime(2026, 3, 6, 0, 15, tzinfo=dt.UTC)]
    table = arrow_table([sound_row(0), sound_row(1)])
    column = pa.array(instants, pa.timestamp("us", "America/New_York"))
    path = warehouse.folder / "zoned.parquet"
    pq.write_table(table.set_column(COLUMNS.index("created_at"), "created_at", column), path)
    warehouse.log = str(path)
    warehouse.run(variables={"log_timezone": "Europe/Berlin"})
    assert warehouse.query("select created_at from warehouse_marts.fct_generations order by 1") == [
        (instant.replace(tzinfo=None),) for instant in instants
    ]


def test_a_megabyte_of_text_becomes_a_short_style_and_a_short_signature(warehouse: Warehouse) -> None:
    rows = [
        failed_row(0, "x " * 500_000, style="y" * 1_000_000),
        failed_row(1, "z" * 1_000_000, style=" A " * 350_000),
        sound_row(2, costs='{"total":0.5,"note":"' + "n" * 1_000_000 + '"}', user_id="u" * 1_000_000),
    ]
    warehouse.load(rows)
    warehouse.run()
    found = {row["generation_id"]: row for row in warehouse.mart("fct_generations")}
    first, second, third = (found[generation] for generation in sorted(found))
    assert first["style"] == "y" * 100
    assert second["style"] == ("a " * 50).strip()
    assert max(len(row["error_signature"]) for row in (first, second)) <= 200
    assert third["total_cost_usd"] == Decimal("0.5")
    assert third["user_key"] == warehouse.user_key("u" * 1_000_000)


def test_an_unknown_difficulty_has_a_separate_row(duckdb_warehouse: Warehouse) -> None:
    values = [None, None, "0", "1", "10", "11", "3.5", "hard"]
    duckdb_warehouse.load([sound_row(number, difficulty=value) for number, value in enumerate(values)])
    duckdb_warehouse.run()
    expected = {None: 6, 1: 1, 10: 1}
    for name in ("cost_by_difficulty", "style_difficulty_performance"):
        assert {row["difficulty"]: row["generation_count"] for row in duckdb_warehouse.mart(name)} == expected, name


def test_percentiles_are_exact_and_interpolated(warehouse: Warehouse) -> None:
    rows = [sound_row(number, duration_ms=(number + 1) * 100) for number in range(20)]
    rows += [sound_row(20, duration_ms=None), failed_row(21, "Request timed out.", duration_ms=86_000_000)]
    warehouse.load(rows)
    warehouse.run()
    # 100 to 2,000: rank 0.5 * 19 = 9.5 lies between 1,000 and 1,100; 0.95 * 19 = 18.05; 0.99 * 19 = 18.81
    expected = {
        "timed_success_count": 20,
        "total_duration_ms": 21_000,
        "avg_duration_ms": 1050.0,
        "p50_duration_ms": 1050.0,
        "p95_duration_ms": 1905.0,
        "p99_duration_ms": 1981.0,
    }
    for name in ("style_performance", "response_times"):
        (row,) = warehouse.mart(name)
        assert {column: row[column] for column in expected} == pytest.approx(expected, rel=1e-9), name
    (errors,) = warehouse.mart("error_analysis")
    assert (errors["timed_failure_count"], errors["total_failure_duration_ms"]) == (1, 86_000_000)


def test_a_retention_period_has_a_rate_once_it_has_ended(new_warehouse: NewWarehouse) -> None:
    # Two users begin on Monday, 2 March; one returns on day 1, on day 8 and at noon of day 10, a Thursday.
    rows = [
        sound_row(0, user_id=user(1), created_at="2026-03-02 09:00:00"),
        sound_row(1, user_id=user(2), created_at="2026-03-02 09:00:00"),
        sound_row(2, user_id=user(1), created_at="2026-03-03 09:00:00"),
        sound_row(3, user_id=user(1), created_at="2026-03-10 09:00:00"),
        sound_row(4, user_id=user(1), created_at="2026-03-12 12:00:00"),
    ]
    warehouse = new_warehouse("duckdb")
    warehouse.load(rows)
    warehouse.run()
    found = {(row["cohort_grain"], row["period_number"]): row for row in warehouse.mart("user_retention")}
    assert {grain: sum(key[0] == grain for key in found) for grain in ("day", "week")} == {"day": 11, "week": 2}
    assert {row["cohort_size"] for row in found.values()} == {2}

    def numbers(grain: str, period: int) -> tuple:
        row = found[grain, period]
        return (
            row["retained_users"],
            row["retention_rate"],
            row["retained_on_or_after_users"],
            row["unbounded_retention_rate"],
            row["is_complete"],
        )

    # the log may have begun before its first row
    assert numbers("day", 0) == (2, None, 2, None, False)
    assert numbers("day", 1) == (1, 0.5, 1, 0.5, True)
    assert numbers("day", 5) == (0, 0.0, 1, 0.5, True)
    assert numbers("day", 10) == (1, None, 1, None, False)
    assert numbers("week", 0) == (2, None, 2, None, False)
    assert numbers("week", 1) == (1, None, 1, None, False)


@pytest.mark.mainly_on("postgres")
def test_the_first_days_of_a_log_that_may_be_cut_are_not_taken_for_whole(warehouse: Warehouse) -> None:
    """60 days with a user each, who comes back after a week. Then the log is said to begin there."""
    rows = [
        sound_row(
            100 * day + turn, user_id=user(day), created_at=str(dt.datetime(2026, 1, 5, 3, 20) + (day + turn) * _DAY)
        )
        for day in range(60)
        for turn in (0, 7)
        if day + turn < 60
    ]
    warehouse.load(rows)
    warehouse.run(tests=True)
    assert_as_defined(warehouse, rows)
    days = sorted(warehouse.mart("daily_engagement"), key=lambda row: row["activity_date"])

    def unknown(column: str) -> int:
        assert all(row[column] is None for row in days[: sum(row[column] is None for row in days)])
        return sum(row[column] is None for row in days)

    assert [
        unknown(column)
        for column in ("weekly_active_users", "weekly_new_users", "weekly_dormant_users", "monthly_active_users")
    ] == [6, 13, 13, 29]
    assert [row["has_older_users"] for row in days] == [True] * 28 + [False] * 32
    assert [row["is_complete"] for row in days] == [False] + [True] * 58 + [False]
    assert warehouse.query(
        "select count(distinct cohort_date) from warehouse_marts.user_retention "
        "where cohort_grain = 'week' and not has_older_users and period_number = 1 and is_complete"
    ) == [(3,)]
    assert warehouse.query("select first_activity_date, last_complete_date from warehouse_marts.warehouse_clock") == [
        (dt.date(2026, 1, 5), dt.date(2026, 3, 4))
    ]

    warehouse.run(variables={"log_begins_on": "2026-01-05"}, tests=True)
    assert_as_defined(warehouse, rows, begins_on=dt.date(2026, 1, 5))
    days = sorted(warehouse.mart("daily_engagement"), key=lambda row: row["activity_date"])
    assert [row["is_complete"] for row in days] == [True] * 59 + [False]
    assert not any(row["has_older_users"] for row in days)
    assert [row["weekly_active_users"] for row in days[:9]] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.mainly_on("postgres")
def test_a_styles_separators_fold_and_its_name_is_the_spelling_that_is_most_frequent(warehouse: Warehouse) -> None:
    spellings = ["oil_painting", "Oil Painting", "oil-painting", "oil__ -painting", "Oil Painting", "Mandala/Pattern"]
    rows = [sound_row(number, style=style) for number, style in enumerate([*spellings, "_", "---", "", "Unknown"])]
    warehouse.load(rows)
    warehouse.run(tests=True)
    assert_as_defined(warehouse, rows)
    assert warehouse.query(
        "select style, display_name, generation_count from warehouse_marts.dim_styles order by 1"
    ) == [("mandala/pattern", "Mandala/Pattern", 1), ("oil painting", "Oil Painting", 5), ("unknown", "---", 4)]


def test_day_cohorts_have_periods_up_to_day_90_and_week_cohorts_all_weeks(new_warehouse: NewWarehouse) -> None:
    rows = [
        sound_row(0, user_id=user(1), created_at="2026-01-05 09:00:00"),
        sound_row(1, user_id=user(2), created_at="2026-05-20 09:00:00"),
    ]
    warehouse = new_warehouse("duckdb")
    warehouse.load(rows)
    warehouse.run(variables={"log_retention_days": 365})
    assert_as_defined(warehouse, rows)
    periods = warehouse.query(
        "select cohort_grain, max(period_number), count(*) from warehouse_marts.user_retention "
        "where cohort_date = date '2026-01-05' group by 1 order by 1"
    )
    assert periods == [("day", 90, 91), ("week", 19, 20)]


# The clock


def test_a_clock_set_to_a_timestamp_rebuilds_the_world_as_it_was(warehouse: Warehouse) -> None:
    rows = [sound_row(number, created_at=f"2026-03-{day:02} 12:00:00") for number, day in enumerate((2, 3, 9, 20))]
    rows += [sound_row(10, created_at=None), sound_row(11, created_at="2099-01-01")]
    warehouse.load(rows)
    as_of = dt.datetime(2026, 3, 10, 6, 30)
    warehouse.run(variables={"as_of": "2026-03-10 06:30:00"})
    assert_as_defined(warehouse, rows, as_of=as_of)
    assert len(warehouse.mart("fct_generations")) == 3
    days = warehouse.mart("daily_engagement")
    assert max(row["activity_date"] for row in days) == as_of.date()
    assert [row["is_complete"] for row in sorted(days, key=lambda row: row["activity_date"])] == [
        False,
        *[True] * 7,
        False,
    ]


def test_the_wall_clock_goes_on_when_the_log_has_stopped(new_warehouse: NewWarehouse) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    stopped = now - dt.timedelta(days=2)
    warehouse = new_warehouse("duckdb")
    warehouse.load([sound_row(0, created_at=str(stopped))])
    warehouse.run(variables={"as_of": "now"})
    later = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    ((first, last, hours),) = warehouse.query(
        "select min(activity_hour), max(activity_hour), count(*) from warehouse_marts.hourly_engagement"
    )
    assert first == stopped.replace(minute=0, second=0)
    assert now.replace(minute=0, second=0) <= last <= later
    assert hours == (last - first) / dt.timedelta(hours=1) + 1
    days = {row["activity_date"]: row["is_complete"] for row in warehouse.mart("daily_engagement")}
    assert days == {stopped.date(): False, stopped.date() + dt.timedelta(days=1): True, now.date(): False}


def test_a_row_up_to_five_minutes_ahead_of_the_wall_clock_is_not_in_the_future(duckdb_warehouse: Warehouse) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    rows = [
        sound_row(0, created_at=str(now + dt.timedelta(minutes=3))),
        sound_row(1, created_at=str(now + dt.timedelta(minutes=30))),
    ]
    duckdb_warehouse.load(rows)
    duckdb_warehouse.run()
    assert len(duckdb_warehouse.mart("fct_generations")) == 1
    assert [row["issue"] for row in duckdb_warehouse.mart("generation_log_issues")] == ["future_created_at"]


# Errors


_KNOWN_ERRORS = [
    (
        "429 Rate limit reached for gpt-4o in organization org-AbC123 on tokens per min (TPM): Limit 30000, Used "
        "14567, Requested 24754. Please try again in 18.642s.",
        ("rate_limit", "Rate limit reached", True),
    ),
    (
        "You've exceeded the rate limit, please slow down and try again after 51.84 seconds.",
        ("rate_limit", "Rate limit reached", True),
    ),
    (
        "Request too large for gpt-4o in organization org-AbC123 on tokens per min (TPM): Limit 30000, "
        "Requested 30601.",
        ("request_too_large", "Request too large for the model", False),
    ),
    (
        "429 You exceeded your current quota, please check your plan and billing details.",
        ("quota", "Quota exceeded", False),
    ),
    ("400 Billing hard limit has been reached", ("billing", "Billing hard limit reached", False)),
    (
        "400 Your request was rejected as a result of our safety system. Your prompt may contain text that is not "
        "allowed by our safety system.",
        ("content_policy", "Rejected by the safety system", False),
    ),
    (
        "Your request was rejected by the safety system. If you believe this is an error, include the request ID "
        "0f3b1c2d-12ab-4cde-8f01-234567896789. safety_violations=[violence].",
        ("content_policy", "Rejected by the safety system", False),
    ),
    (
        "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
        "['png', 'jpeg', 'gif', 'webp'].",
        ("invalid_image", "Unsupported or unreadable image", False),
    ),
    (
        "400 Timeout while downloading https://cdn.example.com/u/41/IMG_9660.gif.",
        ("image_fetch", "Image could not be downloaded", False),
    ),
    (
        "The server had an error processing your request. Sorry about that! (Please include the request ID "
        "req_8a7b6c5d4e3f2a1b in your email.)",
        ("provider_error", "Provider server error", True),
    ),
    ("Request timed out.", ("timeout", "Request timed out", True)),
    ("Connection error.", ("connection", "Connection error", True)),
    ("StorageApiError: The resource already exists", ("storage", "Storage: resource already exists", True)),
    ("StorageApiError: Payload too large", ("storage", "Storage: payload too large", True)),
    ("Upload failed: 503", ("storage", "Storage: upload failed", True)),
    (
        "401 Incorrect API key provided: sk-proj-abcd****wxyz.",
        ("authentication", "Provider rejected the credentials", False),
    ),
    (None, ("unknown", "(no message)", False)),
    ("Something nobody has seen before", ("unknown", "Something nobody has seen before", False)),
    (
        "Could not notify jane.doe@mail.example.org: mailbox full",
        ("unknown", "Could not notify <email>: mailbox full", False),
    ),
    ("Worker 10.12.3.40 gave up", ("unknown", "Worker <ip> gave up", False)),
    ("Row 0f3b1c2d-12ab-4cde-8f01-234567896789 is locked", ("unknown", "Row <id> is locked", False)),
    ("Stopped after 3 tries", ("unknown", "Stopped after <number> tries", False)),
]


def test_real_error_texts_get_the_category_and_the_signature_that_people_expect(duckdb_warehouse: Warehouse) -> None:
    rows = [failed_row(number, message) for number, (message, _) in enumerate(_KNOWN_ERRORS)]
    duckdb_warehouse.load(rows)
    duckdb_warehouse.run()
    retryable = {
        (row["error_category"], row["error_signature"]): row["is_retryable"]
        for row in duckdb_warehouse.mart("error_analysis")
    }
    found = {
        row["generation_id"]: (row["error_category"], row["error_signature"])
        for row in duckdb_warehouse.mart("fct_generations")
    }
    got = [(*found[generation], retryable[found[generation]]) for generation in sorted(found)]
    assert got == [expected for _, expected in _KNOWN_ERRORS]


# Repeats


def test_of_one_id_in_a_day_the_latest_row_counts_and_on_two_days_both_do(duckdb_warehouse: Warehouse) -> None:
    again = identifier(500)
    duckdb_warehouse.load(
        [
            sound_row(0, id=again, style="early", created_at="2026-03-05 10:00:00"),
            sound_row(1, id=again, style="late", created_at="2026-03-05 11:00:00"),
            sound_row(2, id=again.upper(), style="earliest", created_at="2026-03-05 09:00:00"),
            sound_row(3, id=again, style="next day", created_at="2026-03-06 09:00:00"),
        ]
    )
    duckdb_warehouse.run()
    assert sorted((row["activity_date"].day, row["style"]) for row in duckdb_warehouse.mart("fct_generations")) == [
        (5, "late"),
        (6, "next day"),
    ]
    repeats = [row for row in duckdb_warehouse.mart("generation_log_issues") if row["disposition"] == "repeated"]
    assert [(row["issue"], row["row_count"]) for row in repeats] == [("duplicate_id", 1)] * 2


def test_each_attempt_of_a_job_is_a_generation(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.load(
        [failed_row(0, "Request timed out.", job_id="job"), failed_row(1, "Upload failed: 503", job_id="job"),
         sound_row(2, job_id="job")]
    )  # fmt: skip
    warehouse.run()
    assert warehouse.query("select generation_count, success_count from warehouse_marts.style_performance") == [(3, 1)]
