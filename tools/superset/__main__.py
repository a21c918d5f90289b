"""make superset: a bundle for Superset: the marts as datasets with all descriptions, metrics, and one dashboard."""

import argparse
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
_TYPES = {
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "text": "TEXT",
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "double precision": "DOUBLE PRECISION",
    "uuid": "UUID",
}
_VERSION = "1.0.0"
_CELLS = 12
_HEIGHTS = {"tile": 24, "number": 24}


def definition() -> dict:
    """What the dashboard is made of."""
    return yaml.safe_load((Path(__file__).parent / "dashboard.yml").read_text())


def bundle(manifest: dict, uri: str, time_range: str, schema: str) -> dict[str, dict]:
    """The files of the bundle. Ids come from names and contents: a second import takes the place of the first."""
    defined = definition()
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    charts = [_chart(chart, defined["datasets"], time_range) for chart in defined["charts"]]
    files = {
        "metadata.yaml": {
            "version": _VERSION,
            "type": "Dashboard",
            "timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        },
        "databases/Warehouse.yaml": {
            "database_name": "Warehouse",
            "sqlalchemy_uri": uri,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "extra": {},
            "uuid": _id("database"),
            "version": _VERSION,
        },
        "dashboards/generations.yaml": _dashboard(charts, defined["rows"], time_range),
    }
    for name, dataset in defined["datasets"].items():
        files[f"datasets/Warehouse/{name}.yaml"] = _dataset(models[name], dataset, schema)
    for chart in charts:
        files[f"charts/{chart['slug']}.yaml"] = chart["file"]
    return files


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"generation-warehouse/{name}"))


def _dataset(model: dict, dataset: dict, schema: str) -> dict:
    return {
        "table_name": model["name"],
        "main_dttm_col": dataset["time"],
        "description": " ".join(model["description"].split()),
        "schema": schema,
        "sql": None,
        "params": None,
        "filter_select_enabled": True,
        "extra": None,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": _id(f"dataset/{model['name']}"),
        "database_uuid": _id("database"),
        "version": _VERSION,
        "metrics": [
            {
                "metric_name": name,
                "verbose_name": name.replace("_", " "),
                "metric_type": None,
                "expression": metric["sql"],
                "description": None,
                "d3format": metric["format"],
            }
            for name, metric in dataset["metrics"].items()
        ],
        "columns": [
            {
                "column_name": column["name"],
                "is_dttm": column["data_type"] in ("date", "timestamp"),
                "is_active": True,
                "type": _TYPES.get(column["data_type"], "NUMERIC"),
                "groupby": True,
                "filterable": True,
                "description": " ".join(column["description"].split()),
            }
            for column in model["columns"].values()
        ],
    }


