"""make metric: one metric, defined once, by whatever it can be grouped by. MetricFlow writes the SQL."""

import argparse
import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from warehouse.sql import lines_of

ROOT = Path(__file__).resolve().parent.parent
_GRAINS = ("hour", "day", "week", "month", "quarter", "year")


class Metrics:
    """MetricFlow over the warehouse of the environment."""

    def __init__(self) -> None:
        """MetricFlow reads what dbt has parsed last, and takes the names of databases from there: so it is parsed for
        this target, where it looks."""
        # imported here: it reads the settings of dbt when it is
        from dbt_metricflow.cli.cli_configuration import CLIConfiguration

        dbt = str(Path(sys.executable).with_name("dbt"))
        subprocess.run([dbt, "--quiet", "parse", "--target-path", "target"], cwd=ROOT, check=True)
        with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()):
            configuration = CLIConfiguration()
            configuration.setup()
        self._engine = configuration.mf
        self._client = configuration.sql_client

    def names(self) -> list[str]:
        """All metrics."""
        return sorted(metric.name for metric in self._engine.list_metrics())

    def dimensions(self, metric: str) -> dict[str, str]:
        """What a metric can be grouped by: short names, and MetricFlow's."""
        found = {grain: f"metric_time__{grain}" for grain in _GRAINS}
        for dimension in self._engine.simple_dimensions_for_metrics([metric]):
            found.setdefault(dimension.name, dimension.dunder_name)
        return found

    def ask(
        self, metrics: list[str], by: list[str] | None = None, where: str | None = None
    ) -> tuple[list[str], list[tuple]]:
        """Columns and rows. `by` takes MetricFlow's own names."""
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        request = MetricFlowQueryRequest.create(
            metric_names=metrics,
            group_by_names=by or None,
            where_constraints=[where] if where else None,
            order_by_names=by or None,
        )
        table = self._engine.query(request).result_df
        return list(table.column_names), [tuple(row) for row in table.rows]

    def close(self) -> None:
        """Let go of the database."""
        self._client.close()


def main() -> int:
    """Print one metric."""
    parser = argparse.ArgumentParser(prog="python -m tools.metric", description=__doc__)
    parser.add_argument("metric", help="its name; `list` names them all")
    parser.add_argument("--by", default="", help="what to group by, with commas between: style, day, week, …")
    parser.add_argument("--where", help="a filter in MetricFlow's words")
    options = parser.parse_args()
    metrics = Metrics()
    if options.metric not in metrics.names():
        print("\n".join(metrics.names()))
        return 0 if options.metric == "list" else 2
    known = metrics.dimensions(options.metric)
    asked = [name.strip() for name in options.by.split(",") if name.strip()]
    unknown = [name for name in asked if name not in known]
    if unknown:
        print(f"{options.metric} cannot be grouped by {', '.join(unknown)}; it can by {', '.join(known)}.")
        return 2
    print("\n".join(lines_of(*metrics.ask([options.metric], [known[name] for name in asked], options.where))))
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
