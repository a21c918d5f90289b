"""What alert_evaluations and incidents should hold, worked out in plain Python, one window after the other."""

import datetime as dt
import hashlib
import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from oracle import Generation
from warehouse.backtest.metrics import (
    DEFAULT_EVIDENCE,
    FIVE_MINUTES,
    OF_NOTHING,
    WEEK,
    Usual,
    between,
    cost,
    is_affected,
    is_breached,
    observe,
    silence,
    weigh,
)
from warehouses import Row

_DAY = dt.timedelta(days=1)
_MINUTE = dt.timedelta(minutes=1)
_HOUR = dt.timedelta(hours=1)
_EXPLAINED = 6 * _HOUR
_COSTS = ("cost_change_ratio", "cost_over_usual_ratio")


@dataclass(frozen=True)
class Rule:
    """A row of the seed alert_rules."""

    rule_name: str
    metric: str = "failure_rate"
    window_minutes: int = 15
    second_window_minutes: int | None = None
    comparison: str = ">"
    threshold: float = 0.05
    minimum_sample: int | None = 1
    fire_after_windows: int | None = 1
    resolve_after_windows: int = 1
    severity: str = "page"
    objective: Decimal | None = None
    is_enabled: bool = True
    runbook: str = "look"
    longer_window_minutes: int | None = None
    minimum_evidence: float | None = 0.0


