"""What rules should have caught: incidents that are known, held against the single generations, one window after the
other, and not by the SQL that judges the rules."""

import csv
import datetime as dt
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.database import Row
from warehouse.errors import ConfigurationError

# Which metrics should show an incident of each kind, as the simulator names them. What shows in others is an aftermath.
CAUGHT_BY = {
    "rate_limit_storm": ("rate_limit_error_count", "failure_rate", "error_budget_burn"),
    "slow_hour": ("p95_duration_ms",),
    "cost_spike": ("cost_change_ratio", "cost_over_usual_ratio"),
    "outage": ("traffic_over_usual_ratio",),
}
FIVE_MINUTES = dt.timedelta(minutes=5)
_WEEK = dt.timedelta(days=7)
_CATEGORIES = {"rate_limit_error_count": ("rate_limit",), "quota_or_billing_error_count": ("quota", "billing")}
_BREACHED: dict[str, Callable[[float, float], bool]] = {
    ">": lambda value, threshold: value > threshold,
    ">=": lambda value, threshold: value >= threshold,
    "<": lambda value, threshold: value < threshold,
    "<=": lambda value, threshold: value <= threshold,
}

# The generations from one time up to another.
Generations = Callable[[dt.datetime, dt.datetime], list[Row]]


@dataclass(frozen=True)
class Truth:
    """An incident that is known to have happened, `ended_at` exclusive."""

    kind: str
    started_at: dt.datetime
    ended_at: dt.datetime

    def concerns(self, rule: Row) -> bool:
        """Is it of a kind that the rule is there for?"""
        return rule["metric"] in CAUGHT_BY[self.kind]


@dataclass(frozen=True)
class Alarm:
    """An incident that a rule would have opened."""

    first_firing_at: dt.datetime
    opened_at: dt.datetime
    last_firing_at: dt.datetime

    def saw(self, truth: Truth, reach: dt.timedelta) -> bool:
        """Do windows that fired hold a moment of an incident? They reach so far back."""
        return self.first_firing_at - reach < truth.ended_at and self.last_firing_at > truth.started_at


@dataclass
class Verdict:
    """How one rule has done."""

    # incidents during which the rule's metric was beyond its threshold for a whole window
    breaching: int = 0
    missed: list[Truth] = field(default_factory=list)
    minutes_to_detect: list[float] = field(default_factory=list)
    minutes_after_breach: list[float] = field(default_factory=list)
    aftermaths: list[Alarm] = field(default_factory=list)
    false: list[Alarm] = field(default_factory=list)

    @property
    def caught(self) -> int:
        """How many of them the rule told of, at the latest one window after they had breached it for a whole one."""
        return self.breaching - len(self.missed)


def read_truth(path: Path) -> list[Truth]:
    """The incidents of a file as the simulator writes it."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = [
                Truth(
                    row["kind"],
                    dt.datetime.fromisoformat(row["started_at"]),
                    dt.datetime.fromisoformat(row["ended_at"]),
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"The truth cannot be read from {path}: {type(error).__name__}, {error}. It is a CSV file with the columns "
            "kind, started_at and ended_at, as the simulator writes it."
        ) from None
    unknown = sorted({truth.kind for truth in found} - set(CAUGHT_BY))
    if unknown:
        raise ConfigurationError(
            f"{path} has incidents of kind {', '.join(unknown)}; known are {', '.join(CAUGHT_BY)}."
        )
    return found


def in_words(truths: Iterable[Truth]) -> str:
    """How many incidents of which kind."""
    kinds = Counter(truth.kind for truth in truths)
    return ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items()))


def breach(rule: Row, truth: Truth, generations: Generations, known_from: dt.datetime) -> dt.datetime | None:
    """When the first whole window within an incident ends that is beyond the rule's threshold; none, if none is."""
    length = dt.timedelta(minutes=rule["window_minutes"])
    first = _mark_after(truth.started_at + length)
    if first > truth.ended_at:
        return None
    lengths_back = 2 if rule["metric"] == "cost_change_ratio" else 1
    rows = generations(first - lengths_back * length, truth.ended_at)
    weeks = {
        week: generations(first - length - week * _WEEK, truth.ended_at - week * _WEEK)
        for week in (range(1, 5) if rule["metric"].endswith("_over_usual_ratio") else ())
        if first - length - week * _WEEK >= known_from
    }
    end = first
    while end <= truth.ended_at:
        value = _value(rule, end, length, rows, weeks)
        if value is not None and _BREACHED[rule["comparison"]](value, rule["threshold"]):
            return end
        end += FIVE_MINUTES
    return None


