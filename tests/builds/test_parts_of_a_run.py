"""Runs of a part of the models: what they make is what a full build makes, or they are refused before anything is
touched, and say what to select. And `dbt test` by itself, after whichever run."""

import datetime as dt

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row, user
from warehouses import SCHEMA, Marts, Row, Warehouse, assert_equal_marts

pytestmark = pytest.mark.mainly_on("duckdb")

_FIRST = dt.date(2026, 3, 2)
_SALT = "one salt for all warehouses"


def _day(number: int) -> dt.date:
    return _FIRST + dt.timedelta(days=number)


def _rows_of(day: int, *users: int, hour: int = 8) -> list[Row]:
    """A success and a failure of each user on a day, and a success that comes twice."""
    rows = []
    for place, person in enumerate(users):
        number = day * 1_000 + hour * 20 + place * 2
        at = f"{_day(day)} {hour:02}:{place:02}:00"
        rows.append(sound_row(number, user_id=user(person), created_at=at))
        rows.append(failed_row(number + 1, "Request timed out.", user_id=user(person), created_at=at))
    return [*rows, rows[0] | {"created_at": f"{_day(day)} {hour:02}:30:00"}]


_LOG = [row for day in range(10) for row in _rows_of(day, day % 3, 3 + day % 2)]
_LATER = [*_LOG, *_rows_of(8, 6, hour=20), *_rows_of(10, 1, 7)]


