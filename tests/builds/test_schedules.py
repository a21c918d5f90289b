"""What an hourly and a daily run build, check and say."""

import datetime as dt

import pytest

from factory import ENGINES, NewWarehouse
from logs import sound_row
from warehouses import SCHEMA, Outcome, Row, Warehouse

pytestmark = pytest.mark.mainly_on("postgres")

_FIRST_DAY = dt.date(2026, 3, 2)
_DAILY = {"dim_users", "user_retention"}


def _rows(days: int) -> list[Row]:
    """Two generations a day."""
    return [
        sound_row(2 * day + place, created_at=f"{_FIRST_DAY + dt.timedelta(days=day)} {9 + place:02}:00:00")
        for day in range(days)
        for place in (0, 1)
    ]


@pytest.fixture(scope="module", params=ENGINES)
def scheduled(request: pytest.FixtureRequest, module_warehouse: object) -> tuple[Warehouse, dict[str, Outcome]]:
    """Ten days at once; an hourly run with three rows more, and one with nothing new; a wrong number in an old day; an
    hourly run with one more row, and a daily run."""
    warehouse = module_warehouse(request.param)
    outcomes = {}
    rows = _rows(10)
    warehouse.load(rows)
    outcomes["first"] = warehouse.run(selector="daily", tests=True)
    late = sound_row(100, created_at=f"{_FIRST_DAY + dt.timedelta(days=8)} 23:00:00")
    rows += [late, *_rows(11)[-2:]]
    warehouse.load(rows)
    outcomes["hourly"] = warehouse.run(selector="hourly", tests=True)
    outcomes["nothing new"] = warehouse.run(selector="hourly", tests=True)
    damaged = f"{SCHEMA}_marts.style_performance"
    warehouse.execute(f"update {damaged} set success_count = success_count - 1 where activity_date = '{_FIRST_DAY}'")
    warehouse.execute(f"comment on table {damaged} is null")
    warehouse.execute(f"comment on column {damaged}.success_count is null")
    warehouse.execute(f"comment on column {SCHEMA}_marts.hourly_costs.is_complete is null")
    warehouse.load([*rows, sound_row(101, created_at=f"{_FIRST_DAY + dt.timedelta(days=10)} 23:00:00")])
    outcomes["hourly after damage"] = warehouse.attempt(selector="hourly", tests=True)
    outcomes["without a comment after an hourly run"] = _without_a_comment(warehouse)
    outcomes["daily after damage"] = warehouse.attempt(selector="daily", tests=True)
    return warehouse, outcomes


def _without_a_comment(warehouse: Warehouse) -> list[tuple[str, str | None]]:
    """The tables of the marts, and their columns, that have no comment; of a table itself the column is null."""
    if warehouse.engine == "duckdb":
        return warehouse.query(
            f"select table_name, null from duckdb_tables() where schema_name = '{SCHEMA}_marts' and comment is null"
            f" union all select table_name, column_name from duckdb_columns() where schema_name = '{SCHEMA}_marts'"
            " and comment is null"
        )
    return warehouse.query(
        "select relname, null from pg_class where relkind = 'r' and relnamespace = to_regnamespace("
        f"'{SCHEMA}_marts') and obj_description(oid, 'pg_class') is null union all select relname, attname"
        " from pg_class inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 where relkind in ('r', 'v')"
        f" and relnamespace = to_regnamespace('{SCHEMA}_marts') and col_description(attrelid, attnum) is null"
    )


Scheduled = tuple[Warehouse, dict[str, Outcome]]


def test_descriptions_are_comments_and_any_run_writes_those_that_are_not_there(scheduled: Scheduled) -> None:
    warehouse, outcomes = scheduled
    assert outcomes["without a comment after an hourly run"] == []
    assert _without_a_comment(warehouse) == []


def test_an_hourly_run_leaves_out_what_depends_on_all_users_and_what_scans_history(scheduled: Scheduled) -> None:
    _, outcomes = scheduled
    daily, hourly = outcomes["first"].statuses.keys(), outcomes["hourly"].statuses.keys()
    assert hourly < daily
    left_out = daily - hourly
    assert left_out >= _DAILY
    assert left_out >= {
        "every_log_row_is_counted_set_aside_or_repeated",
        "an_id_is_on_one_day_only",
        "a_generations_user_is_in_dim_users",
    }
    assert {"fct_generations", "service_health", "style_performance_totals_equal_the_fact"} <= hourly


def test_the_tests_of_an_hourly_run_look_at_what_it_replaced_and_the_daily_ones_at_all(scheduled: Scheduled) -> None:
    _, outcomes = scheduled
    assert outcomes["hourly after damage"].success
    daily = outcomes["daily after damage"]
    failed = {name for name, status in daily.statuses.items() if status == "fail"}
    assert {
        "style_performance_totals_equal_the_fact",
        "style_performance_successes_and_failures_are_all_generations",
    } <= failed


