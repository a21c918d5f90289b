"""What the rules look at, worked out from single generations in plain Python: the one definition beside the SQL that
judges (macros/alerts/metrics.sql). The backtest holds incidents that are known against it, the tests all that was
judged."""

import datetime as dt
import math
import statistics
from collections.abc import Callable, Iterable
from decimal import Decimal

from warehouse.database import Row

FIVE_MINUTES = dt.timedelta(minutes=5)
WEEK = dt.timedelta(days=7)
# The metrics that compare with other weeks.
USUAL = ("cost_over_usual_ratio", "traffic_over_usual_ratio")
_CATEGORIES = {"rate_limit_error_count": ("rate_limit",), "quota_or_billing_error_count": ("quota", "billing")}
_BREACHED: dict[str, Callable[[float, float], bool]] = {
    ">": lambda value, threshold: value > threshold,
    ">=": lambda value, threshold: value >= threshold,
    "<": lambda value, threshold: value < threshold,
    "<=": lambda value, threshold: value <= threshold,
}


def is_breached(rule: Row, value: float | None) -> bool:
    """Is a value beyond the rule's threshold?"""
    return value is not None and _BREACHED[rule["comparison"]](value, rule["threshold"])


def is_affected(rule: Row, generation: Row) -> bool:
    """Is the generation one of those that an incident of the rule is about?"""
    metric = rule["metric"]
    if metric in ("failure_rate", "error_budget_burn"):
        return not generation["is_success"]
    if metric in _CATEGORIES:
        return generation["error_category"] in _CATEGORIES[metric]
    if metric == "p95_duration_ms":
        return _is_timed(generation) and generation["duration_ms"] > rule["threshold"]
    return metric != "traffic_over_usual_ratio"


def observe(
    rule: Row, end: dt.datetime, rows: list[Row], weeks: Iterable[tuple[int, Decimal]]
) -> tuple[float | None, int]:
    """A rule's metric in the window that ends then, and the sample that it rests on. `rows` are the generations of the
    window and of as long before; `weeks` the count and the cost of the same window in each of the four weeks before
    that is known."""
    metric, length = rule["metric"], dt.timedelta(minutes=rule["window_minutes"])
    window = between(rows, end - length, end)
    if metric == "failure_rate":
        return quotient(_failures(window), len(window)), len(window)
    if metric == "error_budget_burn":
        shorter = between(window, end - dt.timedelta(minutes=rule["second_window_minutes"]), end)
        burns = [quotient(_failures(part), len(part) * (1 - rule["objective"])) for part in (window, shorter)]
        return None if None in burns else min(burns), len(shorter)
    if metric in _CATEGORIES:
        return float(sum(row["error_category"] in _CATEGORIES[metric] for row in window)), len(window)
    if metric == "p95_duration_ms":
        timed = [row["duration_ms"] for row in window if _is_timed(row)]
        return percentile(0.95, timed), len(timed)
    if metric == "cost_change_ratio":
        before = between(rows, end - 2 * length, end - length)
        return quotient(cost(window) - cost(before), cost(before)), min(len(window), len(before))
    weeks = list(weeks)
    place = 0 if metric == "traffic_over_usual_ratio" else 1
    usual = statistics.median(float(week[place]) for week in weeks) if len(weeks) >= 2 else 0.0
    if metric == "traffic_over_usual_ratio":
        return quotient(len(window), usual), math.floor(usual + 0.5)
    return quotient(cost(window), usual), len(window)


def between(rows: Iterable[Row], begin: dt.datetime, end: dt.datetime) -> list[Row]:
    """The rows from one time up to another."""
    return [row for row in rows if begin <= row["created_at"] < end]


def cost(rows: Iterable[Row]) -> Decimal:
    """What is known of what they cost."""
    return sum((row["total_cost_usd"] or Decimal(0) for row in rows), Decimal(0))


def quotient(one: float | Decimal, other: float | Decimal) -> float | None:
    """None where the denominator is 0."""
    return float(one) / float(other) if other else None


def percentile(share: float, values: Iterable[float]) -> float | None:
    """Exact, interpolated between the neighbouring ranks, as percentile_cont."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = ordered[math.floor(place)]
    return below + (ordered[math.ceil(place)] - below) * (place - math.floor(place))


def _failures(rows: Iterable[Row]) -> int:
    return sum(not row["is_success"] for row in rows)


def _is_timed(row: Row) -> bool:
    return row["is_success"] and row["duration_ms"] is not None