@pytest.fixture(scope="module", params=ENGINES)
def built(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Warehouse:
    """Ten days, and then the last of them again: an ordinary run reads the days of the lookback alone."""
    warehouse = module_warehouse(request.param)
    warehouse.salt = _SALT
    warehouse.load(_LOG)
    warehouse.run()
    warehouse.run()
    warehouse.load(_LATER)
    return warehouse


@pytest.fixture(scope="module")
def full_build(built: Warehouse, module_warehouse: NewWarehouse) -> Marts:
    """What a full build of the later log gives."""
    scratch = module_warehouse(built.engine)
    scratch.salt = _SALT
    scratch.load(_LATER)
    scratch.run()
    return scratch.marts()


@pytest.fixture
def ten_days(built: Warehouse, new_warehouse: NewWarehouse) -> Warehouse:
    """A copy of it, with a day more in the log."""
    warehouse = new_warehouse(built.engine)
    warehouse.become(built)
    return warehouse


_REFUSED = {
    "fct_generations": "int_log_days int_log_window int_log_rows int_repeated_ids generation_log_issues",
    "fct_generations+": "int_log_days int_log_window int_log_rows int_repeated_ids generation_log_issues",
    "stg_generation_logs+": "int_log_days int_log_window (",
    "int_log_window+": "int_log_days (",
    "int_log_rows+": "int_log_days int_log_window (",
    "int_log_days int_log_rows+": "int_log_window (",
    "generation_log_issues": "int_log_days int_log_window int_log_rows int_repeated_ids (",
    "int_log_days int_log_window fct_generations": "int_log_rows int_repeated_ids generation_log_issues",
    "+generation_log_issues style_performance": "int_style_spellings fct_generations (",
    "+fct_generations daily_engagement": "int_user_days (",
    "path:models/marts": "int_log_days int_log_window int_log_rows int_repeated_ids int_style_spellings int_user_days",
}


def test_a_part_that_would_be_made_of_what_an_earlier_run_left_is_refused_and_says_what_to_select(
    built: Warehouse,
) -> None:
    before, relations = built.marts(), built.relations()
    for place, (select, without) in enumerate(_REFUSED.items()):
        # so that each is tried both ways, on one engine or the other
        full_refresh = (place % 2 == 0) == (built.engine == "duckdb")
        refused = built.attempt(select=select, exclude="tag:alerts", full_refresh=full_refresh)
        assert not refused.success, select
        assert "No table was touched" in refused.text
        assert f"Add to the selection: {without}" in refused.text, refused.text
    assert_equal_marts(built.marts(), before)
    assert built.relations() == relations


@pytest.mark.parametrize("full_refresh", [True, False], ids=["full refresh", "ordinary"])
def test_a_part_that_is_made_equals_a_full_build(ten_days: Warehouse, full_build: Marts, full_refresh: bool) -> None:
    """First up to the fact, then what is made of it: each is what a full build makes, and so is the rest in the end."""
    ten_days.run(select="+fct_generations", full_refresh=full_refresh)
    of_the_log = ("fct_generations", "generation_log_issues", "int_style_spellings")
    assert_equal_marts(ten_days.marts(of_the_log), {name: full_build[name] for name in of_the_log})
    of_the_fact = ("style_performance", "int_user_days", "daily_engagement", "wish_outcomes")
    ten_days.run(select=f"int_continued_wishes {' '.join(of_the_fact)}", full_refresh=full_refresh)
    assert_equal_marts(ten_days.marts(of_the_fact), {name: full_build[name] for name in of_the_fact})
    ten_days.run(exclude="path:models/intermediate tag:alerts generation_log_issues fct_generations")
    assert_equal_marts(ten_days.marts(), full_build)


def test_node_by_node_and_from_where_a_run_was_stopped_a_full_build_is_made(
    duckdb_warehouse: Warehouse, built: Warehouse, full_build: Marts
) -> None:
    if built.engine != "duckdb":
        pytest.skip("it is one protocol")
    duckdb_warehouse.become(built)
    for model in ("int_log_days", "int_log_window", "int_log_rows", "int_repeated_ids", "generation_log_issues"):
        duckdb_warehouse.run(select=model)
    # twice of the same rows would be of the rows of before
    assert not duckdb_warehouse.attempt(select="generation_log_issues").success
    assert not duckdb_warehouse.attempt(select="style_performance").success
    duckdb_warehouse.run(select="int_style_spellings fct_generations")
    duckdb_warehouse.run(select="int_user_days daily_engagement int_continued_wishes")
    duckdb_warehouse.run(exclude="path:models/intermediate tag:alerts generation_log_issues fct_generations")
    assert_equal_marts(duckdb_warehouse.marts(), full_build)


# dbt test by itself

_CHECKED = "resource_type:unit_test tag:firing"
"""Left out: unit tests, which are about the code, and what looks at the service."""


def _failed(warehouse: Warehouse, select: str | None = None) -> set[str]:
    """The tests that do not pass, of those that `dbt test` runs."""
    statuses = warehouse.attempt("test", select=select, exclude=_CHECKED).statuses
    assert statuses
    return {name for name, status in statuses.items() if status not in ("pass", "success")}


def test_dbt_test_passes_after_an_hourly_run_and_sees_what_is_wrong_in_what_older_runs_have_made(
    ten_days: Warehouse,
) -> None:
    """The users and cohorts are a day old, and do not know those who came since; the alerts never ran."""
    ten_days.run(selector="hourly")
    assert _failed(ten_days) == set()
    old = ten_days.user_key(user(0))
    users, cohorts = f"{SCHEMA}_marts.dim_users", f"{SCHEMA}_marts.user_retention"
    ten_days.execute(f"delete from {users} where user_key = '{old}'")
    ten_days.execute(f"update {SCHEMA}_marts.style_performance set success_count = 0 where activity_date = '{_FIRST}'")
    assert _failed(ten_days, "fct_generations dim_users style_performance") == {
        "a_generations_user_is_in_dim_users",
        "every_user_is_in_one_cohort_of_each_grain",
        "style_performance_success_rate_is_its_quotient",
        "style_performance_successes_and_failures_are_all_generations",
        "style_performance_totals_equal_the_fact",
        "styles_are_the_sum_of_their_difficulties",
    }
    ten_days.execute(f"drop table {cohorts}")
    assert "user_retention_has_one_row_per_grain" in _failed(ten_days, "user_retention")


def test_where_users_and_days_are_of_one_run_their_stages_are_compared(
    new_warehouse: NewWarehouse, built: Warehouse
) -> None:
    warehouse = new_warehouse(built.engine)
    warehouse.salt = _SALT
    warehouse.load([row for day in range(20) for row in _rows_of(day, day)])
    warehouse.run("build --exclude-resource-types test unit_test", exclude="tag:alerts")
    test = "lifecycle_stages_equal_the_last_day_of_daily_engagement"
    assert _failed(warehouse, test) == set()
    warehouse.execute(f"update {SCHEMA}_marts.dim_users set lifecycle_stage = 'new' where lifecycle_stage = 'dormant'")
    assert _failed(warehouse, test) == {test}


def test_a_mart_that_a_run_left_out_is_compared_up_to_the_day_from_which_it_is_behind(ten_days: Warehouse) -> None:
    """The run itself must not fail for it, and what is older is looked at."""
    outcome = ten_days.run(select="+fct_generations", tests=True)
    assert outcome.statuses["style_performance_totals_equal_the_fact"] == "pass"
    assert _failed(ten_days, "fct_generations style_performance") == set()
    for day, expected in ((9, False), (6, False), (5, True)):
        ten_days.execute(
            f"update {SCHEMA}_marts.style_performance set total_tokens = 0 where activity_date = '{_day(day)}'"
        )
        found = _failed(ten_days, "style_performance_totals_equal_the_fact")
        assert bool(found) == expected, day


@pytest.mark.parametrize("engine", ENGINES)
def test_a_part_that_reads_what_is_not_there_is_refused_before_anything_is_touched(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load(_LOG)
    for without, added in {
        "daily_engagement": "daily_engagement",
        "error_categories": "",
        "stg_generation_logs": "stg_generation_logs",
    }.items():
        refused = warehouse.attempt(exclude=f"{without} tag:alerts")
        assert not refused.success, without
        assert "read what is not there yet" in refused.text, refused.text
        assert without in refused.text
        assert f"path:models/state path:seeds {added}".strip() in refused.text
    assert not [name for schema, name, _ in warehouse.relations() if "internal" not in schema]


def test_a_part_that_is_built_in_a_new_database_is_not_failed_by_tests_of_tables_that_no_run_has_made(
    duckdb_warehouse: Warehouse,
) -> None:
    duckdb_warehouse.load(_LOG)
    # of a database in which nothing was built, everything is missing
    assert len(_failed(duckdb_warehouse)) > 100
    outcome = duckdb_warehouse.run(select="+fct_generations", tests=True)
    assert "Not checked, as no run has made dim_users yet: a_generations_user_is_in_dim_users" in outcome.said
    assert outcome.statuses["fct_generations_has_one_row_per_grain"] == "pass"
    assert _failed(duckdb_warehouse) == set()
    outcome = duckdb_warehouse.run(select="+warehouse_clock", tests=True)
    assert "Not checked, as no run has made incidents yet: no_page_is_firing" in outcome.said
    duckdb_warehouse.execute(f"drop table {SCHEMA}_marts.fct_generations")
    assert "fct_generations_has_one_row_per_grain" in _failed(duckdb_warehouse, "fct_generations")


def test_the_unit_tests_of_a_warehouse_without_alerts_need_no_table_of_theirs(duckdb_warehouse: Warehouse) -> None:
    duckdb_warehouse.load(_LOG)
    duckdb_warehouse.run(exclude="tag:alerts")
    outcome = duckdb_warehouse.run("test", select="test_type:unit", exclude="tag:alerts")
    assert outcome.statuses["the_clock_is_never_before_the_newest_generation"] == "pass"


# a part of the rows


@pytest.mark.parametrize("option", [{"DBT_EMPTY": "1"}, {"DBT_SAMPLE": "3 days"}], ids=["--empty", "--sample"])
def test_an_option_by_which_dbt_reads_a_part_of_the_rows_is_refused_before_anything_is_touched(
    built: Warehouse, new_warehouse: NewWarehouse, option: dict[str, str]
) -> None:
    before = built.marts()
    nothing = new_warehouse(built.engine)
    nothing.load(_LOG)
    for warehouse in (built, nothing):
        warehouse.settings = option
        refused = warehouse.attempt()
        warehouse.settings = {}
        assert not refused.success
        assert "With dbt's option --" in refused.text
        assert "Nothing was touched" in refused.text
    assert_equal_marts(built.marts(), before)
    assert nothing.relations() == set()
