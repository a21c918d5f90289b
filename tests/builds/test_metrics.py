"""One definition of each metric: MetricFlow, the page, Datadog, Superset and SQL say the same on both engines."""

import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from factory import ENGINES, NewWarehouse
from logs import simulated_rows
from project import ROOT
from report import data_in, page_of
from tools.superset.__main__ import bundle, definition
from warehouse.alerts.to_datadog import Points
from warehouse.database import Database
from warehouse.report.numbers import cents, last_days, number, percent, tiles
from warehouses import SCHEMA, Warehouse

_DAY = dt.timedelta(days=1)

# A metric, what it is grouped by, a filter in MetricFlow's words, and the same in SQL.
_STYLE_DAYS = "warehouse_marts.style_performance"
_CELLS = "warehouse_marts.style_difficulty_performance"
_QUESTIONS = [
    ("generations", "style", None, f"select style, sum(generation_count) from {_STYLE_DAYS} group by 1"),
    ("success_rate", "", None, f"select sum(success_count) * 1.0 / sum(generation_count) from {_STYLE_DAYS}"),
    (
        "success_rate",
        "day,style",
        None,
        f"select activity_date, style, sum(success_count) * 1.0 / sum(generation_count) from {_CELLS} group by 1, 2",
    ),
    (
        "success_rate",
        "difficulty",
        None,
        f"select difficulty, sum(success_count) * 1.0 / sum(generation_count) from {_CELLS} group by 1",
    ),
    (
        "avg_cost_usd",
        "week",
        None,
        "select date_trunc('week', activity_date), sum(total_cost_usd) / nullif(sum(costed_generation_count), 0) "
        f"from {_STYLE_DAYS} group by 1",
    ),
    (
        "cost_usd",
        "month",
        None,
        f"select date_trunc('month', activity_date), sum(total_cost_usd) from {_STYLE_DAYS} group by 1",
    ),
    ("cost_per_success_usd", "", None, f"select sum(total_cost_usd) / sum(success_count) from {_STYLE_DAYS}"),
    ("wasted_cost_rate", "", None, f"select sum(failed_cost_usd) / sum(total_cost_usd) from {_STYLE_DAYS}"),
    (
        "generations_per_hour",
        "day",
        None,
        "select cast(activity_hour as date), sum(generation_count) * 1.0 / count(*) "
        "from warehouse_marts.hourly_engagement group by 1",
    ),
    ("generations_per_hour", "", None, "select avg(generation_count) from warehouse_marts.hourly_engagement"),
    (
        "avg_duration_ms",
        "style",
        None,
        "select style, sum(total_duration_ms) * 1.0 / nullif(sum(timed_success_count), 0) "
        f"from {_STYLE_DAYS} group by 1",
    ),
    (
        "p95_duration_ms",
        "style",
        None,
        "select style, percentile_cont(0.95) within group (order by duration_ms) from warehouse_marts.fct_generations "
        "where is_success group by 1",
    ),
    (
        "weekly_active_users",
        "day",
        None,
        "select activity_date, weekly_active_users from warehouse_marts.daily_engagement",
    ),
    (
        "weekly_active_users",
        "",
        None,
        "select weekly_active_users from warehouse_marts.daily_engagement order by activity_date desc limit 1",
    ),
    (
        "monthly_active_users",
        "",
        None,
        "select monthly_active_users from warehouse_marts.daily_engagement order by activity_date desc limit 1",
    ),
    ("active_users", "", None, "select count(distinct user_key) from warehouse_marts.cost_by_user"),
    (
        "active_users",
        "month",
        None,
        "select date_trunc('month', activity_date), count(distinct user_key) "
        "from warehouse_marts.cost_by_user group by 1",
    ),
    (
        "retention_week_1",
        "",
        None,
        "select sum(retained_users) * 1.0 / sum(cohort_size) from warehouse_marts.user_retention "
        "where cohort_grain = 'week' and period_number = 1 and is_complete and not has_older_users",
    ),
    (
        "errors",
        "error_category",
        None,
        "select error_category, sum(error_count) from warehouse_marts.error_analysis group by 1",
    ),
]
_ASK = """
import json, sys
from tools.metric import Metrics
metrics = Metrics()
answers = []
for name, by, where in json.load(sys.stdin):
    known = metrics.dimensions(name)
    answers.append(metrics.ask([name], [known[each] for each in by.split(",") if each], where)[1])
print("ANSWERS" + json.dumps([metrics.names(), answers], default=str))
"""


