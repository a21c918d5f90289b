"""What rules should have caught: incidents that are known, held against the single generations, one window after the
other, and not by the SQL that judges the rules."""

import csv
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.backtest.metrics import FIVE_MINUTES, USUAL, WEEK, Usual, between, cost, is_breached, observe
from warehouse.database import Row
from warehouse.errors import ConfigurationError

# Which metrics should show an incident of each kind, as the simulator names them. What shows in others is an aftermath.
CAUGHT_BY = {
    "rate_limit_storm": ("rate_limit_error_count", "failure_rate", "error_budget_burn"),
    "slow_hour": ("p95_duration_ms",),
    "cost_spike": ("cost_change_ratio", "cost_over_usual_ratio"),
    "outage": ("traffic_over_usual_ratio",),
    "failing": ("failure_rate", "error_budget_burn"),
}
# The generations from one time up to another.
Generations = Callable[[dt.datetime, dt.datetime], list[Row]]


@dataclass(frozen=True)
class Truth:
    """An incident that is known to have happened, `ended_at` exclusive."""

    kind: str
    started_at: dt.datetime
    ended_at: dt.datetime
    # of a failing hour: the share of tries that failed
    intensity: float | None = None

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
        """How many of them the rule reported, at the latest one window after they had breached it for a whole one."""
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
                    float(row["intensity"]) if row.get("intensity") else None,
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
    end = _mark_after(truth.started_at + length)
    if end > truth.ended_at:
        return None
    lengths_back = 2 if rule["metric"] == "cost_change_ratio" else 1
    rows = generations(end - lengths_back * length, truth.ended_at)
    weeks = [
        (week * WEEK, generations(end - length - week * WEEK, truth.ended_at - week * WEEK))
        for week in (range(1, 5) if rule["metric"] in USUAL else ())
        if end - length - week * WEEK >= known_from
    ]
    while end <= truth.ended_at:
        windows = [between(earlier, end - length - back, end - back) for back, earlier in weeks]
        value, _ = observe(rule, end, rows, Usual(tuple((len(window), cost(window)) for window in windows)))
        if is_breached(rule, value):
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


def _mark_after(moment: dt.datetime) -> dt.datetime:
    """The first five-minute mark that is not before a moment."""
    since = moment - dt.datetime(2000, 1, 1)
    return moment + (-since) % FIVE_MINUTES


def _minutes(length: dt.timedelta) -> float:
    return length / dt.timedelta(minutes=1)
