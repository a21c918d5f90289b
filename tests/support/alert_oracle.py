"""What alert_evaluations and incidents should hold, worked out in plain Python, one window after the other."""

import datetime as dt
import hashlib
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from oracle import Generation, count_of, percentile, quotient, usd_of, users_of
from warehouses import Row

FIVE_MINUTES = dt.timedelta(minutes=5)
_WEEK = dt.timedelta(days=7)
_DAY = dt.timedelta(days=1)
_BREACHED = {
    ">": lambda value, threshold: value > threshold,
    ">=": lambda value, threshold: value >= threshold,
    "<": lambda value, threshold: value < threshold,
    "<=": lambda value, threshold: value <= threshold,
}
_CATEGORIES = {"rate_limit_error_count": {"rate_limit"}, "quota_or_billing_error_count": {"quota", "billing"}}


@dataclass(frozen=True)
class Rule:
    """A row of the seed alert_rules."""

    rule_name: str
    metric: str = "failure_rate"
    window_minutes: int = 15
    second_window_minutes: int | None = None
    comparison: str = ">"
    threshold: float = 0.05
    minimum_sample: int = 1
    fire_after_windows: int = 1
    resolve_after_windows: int = 1
    severity: str = "page"
    objective: Decimal | None = None
    is_enabled: bool = True
    runbook: str = "look"