@pytest.fixture(scope="module", params=ENGINES)
def warehouse(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Warehouse:
    """70 days with dirt."""
    warehouse = module_warehouse(request.param)
    warehouse.load(simulated_rows(5_000, 70, seed=4, dirt=0.03))
    warehouse.run()
    warehouse.run(selector="alerts")
    return warehouse


def _asked(warehouse: Warehouse, questions: list[tuple]) -> tuple[list[str], list[list[list]]]:
    """What MetricFlow says, in one process of its own: it keeps the first database that it sees."""
    warehouse.disconnect()
    outcome = subprocess.run(
        [sys.executable, "-c", _ASK],
        cwd=ROOT,
        env=os.environ | {"DBT_PROFILES_DIR": str(warehouse.profiles)} | warehouse.environment(),
        input=json.dumps([question[:3] for question in questions]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return tuple(json.loads(outcome.stdout.partition("ANSWERS")[2]))


def _plain(value: object) -> object:
    """Numbers as numbers and times as their day, whichever way a client gives them."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date | dt.datetime):
        return str(value)[:10]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value[:10] if value[4:5] == "-" else value
    return value


@pytest.mark.mainly_on("postgres")
def test_metricflow_says_what_sql_says(warehouse: Warehouse) -> None:
    names, answers = _asked(warehouse, _QUESTIONS)
    assert len(names) >= 14
    assert {question[0] for question in _QUESTIONS} <= set(names)
    for question, answer in zip(_QUESTIONS, answers, strict=True):
        name, by, _, sql = question
        key = lambda row: tuple(str(value) for value in row[:-1])  # noqa: E731
        found = sorted((tuple(map(_plain, row)) for row in answer), key=key)
        expected = sorted((tuple(map(_plain, row)) for row in warehouse.query(sql)), key=key)
        assert found, question
        assert [row[:-1] for row in found] == [row[:-1] for row in expected], (name, by)
        for row, right in zip(found, expected, strict=True):
            assert row[-1] == (pytest.approx(right[-1], rel=1e-9) if right[-1] is not None else None), (name, by, row)


def test_the_page_and_datadog_say_what_metricflow_says(warehouse: Warehouse) -> None:
    data = data_in(page_of(warehouse))
    period = last_days(data)
    first, last = (dt.date.fromisoformat(data["first_date"]) + place * _DAY for place in (period.first, period.last))
    assert (last - first).days == 27

    def between(start: dt.date, end: dt.date) -> str:
        day = "{{ TimeDimension('metric_time', 'day') }}"
        return f"{day} >= '{start}' and {day} <= '{end}'"

    # a cohort's second week ends 13 days after its Monday
    questions = [(name, "", between(first, last)) for name in ("generations_per_hour", "success_rate", "avg_cost_usd")]
    questions += [("retention_week_1", "", between(first - 13 * _DAY, last - 13 * _DAY))]
    questions += [("generations_per_hour", "hour", None), ("retention_week_1", "week", None)]
    _, answers = _asked(warehouse, questions)
    per_hour, success_rate, cost, retention = (float(rows[0][0]) for rows in answers[:4])
    assert [tile.value for tile in tiles(data, period)] == [
        number(per_hour, 1),
        percent(success_rate, 2),
        cents(cost),
        percent(retention),
    ]
    assert 0 < success_rate < 1

    # what Datadog gets of the newest hour, and of the newest cohort that is sure
    warehouse.disconnect()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
        for name, value in warehouse.environment().items():
            environment.setenv(name, value)
        database = Database(60)
        points = Points(database, 60)
        with database.transaction() as transaction:
            points._record(transaction)
            gauges = {
                row["metric"].rpartition(".")[2]: row
                for row in transaction.rows(f"select metric, point_at, value from {SCHEMA}_internal.datadog_points")
            }
    hour = gauges["generations_per_hour"]["point_at"] - dt.timedelta(hours=1)
    by_hour = {row[0][:13]: float(row[1]) for row in answers[4]}
    assert gauges["generations_per_hour"]["value"] == by_hour[str(hour)[:13]]
    assert gauges["retention_rate"]["value"] == pytest.approx(float(answers[5][-1][1]))


def test_supersets_metrics_are_the_same(warehouse: Warehouse) -> None:
    """Each metric of the bundle runs on this engine, and those of one name are equal."""
    expressions = {
        name: (dataset, metric["sql"])
        for dataset, defined in definition()["datasets"].items()
        for name, metric in defined["metrics"].items()
    }
    asked = {
        name: warehouse.query(f"select {sql} from {SCHEMA}_marts.{dataset}")[0][0]
        for name, (dataset, sql) in expressions.items()
    }
    shared = sorted(
        set(asked)
        & {
            *("generations", "successes", "success_rate", "avg_cost_usd", "cost_per_success_usd", "wasted_cost_rate"),
            *("cost_usd", "avg_duration_ms", "generations_per_hour", "retention_week_1", "errors"),
        }
    )
    assert len(shared) == 11
    _, answers = _asked(warehouse, [(name, "", None) for name in shared])
    for name, ((value,),) in zip(shared, answers, strict=True):
        assert float(asked[name]) == pytest.approx(float(value), rel=1e-9), name
    assert all(value is not None for name, value in asked.items() if name != "incidents")


def test_supersets_charts_are_of_columns_and_metrics_that_are_there(warehouse: Warehouse) -> None:
    defined = definition()
    for dataset, parts in defined["datasets"].items():
        columns = set(warehouse.columns(f"{SCHEMA}_marts", dataset))
        assert parts["time"] in columns
        for chart in (chart for chart in defined["charts"] if chart["dataset"] == dataset):
            assert {*chart.get("by", []), *chart.get("columns", [])} <= columns, chart
            assert {*chart.get("metrics", []), chart.get("metric")} - {None} <= set(parts["metrics"]), chart
    assert sorted(place for row in defined["rows"] for place in row) == list(range(1, len(defined["charts"]) + 1))


def test_the_bundle_has_every_description_and_no_secret(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2hunter2")
    manifest = json.loads((Path(warehouse.target_path) / "manifest.json").read_text())
    files = bundle(manifest, "postgresql+psycopg2://analyst@db:5432/app", "Last 28 days", f"{SCHEMA}_marts")
    assert files == {
        **bundle(manifest, "postgresql+psycopg2://analyst@db:5432/app", "Last 28 days", f"{SCHEMA}_marts"),
        "metadata.yaml": files["metadata.yaml"],
    }
    datasets = {name: content for name, content in files.items() if name.startswith("datasets/")}
    assert len(datasets) == len(definition()["datasets"])
    for content in datasets.values():
        built = warehouse.columns(f"{SCHEMA}_marts", content["table_name"])
        assert [column["column_name"] for column in content["columns"]] == list(built)
        assert all(column["description"] for column in content["columns"])
    ids = [content["uuid"] for content in files.values() if "uuid" in content]
    assert len(ids) == len(set(ids)) == len(files) - 1
    assert "hunter2" not in json.dumps(files)
