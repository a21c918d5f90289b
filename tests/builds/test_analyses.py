"""The questions of the seed, asked as the seed asks them of the raw log, have the answers that analyses/ gives."""

from pathlib import Path

import pytest

from factory import NewWarehouse
from logs import simulated_rows
from warehouses import Warehouse

LOG = "public.generation_logs"
AS_OF = f"(select max(created_at) from {LOG})"
FIRST_OF_30_DAYS = f"date_trunc('day', {AS_OF}) - interval '29 days'"
FIRST_OF_7_DAYS = f"date_trunc('day', {AS_OF}) - interval '6 days'"
FIRST_OF_24_HOURS = f"date_trunc('hour', {AS_OF}) - interval '23 hours'"


@pytest.fixture(scope="module")
def built(module_warehouse: NewWarehouse) -> Warehouse:
    """A simulated log in a table of the application's own types, and the warehouse made of it."""
    warehouse = module_warehouse("postgres")
    warehouse.load(simulated_rows(4_000, 45, seed=8, incidents=1), typed=True)
    warehouse.run()
    warehouse.attempt("compile", select="path:analyses")
    return warehouse


# As the mart has them: a request that is refused early has no style, and a failure's zeros are no cost.
_STYLE = "coalesce(lower(style), 'unknown')"
_COST = "case when success or (costs->>'total')::numeric > 0 then round((costs->>'total')::numeric, 6) end"


def answer(warehouse: Warehouse, question: str) -> list[tuple]:
    """What the analysis of this name says."""
    compiled = Path(warehouse.target_path) / "compiled" / "generation_warehouse" / "analyses" / f"{question}.sql"
    return warehouse.query(compiled.read_text())


def assert_equal(left: list[tuple], right: list[tuple]) -> None:
    """The same rows, whatever their order; numbers to a relative 1e-9."""
    assert left
    assert len(left) == len(right)
    key = lambda row: tuple(str(value) for value in row if not isinstance(value, float))[:2]  # noqa: E731
    for one, other in zip(sorted(left, key=key), sorted(right, key=key), strict=True):
        for value, expected in zip(one, other, strict=True):
            if value is None or expected is None or isinstance(value, str) or hasattr(value, "year"):
                assert value == expected
            else:
                assert float(value) == pytest.approx(float(expected), rel=1e-9)


def test_styles_by_success_rate_are_those_of_the_raw_log(built: Warehouse) -> None:
    raw = built.query(f"""
        select {_STYLE}, count(*), avg(case when success then 1 else 0 end)::double precision,
            avg({_COST})::double precision
        from {LOG} where created_at >= {FIRST_OF_30_DAYS} group by 1""")
    assert_equal(answer(built, "styles_by_success_rate_30_days"), raw)


def test_engagement_by_hour_is_that_of_the_raw_log(built: Warehouse) -> None:
    raw = built.query(f"""
        select date_trunc('hour', created_at) as hour, count(*), count(distinct user_id)
        from {LOG} where created_at >= {FIRST_OF_7_DAYS} group by hour""")
    # the seed leaves out the hours without generations
    assert_equal([row for row in answer(built, "engagement_by_hour_7_days") if row[1]], raw)


def test_cost_by_difficulty_is_that_of_the_raw_log(built: Warehouse) -> None:
    raw = built.query(f"""
        select difficulty, count(*), avg({_COST})::double precision, sum({_COST})
        from {LOG} where success group by difficulty""")
    assert_equal(answer(built, "cost_by_difficulty"), raw)


def test_response_times_are_those_of_the_raw_log(built: Warehouse) -> None:
    raw = built.query(f"""
        select {_STYLE}, count(duration_ms), avg(duration_ms)::double precision,
            percentile_cont(0.95) within group (order by duration_ms)
        from {LOG} where success and created_at >= {FIRST_OF_24_HOURS} group by 1""")
    assert_equal(answer(built, "response_times_by_style_24_hours"), raw)


def test_failures_by_message_are_those_of_the_raw_log(built: Warehouse) -> None:
    fact = f"{built.schema_of('fct_generations')}.fct_generations"
    raw = built.query(f"""
        select fact.error_category, fact.error_signature, count(*),
            avg(case when log.duration_ms <= 86400000 then log.duration_ms end)::double precision
        from {LOG} as log inner join {fact} as fact on fact.generation_id = log.id
        where not log.success and log.created_at >= {FIRST_OF_7_DAYS} group by 1, 2""")
    assert_equal(answer(built, "failures_by_message_7_days"), raw)


@pytest.mark.parametrize(
    "question",
    [
        "peak_hours",
        "most_valuable_users",
        "money_wasted_on_failures",
        "best_style_difficulty_combinations",
        "retention_by_first_outcome",
        "tokens_per_success",
    ],
)
def test_the_other_questions_have_an_answer(built: Warehouse, question: str) -> None:
    assert answer(built, question)


def test_the_peak_hours_are_a_grid_of_seven_days_and_24_hours(built: Warehouse) -> None:
    grid = answer(built, "peak_hours")
    assert [int(row[0]) for row in grid] == [1, 2, 3, 4, 5, 6, 7]
    assert {len(row) for row in grid} == {25}