def five_minutes(time: dt.datetime) -> dt.datetime:
    """The five-minute mark at or before a time."""
    return time.replace(minute=time.minute // 5 * 5, second=0, microsecond=0)


def _between(generations: Iterable[Generation], first: dt.datetime, end: dt.datetime) -> list[Generation]:
    return [row for row in generations if first <= row.created_at < end]


def _usual(health: dict[dt.datetime, Row], end: dt.datetime, length: dt.timedelta, column: str) -> float | None:
    """The median of the same window in the four weeks before, where two of them at least are known."""
    sums = []
    for week in range(1, 5):
        slots = [end - week * _WEEK - place * FIVE_MINUTES for place in range(1, length // FIVE_MINUTES + 1)]
        if all(slot in health and health[slot]["is_complete"] for slot in slots):
            sums.append(float(sum(health[slot][column] for slot in slots)))
    return statistics.median(sums) if len(sums) >= 2 else None


def _observe(
    rule: Rule, generations: list[Generation], health: dict[dt.datetime, Row], end: dt.datetime
) -> tuple[float | None, int]:
    """The value of the rule's metric over one window, and its sample."""
    length = dt.timedelta(minutes=rule.window_minutes)
    rows = _between(generations, end - length, end)
    failures = [row for row in rows if not row.is_success]
    if rule.metric == "failure_rate":
        return quotient(len(failures), len(rows)), len(rows)
    if rule.metric == "p95_duration_ms":
        timed = [row.duration_ms for row in rows if row.is_timed_success]
        return percentile(timed, 0.95), len(timed)
    if rule.metric in _CATEGORIES:
        return float(sum(row.error_category in _CATEGORIES[rule.metric] for row in rows)), len(rows)
    if rule.metric == "cost_change_ratio":
        before = _between(generations, end - 2 * length, end - length)
        return quotient(usd_of(rows) - usd_of(before), usd_of(before)), min(len(rows), len(before))
    if rule.metric == "cost_over_usual_ratio":
        usual = _usual(health, end, length, "total_cost_usd")
        return quotient(usd_of(rows), usual) if usual else None, len(rows)
    if rule.metric == "traffic_over_usual_ratio":
        usual = _usual(health, end, length, "generation_count")
        return quotient(len(rows), usual) if usual else None, int((usual or 0) + 0.5)
    shorter = _between(rows, end - dt.timedelta(minutes=rule.second_window_minutes), end)
    burns = [
        quotient(sum(not row.is_success for row in each), len(each) * (1 - rule.objective)) for each in (rows, shorter)
    ]
    return None if None in burns else min(burns), len(shorter)


def evaluate(rule: Rule, generations: list[Generation], health: dict[dt.datetime, Row], end: dt.datetime) -> Row:
    """The row of alert_evaluations for a rule and a window."""
    value, sample = _observe(rule, generations, health, end)
    if value is None or sample < rule.minimum_sample:
        outcome = "insufficient_data"
    else:
        outcome = "firing" if _BREACHED[rule.comparison](value, rule.threshold) else "ok"
    return {
        "rule_name": rule.rule_name,
        "window_end": end,
        "severity": rule.severity,
        "observed_value": value,
        "threshold": rule.threshold,
        "sample_size": sample,
        "outcome": outcome,
        "metric": rule.metric,
        "comparison": rule.comparison,
        "window_minutes": rule.window_minutes,
        "minimum_sample": rule.minimum_sample,
        "fire_after_windows": rule.fire_after_windows,
        "resolve_after_windows": rule.resolve_after_windows,
        "is_complete": True,
    }


@dataclass
class Incident:
    """A firing stretch of a rule."""

    opening: Row
    firing: list[Row]
    newest: Row
    resolved_at: dt.datetime | None = None
    resolution: str | None = None

    @property
    def key(self) -> str:
        """Its key for good."""
        return hashlib.md5(f"{self.opening['rule_name']} {self.opening['window_end']}".encode()).hexdigest()

    def is_about(self, row: Generation) -> bool:
        """Is the generation one of those that are counted?"""
        metric = self.opening["metric"]
        if metric in ("failure_rate", "error_budget_burn"):
            return not row.is_success
        if metric in _CATEGORIES:
            return row.error_category in _CATEGORIES[metric]
        if metric == "p95_duration_ms":
            return row.is_timed_success and row.duration_ms > self.opening["threshold"]
        return metric != "traffic_over_usual_ratio"


def incidents_of(evaluations: list[Row], is_judged: bool) -> list[Incident]:
    """What happened to one rule, given all of its evaluations in order."""
    found: list[Incident] = []
    current: Incident | None = None
    streak: list[Row] = []
    oks = 0
    previous: Row | None = None

    def close(at: dt.datetime, resolution: str) -> None:
        nonlocal current
        current.resolved_at, current.resolution = at, resolution
        current = None

    for row in evaluations:
        if previous and row["window_end"] - previous["window_end"] > FIVE_MINUTES:
            if current:
                close(previous["window_end"] + FIVE_MINUTES, "rule_disabled")
            streak, oks = [], 0
        previous = row
        if current:
            current.newest = row
        if row["outcome"] == "firing":
            streak.append(row)
            oks = 0
            if current:
                current.firing.append(row)
            elif len(streak) >= row["fire_after_windows"]:
                current = Incident(row, list(streak), row)
                found.append(current)
            continue
        streak = []
        oks += row["outcome"] == "ok"
        if current and row["outcome"] == "ok" and oks >= row["resolve_after_windows"]:
            close(row["window_end"], "ok")
        elif current and row["window_end"] - current.firing[-1]["window_end"] >= _DAY:
            close(row["window_end"], "no_data")
    if current and not is_judged:
        close(previous["window_end"] + FIVE_MINUTES, "rule_disabled")
    return found


@dataclass
class Journal:
    """The alerts' tables as they grow, run by run."""

    settle: dt.timedelta = dt.timedelta(minutes=10)
    first: dt.timedelta = dt.timedelta(hours=24)
    evaluations: dict[tuple, Row] = field(default_factory=dict)
    incidents: dict[tuple, Row] = field(default_factory=dict)
    _kept: dict[tuple, Generation] = field(default_factory=dict)
    _kept_until: dt.datetime = dt.datetime.min
    _counted_until: dict[str, dt.datetime] = field(default_factory=dict)
    _counted: dict[str, list[Generation]] = field(default_factory=dict)

    def run(
        self,
        log: Callable[[dt.datetime], list[Generation]],
        as_of: dt.datetime | None,
        rules: Iterable[Rule],
        health: Iterable[Row] = (),
    ) -> None:
        """Judge what is due at this clock. `log` gives the generations before a time, as the log has them now."""
        rules = [rule for rule in rules if rule.is_enabled]
        by_start = {row["window_start"]: row for row in health}
        if as_of is None:
            return
        judged = max((end for _, end in self.evaluations), default=None)
        last = five_minutes(as_of - self.settle)
        end = judged + FIVE_MINUTES if judged else last - self.first + FIVE_MINUTES
        # A row that was not there when its five minutes were judged is in no window.
        new = [row for row in log(last) if row.created_at >= self._kept_until]
        self._kept |= {(row.generation_id, row.activity_date): row for row in new}
        self._kept_until = max(self._kept_until, last)
        generations = list(self._kept.values())
        while end <= last:
            for rule in rules:
                self.evaluations[rule.rule_name, end] = evaluate(rule, generations, by_start, end)
            end += FIVE_MINUTES
        self._make_incidents(generations, {rule.rule_name for rule in rules})

    def _make_incidents(self, generations: list[Generation], judged: set[str]) -> None:
        for name in {name for name, _ in self.evaluations}:
            rows = [row for key, row in sorted(self.evaluations.items(), key=lambda each: each[0][1]) if key[0] == name]
            for incident in incidents_of(rows, name in judged):
                self.incidents[(incident.key,)] = self._row(incident, generations)

    def _row(self, incident: Incident, generations: list[Generation]) -> Row:
        opening, firing = incident.opening, incident.firing
        began = firing[0]["window_end"] - dt.timedelta(minutes=opening["window_minutes"])
        since, until = self._counted_until.get(incident.key, began), firing[-1]["window_end"]
        hit = self._counted.setdefault(incident.key, [])
        hit += [row for row in _between(generations, since, until) if incident.is_about(row)]
        self._counted_until[incident.key] = max(since, until)
        values = [row["observed_value"] for row in firing]
        ended = incident.resolved_at or incident.newest["window_end"]
        return {
            "incident_key": incident.key,
            **{name: opening[name] for name in ("rule_name", "severity", "metric", "threshold", "comparison")},
            "first_firing_at": firing[0]["window_end"],
            "opened_at": opening["window_end"],
            "last_firing_at": until,
            "resolved_at": incident.resolved_at,
            "resolution": incident.resolution,
            "duration_minutes": (ended - firing[0]["window_end"]) // dt.timedelta(minutes=1),
            "worst_value": max(values) if opening["comparison"] in (">", ">=") else min(values),
            "affected_generation_count": count_of(hit, "generation_id"),
            "affected_users": len(users_of(hit)),
            "lost_cost_usd": usd_of([row for row in hit if not row.is_success]),
        }