def _chart(chart: dict, datasets: dict, time_range: str) -> dict:
    name = chart["dataset"]
    dataset = datasets[name]
    time = dataset["time"]
    within = {
        "clause": "WHERE",
        "subject": time,
        "operator": "TEMPORAL_RANGE",
        "comparator": time_range,
        "expressionType": "SIMPLE",
    }
    # what still runs, and what the log does not hold whole, is in no number
    complete = {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": "is_complete"}
    filtered = {"adhoc_filters": [within, complete]}
    metrics = chart.get("metrics", [])
    formats = {metric: dataset["metrics"][metric]["format"] for metric in [*metrics, chart.get("metric")] if metric}
    first_format = next(iter(formats.values()), None)
    series = {
        "metrics": metrics,
        "groupby": chart.get("by", []),
        "x_axis": time,
        "time_grain_sqla": "P1D",
        **filtered,
        "y_axis_format": first_format,
        "rich_tooltip": True,
        "show_legend": True,
        "row_limit": 10000,
    }
    params = {
        "tile": {
            "viz_type": "big_number",
            "metric": chart.get("metric"),
            "x_axis": time,
            "time_grain_sqla": "P1D",
            **filtered,
            # the number of all the days, with the days as a line below it
            "aggregation": "raw",
            "show_trend_line": True,
            "start_y_axis_at_zero": False,
            "y_axis_format": first_format,
        },
        "number": {
            "viz_type": "big_number_total",
            "metric": chart.get("metric"),
            # a cohort's week after is over two weeks after it began, so its date is earlier than the dashboard's days
            "adhoc_filters": [],
            "time_range": "No filter",
            "y_axis_format": first_format,
        },
        "bars": {"viz_type": "echarts_timeseries_bar", "stack": "Stack", **series},
        "lines": {"viz_type": "echarts_timeseries_line", "truncateYAxis": True, **series},
        "table": {
            "viz_type": "table",
            "query_mode": "aggregate",
            "groupby": chart.get("by", []),
            "metrics": metrics,
            **({"adhoc_filters": [], "time_range": "No filter"} if chart.get("of_all_time") else filtered),
            "order_desc": True,
            "row_limit": 50,
            "column_config": {metric: {"d3NumberFormat": form} for metric, form in formats.items()},
        },
        "rows": {
            "viz_type": "table",
            "query_mode": "raw",
            "all_columns": chart.get("columns", []),
            "adhoc_filters": [within],
            "order_by_cols": [json.dumps([time, False])],
            "row_limit": 50,
        },
        "heat map": {
            "viz_type": "heatmap_v2",
            "metric": chart.get("metric"),
            "x_axis": _sql_column("hour", f"cast(extract(hour from {time}) as integer)"),
            "groupby": _sql_column("weekday", f"cast(extract(isodow from {time}) as integer)"),
            **filtered,
            "linear_color_scheme": "superset_seq_1",
            "normalize_across": "heatmap",
            "sort_x_axis": "alpha_asc",
            "sort_y_axis": "alpha_asc",
            "row_limit": 1000,
        },
        "triangle": {
            "viz_type": "pivot_table_v2",
            "metrics": [chart.get("metric")],
            "groupbyRows": [time],
            "groupbyColumns": ["period_number"],
            "adhoc_filters": [
                # who was there before the warehouse's first day comes back more often
                {
                    "clause": "WHERE",
                    "expressionType": "SQL",
                    "sqlExpression": "cohort_grain = 'week' and not has_older_users",
                },
                {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": "period_number between 1 and 12"},
            ],
            "time_range": "No filter",
            "valueFormat": first_format,
            "aggregateFunction": "Sum",
            "rowTotals": False,
            "colTotals": False,
            "date_format": "%Y-%m-%d",
            "row_limit": 10000,
        },
    }[chart["kind"]]
    slug = "".join(letter if letter.isalnum() else "_" for letter in chart["title"].lower())
    # Superset leaves a chart that it knows as it is: one that has changed is another
    content = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()
    chart_id = _id(f"chart/{slug}/{content}")
    return {
        "slug": slug,
        "title": chart["title"],
        "kind": chart["kind"],
        "uuid": chart_id,
        "file": {
            "slice_name": chart["title"],
            "description": None,
            "viz_type": params["viz_type"],
            "params": {"time_range": time_range, **params, "datasource": "0__table"},
            "query_context": None,
            "cache_timeout": None,
            "uuid": chart_id,
            "version": _VERSION,
            "dataset_uuid": _id(f"dataset/{name}"),
        },
    }


def _sql_column(label: str, sql: str) -> dict:
    return {"label": label, "sqlExpression": sql, "expressionType": "SQL"}


def _dashboard(charts: list[dict], rows: list[list[int]], time_range: str) -> dict:
    position = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": "Generations"}},
    }
    for number, places in enumerate(rows):
        row = f"ROW-{number}"
        position["GRID_ID"]["children"].append(row)
        parents = ["ROOT_ID", "GRID_ID"]
        position[row] = {
            "type": "ROW",
            "id": row,
            "children": [],
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for place in places:
            chart = charts[place - 1]
            key = f"CHART-{chart['slug']}"
            position[row]["children"].append(key)
            position[key] = {
                "type": "CHART",
                "id": key,
                "children": [],
                "parents": [*parents, row],
                "meta": {
                    "width": _CELLS // len(places),
                    "height": _HEIGHTS.get(chart["kind"], 56),
                    "chartId": place,
                    "uuid": chart["uuid"],
                    "sliceName": chart["title"],
                },
            }
    days = {
        "id": "NATIVE_FILTER-days",
        "type": "NATIVE_FILTER",
        "name": "Days (UTC)",
        "filterType": "filter_time",
        "targets": [{}],
        "defaultDataMask": {"extraFormData": {"time_range": time_range}, "filterState": {"value": time_range}},
        "controlValues": {"enableEmptyFilter": False},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "description": "",
    }
    return {
        "dashboard_title": "Generations",
        "description": "The service in four numbers, and what is behind them. Days are UTC; what runs is left out.",
        "css": "",
        "slug": "generations",
        "uuid": _id("dashboard"),
        "position": position,
        "metadata": {"color_scheme": "supersetColors", "default_filters": "{}", "native_filter_configuration": [days]},
        "version": _VERSION,
    }


def write(files: dict[str, dict], out: Path) -> None:
    """Write the bundle."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"generations/{name}", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def main() -> int:
    """Parse the project, and write the bundle."""
    parser = argparse.ArgumentParser(prog="python -m tools.superset", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "superset.zip")
    parser.add_argument(
        "--uri",
        help="the database as SQLAlchemy names it, without a password (default: PostgreSQL, as PG* say)",
    )
    parser.add_argument(
        "--time-range",
        default="Last 28 days",
        help="the days that the dashboard opens with; the usual ones end now, so for an old log: "
        "'2026-06-02 : 2026-06-30'",
    )
    options = parser.parse_args()
    target = ROOT / "target" / "superset"
    dbt = str(Path(sys.executable).with_name("dbt"))
    subprocess.run([dbt, "--quiet", "parse", "--target-path", str(target)], cwd=ROOT, check=True)
    schema = os.environ.get("WAREHOUSE_SCHEMA") or "warehouse"
    manifest = json.loads((target / "manifest.json").read_text())
    files = bundle(manifest, options.uri or _uri(), options.time_range, f"{schema}_marts")
    write(files, options.out)
    charts = sum(name.startswith("charts/") for name in files)
    place = options.out.resolve()
    shown = place.relative_to(ROOT) if place.is_relative_to(ROOT) else place
    print(f"{shown}: {charts} charts. In Superset's own environment (docs/bi.md):")
    print(f"  superset import-dashboards --path {shown} --username admin")
    return 0


def _uri() -> str:
    """PostgreSQL as the environment names it."""
    user, host, port, name = (
        os.environ.get(f"PG{key}", usual)
        for key, usual in (("USER", "warehouse"), ("HOST", "localhost"), ("PORT", "5432"), ("DATABASE", "postgres"))
    )
    return f"postgresql+psycopg2://{user}@{host}:{port}/{name}"


if __name__ == "__main__":
    sys.exit(main())