def test_the_journal_says_what_each_run_replaced(scheduled: Scheduled) -> None:
    warehouse, _ = scheduled
    entries = warehouse.query(
        f"select model, replaced_from, deleted_rows, inserted_rows from {SCHEMA}_internal.replacements order by id"
    )
    fact = [entry[1:] for entry in entries if entry[0] == "fct_generations"]
    # an hourly run begins with the first day that has changed, and there is none with nothing new; a daily one begins
    # three days before the newest
    assert fact == [
        (_FIRST_DAY, None, None),
        (_FIRST_DAY + dt.timedelta(days=8), 4, 7),
        (_FIRST_DAY + dt.timedelta(days=10), 2, 3),
        (_FIRST_DAY + dt.timedelta(days=7), 10, 10),
    ]
    assert {entry[0] for entry in entries} == {
        "fct_generations",
        "generation_log_issues",
        "style_performance",
        "style_difficulty_performance",
        "scene_performance",
        "photo_size_performance",
        "wish_outcomes",
        "cost_by_difficulty",
        "hourly_costs",
        "hourly_engagement",
        "daily_engagement",
        "response_times",
        "step_times",
        "error_analysis",
        "service_health",
        "duration_histogram",
        "int_user_days",
        "int_style_spellings",
        "int_continued_wishes",
        # made whole by each run
        "int_log_days",
        "int_log_window",
        "int_log_rows",
        "int_repeated_ids",
        "int_rare_names",
        "dim_users",
        "dim_styles",
        "user_retention",
        "warehouse_clock",
    }


def test_a_run_that_was_not_selected_for_days_is_caught_up(new_warehouse: NewWarehouse) -> None:
    """A mart that other runs left out rebuilds all that they replaced in the fact."""
    warehouse = new_warehouse("duckdb")
    warehouse.load(_rows(10))
    warehouse.run()
    warehouse.load([*_rows(10), sound_row(100, created_at=f"{_FIRST_DAY} 23:00:00")])
    warehouse.run(select="+fct_generations", variables={"backfill_from": str(_FIRST_DAY)})
    warehouse.load([*_rows(20), sound_row(100, created_at=f"{_FIRST_DAY} 23:00:00")])
    warehouse.run(select="+fct_generations")
    before = {row["activity_date"]: row["generation_count"] for row in warehouse.mart("style_performance")}
    assert before[_FIRST_DAY] == 2
    warehouse.run(selector="hourly")
    after = {row["activity_date"]: row["generation_count"] for row in warehouse.mart("style_performance")}
    assert after == {_FIRST_DAY + dt.timedelta(days=day): 2 + (day == 0) for day in range(20)}


def test_an_hourly_run_says_what_has_changed(scheduled: Scheduled) -> None:
    _, outcomes = scheduled
    day = [_FIRST_DAY + dt.timedelta(days=number) for number in range(11)]
    assert f"This run rebuilt the days from {day[8]} on" in outcomes["hourly"].said
    assert f"Nothing has changed in the log since {day[7]}: no day was rebuilt." in outcomes["nothing new"].said
    assert "rows replaced by" not in outcomes["nothing new"].said
    assert f"This run rebuilt the days from {day[10]} on" in outcomes["hourly after damage"].said
    assert (
        f"Nothing has changed in the days from {day[7]} to the one before {day[10]}."
        in outcomes["hourly after damage"].said
    )
    assert f"This run rebuilt the days from {day[7]} on" in outcomes["daily after damage"].said


@pytest.mark.parametrize("engine", ENGINES)
def test_an_hourly_run_rebuilds_a_day_whose_rows_were_written_again(new_warehouse: NewWarehouse, engine: str) -> None:
    """As many rows as before, at the same times: only their content tells."""
    warehouse = new_warehouse(engine)
    rows = _rows(10)
    warehouse.load(rows)
    warehouse.run()
    warehouse.run()
    rows[-6] = rows[-6] | {"style": "Pop_Art"}
    warehouse.load(rows)
    said = warehouse.run(selector="hourly").said
    assert f"rebuilt the days from {_FIRST_DAY + dt.timedelta(days=7)} on" in said
    changed = [row for row in warehouse.mart("style_performance") if row["style"] == "pop art"]
    assert [(row["activity_date"], row["generation_count"]) for row in changed] == [
        (_FIRST_DAY + dt.timedelta(days=7), 1)
    ]


