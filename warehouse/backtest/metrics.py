"""What the rules look at, worked out from single generations in plain Python: the one definition beside the SQL that
judges (macros/alerts/metrics.sql). The backtest holds incidents that are known against it, the tests all that was
judged."""

import datetime as dt
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from warehouse.database import Row

FIVE_MINUTES = dt.timedelta(minutes=5)
WEEK = dt.timedelta(days=7)
# The metrics that compare with other weeks.
USUAL = ("cost_over_usual_ratio", "traffic_over_usual_ratio")
_CATEGORIES = {"rate_limit_error_count": ("rate_limit",), "quota_or_billing_error_count": ("quota", "billing")}
# The metrics that are judged where the window holds nothing: that is what they are about.
OF_NOTHING = ("traffic_over_usual_ratio", "silent_minutes", "set_aside_row_count", "minutes_since_run")
# Those that look at the warehouse; single generations say nothing of it.
OF_THE_WAREHOUSE = ("set_aside_row_count", "minutes_since_run")
DEFAULT_EVIDENCE = 5.0
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
    return metric not in OF_NOTHING


@dataclass(frozen=True)
class Usual:
    """What other weeks say of a window: the count and the cost of the same window in each of the four weeks before that
    is known; how many users each of them had, by the hour; and what share of the generations the rule's errors take,
    where a week is known."""

    weeks: tuple[tuple[int, Decimal], ...] = ()
    users: tuple[float, ...] = ()
    error_share: float | None = None


@dataclass(frozen=True)
class Weight:
    """The evidence that a limit is exceeded where it is, 0 where it is not, and the users that it is counted by."""

    evidence: float
    witness_count: int
    affected_witness_count: int | None = None


def silence(end: dt.datetime, rows: list[Row], length: dt.timedelta) -> dt.timedelta:
    """Since the five minutes of the last row, as far as the window reaches."""
    newest = max((row["created_at"] for row in between(rows, end - length, end)), default=None)
    return length if newest is None else (end - newest - dt.timedelta.resolution) // FIVE_MINUTES * FIVE_MINUTES


def observe(rule: Row, end: dt.datetime, rows: list[Row], usual: Usual) -> tuple[float | None, int]:
    """A rule's metric in the window that ends then, and the sample that it rests on. `rows` are the generations of the
    window and of as long before."""
    metric, length = rule["metric"], dt.timedelta(minutes=rule["window_minutes"])
    if metric in OF_THE_WAREHOUSE:
        return None, 0
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
    if metric == "silent_minutes":
        users = _median_user_count(usual)
        silent = silence(end, rows, length) / dt.timedelta(minutes=1)
        return None if users is None else silent, math.floor((users or 0) + 0.5)
    place = 0 if metric == "traffic_over_usual_ratio" else 1
    middle = _median_week(usual, place)
    if metric == "traffic_over_usual_ratio":
        return quotient(len(window), middle), math.floor(middle + 0.5)
    return quotient(cost(window), middle), len(window)


def weigh(rule: Row, end: dt.datetime, rows: list[Row], usual: Usual) -> Weight:
    """The evidence that it is no chance if a rule's limit is exceeded in the window that ends then. Each user is one
    witness, with the share of their rows that count; a row without a user is a witness by itself."""
    weight = _weigh(rule, end, rows, usual)
    value, _ = observe(rule, end, rows, usual)
    return weight if is_breached(rule, value) else Weight(0.0, weight.witness_count)


def _weigh(rule: Row, end: dt.datetime, rows: list[Row], usual: Usual) -> Weight:
    metric, length = rule["metric"], dt.timedelta(minutes=rule["window_minutes"])
    window = between(rows, end - length, end)
    if metric == "failure_rate":
        return _weigh_shares(rule, window, rule["threshold"])
    if metric == "error_budget_burn":
        return _weigh_shares(rule, window, rule["threshold"] * float(1 - rule["objective"]))
    if metric == "p95_duration_ms":
        return _weigh_shares(rule, [row for row in window if _is_timed(row)], 0.05)
    users = _by_witness(window)
    if metric in _CATEGORIES:
        hit = sum(any(row["error_category"] in _CATEGORIES[metric] for row in of_user) for of_user in users.values())
        share = 0.01 if usual.error_share is None else usual.error_share
        return Weight(count_evidence(rule, hit, max(2 * share * len(window), 0.2)), len(users), hit)
    return Weight(_evidence_of_sums(rule, end, rows, usual, users), len(users), None)