def five_minutes(time: dt.datetime) -> dt.datetime:
    """The five-minute mark at or before a time."""
    return time.replace(minute=time.minute // 5 * 5, second=0, microsecond=0)


@dataclass
class Weeks:
    """What the marts know of other weeks: rows of service_health, hourly_engagement and error_analysis."""

    health: Iterable[Row] = ()
    hours: Iterable[Row] = ()
    errors: Iterable[Row] = ()

    def __post_init__(self) -> None:
        """Look up by time."""
        self._slots = {row["window_start"]: row for row in self.health if row["is_complete"]}
        self._hours = {row["activity_hour"]: row["active_users"] for row in self.hours if row["is_complete"]}
        self._days: dict[dt.date, list[Row]] = {}
        for start, row in self._slots.items():
            self._days.setdefault(start.date(), []).append(row)

    def usual(self, rule: Row, end: dt.datetime, rows: list[Row]) -> Usual:
        """What is usual for a rule's window."""
        length = dt.timedelta(minutes=rule["window_minutes"])
        silent = max(silence(end, rows, length), FIVE_MINUTES) if rule["metric"] == "silent_minutes" else length
        return Usual(
            tuple(self._of_weeks(end, length)),
            tuple(self._users(end, silent)),
            self._error_share(rule["metric"], end.date()),
        )

    def _of_weeks(self, end: dt.datetime, length: dt.timedelta) -> Iterable[tuple[int, Decimal]]:
        """The count and the cost of the same window in each of the four weeks before that is known whole."""
        for week in range(1, 5):
            slots = [end - week * WEEK - place * FIVE_MINUTES for place in range(1, length // FIVE_MINUTES + 1)]
            known = [self._slots[slot] for slot in slots if slot in self._slots]
            if len(known) == len(slots):
                yield sum(row["generation_count"] for row in known), sum(row["total_cost_usd"] for row in known)

    def _users(self, end: dt.datetime, length: dt.timedelta) -> Iterable[float]:
        """The users of the same time in each of the four weeks before, minute by minute a part of their hour's."""
        for week in range(1, 5):
            minutes = [end - week * WEEK - place * _MINUTE for place in range(1, length // _MINUTE + 1)]
            hours = [minute.replace(minute=0) for minute in minutes]
            if all(hour in self._hours for hour in hours):
                yield sum(self._hours[hour] for hour in hours) / 60

    def _error_share(self, metric: str, day: dt.date) -> float | None:
        """The median day's, of the four weeks before."""
        categories = {"rate_limit_error_count": ("rate_limit",), "quota_or_billing_error_count": ("quota", "billing")}
        shares = []
        for back in range(1, 29):
            slots = self._days.get(day - back * _DAY, [])
            errors = [row for row in self.errors if row["activity_date"] == day - back * _DAY]
            count = sum(row["generation_count"] for row in slots)
            failures = sum(row["failure_count"] for row in slots)
            if len(slots) == 288 and count and failures == sum(row["error_count"] for row in errors):
                own = [row["error_count"] for row in errors if row["error_category"] in categories.get(metric, ())]
                shares.append(sum(own) / count)
        return statistics.median(shares) if len(shares) >= 7 else None


def evaluate(rule: Rule, generations: list[Row], weeks: Weeks, end: dt.datetime) -> Row:
    """The row of alert_evaluations for a rule and a window. What is seen is worked out as the backtest does."""
    looks = [_look(vars(rule), generations, weeks, end)]
    # a percentile of a hundred is sure enough
    if rule.longer_window_minutes and not (rule.metric == "p95_duration_ms" and looks[0]["sample_size"] >= 100):
        longer = vars(rule) | {"window_minutes": rule.longer_window_minutes}
        looks.append(_look(longer, generations, weeks, end))
    return min(looks, key=lambda look: ["firing", "ok", "insufficient_data"].index(look["outcome"]))


def _look(rule: Row, generations: list[Row], weeks: Weeks, end: dt.datetime) -> Row:
    """As one of its windows says."""
    usual = weeks.usual(rule, end, generations)
    value, sample = observe(rule, end, generations, usual)
    weight = weigh(rule, end, generations, usual)
    least = DEFAULT_EVIDENCE if rule["minimum_evidence"] is None else rule["minimum_evidence"]
    if value is None or sample < (rule["minimum_sample"] or 0) or not sample and rule["metric"] not in OF_NOTHING:
        outcome = "insufficient_data"
    else:
        outcome = "firing" if weight.evidence >= least and is_breached(rule, value) else "ok"
    return {
        "rule_name": rule["rule_name"],
        "window_end": end,
        "severity": rule["severity"],
        "observed_value": value,
        "threshold": rule["threshold"],
        "sample_size": sample,
        "outcome": outcome,
        "metric": rule["metric"],
        "comparison": rule["comparison"],
        "window_minutes": rule["window_minutes"],
        "minimum_sample": rule["minimum_sample"] or 0,
        "fire_after_windows": rule["fire_after_windows"] or 1,
        "resolve_after_windows": rule["resolve_after_windows"],
        "is_complete": True,
        "evidence": None if value is None else weight.evidence,
        "witness_count": weight.witness_count,
        "affected_witness_count": weight.affected_witness_count,
        "minimum_evidence": least,
    }


@dataclass
class Incident:
    """A firing stretch of a rule, and those that follow within an hour after it was ok."""

    opening: Row
    firing: list[Row]
    newest: Row
    resolved_at: dt.datetime | None = None
    resolution: str | None = None
    reopened: int = 0

    @property
    def key(self) -> str:
        """Its key for good."""
        return hashlib.md5(f"{self.opening['rule_name']} {self.opening['window_end']}".encode()).hexdigest()


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
                last = found[-1] if found else None
                if last and last.resolution == "ok" and row["window_end"] - last.resolved_at <= _HOUR:
                    current = last
                    current.firing += streak
                    current.newest, current.resolved_at, current.resolution = row, None, None
                    current.reopened += 1
                else:
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


def explanation_of(opening: Row, first: dt.datetime, last: dt.datetime, generations: list[Row]) -> str | None:
    """In what an incident's generations differ from those of the hour before: the text of incidents.explanation."""
    metric = opening["metric"]
    if metric in OF_NOTHING or opening["comparison"] not in (">", ">="):
        return None
    began, ended = first - dt.timedelta(minutes=opening["window_minutes"]), min(last, first + _EXPLAINED)
    minutes = (ended - began) // dt.timedelta(minutes=1)
    is_cost = metric in _COSTS
    within, before = between(generations, began, ended), between(generations, began - _HOUR, began)

    def amount(rows: Iterable[Row]) -> int:
        hit = [row for row in rows if is_affected(opening, row)]
        return sum(int((row["total_cost_usd"] or 0) * 1_000_000) for row in hit) if is_cost else len(hit)

    def usual(then: int, now: int, of: int) -> float:
        """So many of the generations before, for as many as there are now."""
        return then * now / of if of else 0

    def excess(rows: list[Row], expected: float) -> int:
        return amount(rows) - math.floor(expected + 0.5)

    total = excess(
        within, amount(before) * minutes / 60 if is_cost else usual(amount(before), len(within), len(before))
    )
    if total <= 0:
        return None

    def said(part: int) -> str:
        return f"{part // 1_000_000}.{part // 10_000 % 100:02}" if is_cost else str(part)

    def share(part: int) -> str:
        return f"{said(min(part, total))} of {said(total)}" + " USD" * is_cost

    def parts(of: Callable[[Row], object]) -> dict[object, tuple[list[Row], list[Row]]]:
        found: dict[object, tuple[list[Row], list[Row]]] = {}
        for place, rows in enumerate((within, before)):
            for row in rows:
                found.setdefault(of(row), ([], []))[place].append(row)
        return found

    def by_excess(found: dict[object, int]) -> list[object]:
        return sorted(found, key=lambda name: (-found[name], name is None, str(name)))

    texts = []
    if is_cost:
        texts.append(f"{said(total)} USD extra")
    elif metric == "p95_duration_ms":
        texts.append(f"{total} extra slow generation" + "s" * (total != 1))
    else:
        kinds = parts(lambda row: None if row["error_category"] in (None, "unknown") else row["error_signature"])
        over = {name: excess(now, usual(amount(then), len(within), len(before))) for name, (now, then) in kinds.items()}
        most = by_excess(over)[0]
        if 2 * over[most] >= total:
            verb = "is" if total == 1 else "are"
            kind = "of no known kind" if most is None else f'"{most[:60]}"'
            texts.append(f"{share(over[most])} extra failure{'s' * (total != 1)} {verb} {kind}")
        else:
            texts.append(f"{total} extra failure" + "s" * (total != 1))

    if not is_cost and total < 5:
        return texts[0]

    def is_above(part: int, now: list[Row], then: list[Row]) -> bool:
        base, whole = (amount(then), amount(before)) if is_cost else (len(now), len(within))
        return part * whole >= 2 * base * total or (10 * part >= 9 * total and 3 * base <= 2 * whole)

    for dimension in ("style", "difficulty"):
        values = parts(lambda row, dimension=dimension: row[dimension])
        over = {}
        for name, (now, then) in values.items():
            if is_cost:
                expected = amount(then) * minutes / 60
            elif then:
                expected = usual(amount(then), len(now), len(then))
            else:
                expected = usual(amount(before), len(now), len(before))
            over[name] = excess(now, expected)
        most = by_excess(over)[0]
        above = {name for name in over if is_above(over[name], *values[name])}
        if most in above and 2 * over[most] >= total:
            users = {row["user_key"] for rows in values[most] for row in rows if row["user_key"]}
            if dimension == "difficulty":
                name = None if most is None else f"with difficulty {most}"
            else:
                name = f'with style "{most[:40]}"' if len(users) >= 3 else "with one style"
            if name:
                texts.append(f"{share(over[most])} {name}")
        elif dimension == "style" and len(values) > 1 and not any(4 * over[name] >= total for name in above):
            texts.append("all styles alike")
    if minutes > 120:
        hours = parts(lambda row: f"{row['created_at']:%H}")
        over = {}
        for name, (now, _) in hours.items():
            if is_cost:
                expected = amount(before) * minutes * len(now) / (60 * len(within)) if within else 0
            else:
                expected = usual(amount(before), len(now), len(before))
            over[name] = excess(now, expected)
        most = by_excess(over)[0]
        if 2 * over[most] >= total:
            texts.append(f"{share(over[most])} from {most}:00 to {most}:59 UTC")
    return "; ".join(texts)[:200]


@dataclass
class Journal:
    """The alerts' tables as they grow, run by run."""

    settle: dt.timedelta = dt.timedelta(minutes=10)
    first: dt.timedelta = dt.timedelta(hours=24)
    evaluations: dict[tuple, Row] = field(default_factory=dict)
    incidents: dict[tuple, Row] = field(default_factory=dict)
    _kept: dict[tuple, Row] = field(default_factory=dict)
    _kept_until: dt.datetime = dt.datetime.min
    _counted_until: dict[str, dt.datetime] = field(default_factory=dict)
    _counted: dict[str, list[Row]] = field(default_factory=dict)

    def run(
        self,
        log: Callable[[dt.datetime], list[Generation]],
        as_of: dt.datetime | None,
        rules: Iterable[Rule],
        weeks: Weeks | None = None,
    ) -> None:
        """Judge what is due at this clock. `log` gives the generations before a time, as the log has them now."""
        rules = [rule for rule in rules if rule.is_enabled]
        weeks = weeks or Weeks()
        if as_of is None:
            return
        judged = max((end for _, end in self.evaluations), default=None)
        last = five_minutes(as_of - self.settle)
        end = judged + FIVE_MINUTES if judged else last - self.first + FIVE_MINUTES
        # A row that was not there when its five minutes were judged is in no window.
        new = [row for row in log(last) if row.created_at >= self._kept_until]
        self._kept |= {(row.generation_id, row.activity_date): vars(row) for row in new}
        self._kept_until = max(self._kept_until, last)
        generations = list(self._kept.values())
        while end <= last:
            for rule in rules:
                self.evaluations[rule.rule_name, end] = evaluate(rule, generations, weeks, end)
            end += FIVE_MINUTES
        self._make_incidents(generations, {rule.rule_name for rule in rules})

    def _make_incidents(self, generations: list[Row], judged: set[str]) -> None:
        for name in {name for name, _ in self.evaluations}:
            rows = [row for key, row in sorted(self.evaluations.items(), key=lambda each: each[0][1]) if key[0] == name]
            for incident in incidents_of(rows, name in judged):
                self.incidents[(incident.key,)] = self._row(incident, generations)

    def _row(self, incident: Incident, generations: list[Row]) -> Row:
        opening, firing = incident.opening, incident.firing
        began = firing[0]["window_end"] - dt.timedelta(minutes=opening["window_minutes"])
        since, until = self._counted_until.get(incident.key, began), firing[-1]["window_end"]
        hit = self._counted.setdefault(incident.key, [])
        hit += [row for row in between(generations, since, until) if is_affected(opening, row)]
        self._counted_until[incident.key] = max(since, until)
        failures = [row for row in hit if not row["is_success"]]
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
            "affected_generation_count": len(hit),
            "affected_users": len({row["user_key"] for row in hit if row["user_key"]}),
            "lost_cost_usd": cost(failures),
            "affected_failure_count": len(failures),
            "costed_failure_count": sum(row["total_cost_usd"] is not None for row in failures),
            "reopened_count": incident.reopened,
            "explanation": explanation_of(opening, firing[0]["window_end"], until, generations),
        }