def test_hours_end_as_the_clock_goes_on_without_a_row(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.load(_rows(2))
    last_day = _FIRST_DAY + dt.timedelta(days=1)
    warehouse.run(selector="hourly")
    # from now on it is known what the days were like
    warehouse.run(selector="hourly")
    assert not max(warehouse.mart("hourly_engagement"), key=lambda row: row["activity_hour"])["is_complete"]
    warehouse.run(selector="hourly", variables={"as_of": f"{last_day + dt.timedelta(days=1)} 02:30:00"})
    hours = {row["activity_hour"]: row["is_complete"] for row in warehouse.mart("hourly_engagement")}
    midnight = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time())
    assert [hours[midnight + dt.timedelta(hours=hour)] for hour in (-14, -1, 0, 1, 2)] == [
        True,
        True,
        True,
        True,
        False,
    ]
    days = {row["activity_date"]: row["is_complete"] for row in warehouse.mart("style_performance")}
    assert days == {_FIRST_DAY: False, last_day: True}


def test_hours_and_days_begin_again_as_the_clock_goes_back(new_warehouse: NewWarehouse) -> None:
    """A run with a clock of its own is followed by one that takes the log's: the newest day is not over any more."""
    warehouse = new_warehouse("duckdb")
    warehouse.load(_rows(10))
    warehouse.run(selector="hourly")
    later = {"as_of": f"{_FIRST_DAY + dt.timedelta(days=11)} 02:30:00"}
    for _ in range(2):
        warehouse.run(selector="hourly", variables=later)
    assert sum(not row["is_complete"] for row in warehouse.mart("style_performance")) == 1
    warehouse.run(selector="hourly")
    is_complete = {row["activity_date"]: row["is_complete"] for row in warehouse.mart("style_performance")}
    assert is_complete == {_FIRST_DAY + dt.timedelta(days=day): 0 < day < 9 for day in range(10)}
    last_hour = max(row["activity_hour"] for row in warehouse.mart("hourly_engagement"))
    assert last_hour == dt.datetime.combine(_FIRST_DAY + dt.timedelta(days=9), dt.time(10))


def test_a_fact_is_not_made_of_rows_that_an_earlier_run_left(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.load(_rows(10))
    warehouse.run()
    warehouse.run()
    warehouse.load(_rows(11))
    for model in ("int_log_days", "int_log_window"):
        warehouse.run(select=model)
    refused = warehouse.attempt(select="fct_generations")
    assert "Add to the selection: int_log_days int_log_window int_log_rows" in refused.text
    assert len(warehouse.mart("fct_generations")) == 20
    warehouse.run(selector="hourly")
    assert len(warehouse.mart("fct_generations")) == 22


def test_an_hourly_run_with_nothing_new_checks_what_was_replaced_last(new_warehouse: NewWarehouse) -> None:
    """The run that replaced it may have been killed before its tests. The issues are written in any case."""
    warehouse = new_warehouse("duckdb")
    warehouse.load(
        [*_rows(10), sound_row(100, created_at=f"{_FIRST_DAY + dt.timedelta(days=9)} 08:00:00", difficulty=99)]
    )
    warehouse.run()
    warehouse.run()
    last_day = f"activity_date = '{_FIRST_DAY + dt.timedelta(days=9)}'"
    warehouse.execute(f"update {SCHEMA}_marts.style_performance set success_count = success_count - 1 where {last_day}")
    warehouse.execute(f"update {SCHEMA}_marts.generation_log_issues set issue = 'unheard_of' where {last_day}")
    warehouse.run(selector="hourly")
    outcome = warehouse.attempt("test", selector="hourly")
    assert outcome.statuses["style_performance_totals_equal_the_fact"] == "fail"
    assert outcome.statuses["an_issue_is_one_of_the_known"] == "fail"


def test_an_hourly_run_on_postgres_finds_its_rows_by_the_indexes(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load(_rows(40), typed=True)
    warehouse.run(selector="daily")
    # tables as small as these would be read whole in any case
    warehouse.execute(f'alter database "{warehouse.database}" set enable_seqscan = off')
    warehouse.load(_rows(41), typed=True)
    before = _read_whole(warehouse)
    warehouse.run(selector="hourly")
    warehouse.run(selector="hourly")
    assert _read_whole(warehouse) == before


def _read_whole(warehouse: Warehouse) -> dict[str, int]:
    """How often each of the tables that grow for years was read from end to end."""
    # what this connection itself has read, to load the log, must be counted before
    warehouse.query("select pg_stat_force_next_flush()")
    return dict(
        warehouse.query(
            "select relname, seq_scan from pg_stat_user_tables"
            " where relname in ('generation_logs', 'fct_generations', 'int_user_days')"
        )
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_kind_of_a_run_follows_from_what_it_builds_however_that_was_chosen(
    new_warehouse: NewWarehouse, engine: str
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load(_rows(10))
    warehouse.run()
    # the first build does not say what the days were like: the next run does
    warehouse.run(selector="hourly")
    assert "no day was rebuilt" in warehouse.run(exclude="tag:daily tag:alerts").said
    # one of the days' tables left out, or a daily one taken in: the lookback is rebuilt
    assert "no day was rebuilt" not in warehouse.run(exclude="tag:daily tag:alerts hourly_costs").said
    assert "no day was rebuilt" not in warehouse.run(exclude="user_retention tag:alerts").said