def _weigh_shares(rule: Row, rows: list[Row], limit: float) -> Weight:
    """Of failures, or of slow successes."""
    is_slow = rule["metric"] == "p95_duration_ms"
    at_least = rule["comparison"] in (">=", "<")
    shares = []
    for of_user in _by_witness(rows).values():
        hits = sum(
            (row["duration_ms"] >= rule["threshold"] if at_least else row["duration_ms"] > rule["threshold"])
            if is_slow
            else not row["is_success"]
            for row in of_user
        )
        shares.append(hits / len(of_user))
    evidence = share_evidence(rule, math.fsum(shares), len(shares), limit)
    return Weight(evidence, len(shares), sum(share > 0 for share in shares))


def _evidence_of_sums(
    rule: Row, end: dt.datetime, rows: list[Row], usual: Usual, users: dict[object, list[Row]]
) -> float:
    """Of costs, and of how many come."""
    metric, threshold = rule["metric"], float(rule["threshold"])
    length = dt.timedelta(minutes=rule["window_minutes"])
    costs = [float(cost(of_user)) for of_user in users.values()]
    total, squares = math.fsum(costs), math.fsum(each * each for each in costs)
    if metric == "cost_change_ratio":
        before = [float(cost(each)) for each in _by_witness(between(rows, end - 2 * length, end - length)).values()]
        return sum_evidence(
            rule,
            total - (1 + threshold) * math.fsum(before),
            squares + (1 + threshold) ** 2 * math.fsum(each * each for each in before),
        )
    if metric == "cost_over_usual_ratio":
        if len(usual.weeks) < 2:
            return 0.0
        middle = _median_week(usual, 1)
        varied = statistics.variance(float(week[1]) for week in usual.weeks)
        alike = squares / total * middle if total else 0.0
        return sum_evidence(rule, total - threshold * middle, squares + threshold**2 * max(varied, alike))
    user_count = _median_user_count(usual)
    if metric == "silent_minutes":
        return 0.5 * (user_count or 0.0)
    if rule["comparison"] in (">", ">="):
        user_count = _median_week(usual, 0)
    return count_evidence(rule, len(users), threshold * (user_count or 0.0))


def share_evidence(rule: Row, total: float, count: int, limit: float) -> float:
    """Of witnesses with a share each, which come to a sum; the limit of their mean: Chernoff's bound, in nats."""
    limit = min(max(limit, 1e-12), 1 - 1e-12)
    if not count or not _is_exceeded(rule, total, count * limit):
        return 0.0
    rest = count - total
    return max(
        (total * math.log(total / (count * limit)) if total > 0 else 0.0)
        + (rest * math.log(rest / (count * (1 - limit))) if rest > 0 else 0.0),
        0.0,
    )


def count_evidence(rule: Row, count: int, limit: float) -> float:
    """Of so many where the limit is a mean of so many: the bound of Poisson's tail, in nats."""
    limit = max(limit, 1e-12)
    if not _is_exceeded(rule, count, limit):
        return 0.0
    return max((count * math.log(count / limit) if count else 0.0) - count + limit, 0.0)


def sum_evidence(rule: Row, difference: float, variance: float) -> float:
    """Of a sum that is beyond its limit by so much, of such a variance: the normal tail, in nats."""
    return difference**2 / max(2 * variance, 1e-12) if _is_exceeded(rule, difference, 0.0) else 0.0


def _is_exceeded(rule: Row, value: float, limit: float) -> bool:
    return value > limit if rule["comparison"] in (">", ">=") else value < limit


def _by_witness(rows: Iterable[Row]) -> dict[object, list[Row]]:
    found: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["user_key"] or row["generation_id"]].append(row)
    return found


def _median_week(usual: Usual, place: int) -> float:
    return statistics.median(float(week[place]) for week in usual.weeks) if len(usual.weeks) >= 2 else 0.0


def _median_user_count(usual: Usual) -> float | None:
    return statistics.median(usual.users) if len(usual.users) >= 2 else None


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