def judge(rule: Row, alarms: list[Alarm], truths: list[Truth], breaches: dict[Truth, dt.datetime | None]) -> Verdict:
    """Hold what a rule would have opened against what has happened. `breaches` says since when which incidents were
    beyond the rule's threshold for a whole window."""
    length = dt.timedelta(minutes=rule["window_minutes"])
    verdict = Verdict()
    own = [truth for truth in truths if truth.concerns(rule)]
    for truth, breached_at in breaches.items():
        if breached_at is None:
            continue
        verdict.breaching += 1
        opened_at = min((alarm.opened_at for alarm in alarms if alarm.saw(truth, length)), default=None)
        if opened_at is None or opened_at > breached_at + length:
            verdict.missed.append(truth)
        else:
            verdict.minutes_to_detect.append(max(0.0, _minutes(opened_at - truth.started_at)))
            verdict.minutes_after_breach.append(_minutes(opened_at - breached_at))
    reach = length * 2 if rule["metric"] == "cost_change_ratio" else length
    for alarm in alarms:
        if any(alarm.saw(truth, length) for truth in own):
            continue
        is_aftermath = any(alarm.saw(truth, reach) for truth in truths)
        (verdict.aftermaths if is_aftermath else verdict.false).append(alarm)
    return verdict


def _value(
    rule: Row, end: dt.datetime, length: dt.timedelta, rows: list[Row], weeks: dict[int, list[Row]]
) -> float | None:
    """A rule's metric in the window that ends then."""
    metric = rule["metric"]
    window = _between(rows, end - length, end)
    if metric == "failure_rate":
        return _quotient(sum(not row["is_success"] for row in window), len(window))
    if metric == "error_budget_burn":
        shorter = _between(window, end - dt.timedelta(minutes=rule["second_window_minutes"]), end)
        rates = [_quotient(sum(not row["is_success"] for row in part), len(part)) for part in (window, shorter)]
        return None if None in rates else min(rates) / float(1 - rule["objective"])
    if metric in _CATEGORIES:
        return sum(row["error_category"] in _CATEGORIES[metric] for row in window)
    if metric == "p95_duration_ms":
        return _percentile(
            0.95, [row["duration_ms"] for row in window if row["is_success"] and row["duration_ms"] is not None]
        )
    if metric == "cost_change_ratio":
        before = _cost(_between(rows, end - 2 * length, end - length))
        return _quotient(_cost(window) - before, before)
    of = len if metric == "traffic_over_usual_ratio" else _cost
    usual = [of(_between(earlier, end - length - week * _WEEK, end - week * _WEEK)) for week, earlier in weeks.items()]
    return _quotient(of(window), statistics.median(usual)) if len(usual) >= 2 else None


def _between(rows: list[Row], begin: dt.datetime, end: dt.datetime) -> list[Row]:
    return [row for row in rows if begin <= row["created_at"] < end]


def _cost(rows: list[Row]) -> float:
    return float(sum(row["total_cost_usd"] or 0 for row in rows))


def _quotient(one: float, other: float) -> float | None:
    return one / other if other else None


def _percentile(share: float, values: list[float]) -> float | None:
    if not values:
        return None
    values = sorted(values)
    place = share * (len(values) - 1)
    below = values[math.floor(place)]
    return below + (values[math.ceil(place)] - below) * (place - math.floor(place))


def _mark_after(moment: dt.datetime) -> dt.datetime:
    """The first five-minute mark that is not before a moment."""
    since = moment - dt.datetime(2000, 1, 1)
    return moment + (-since) % FIVE_MINUTES


def _minutes(length: dt.timedelta) -> float:
    return length / dt.timedelta(minutes=1)
