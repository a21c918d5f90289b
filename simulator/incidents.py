"""Incidents: when they happen, what they do to the log, and the truth that is written beside it."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simulator.timeline import Timeline, daily_rhythm

KINDS = ("rate_limit_storm", "slow_hour", "cost_spike", "outage")
# Hours in which this share of all tries fails: so many of each share, and only where they are asked for.
FAILING = "failing"
FAILING_SHARES = (0.15, 0.5, 1.0)

_MINUTES = {
    "rate_limit_storm": (30, 90),
    "slow_hour": (60, 120),
    "cost_spike": (60, 120),
    "outage": (30, 90),
    FAILING: (60, 60),
}
_INTENSITIES = {"rate_limit_storm": (0.6, 0.9), "slow_hour": (3.0, 4.0), "cost_spike": (2.5, 3.0), "outage": (1.0, 1.0)}
_DETAILS = {
    "rate_limit_storm": "intensity is the share of generations that fail with a 429 rate limit",
    "slow_hour": "intensity is the factor on the durations of successes",
    "cost_spike": "intensity is the factor on every cost",
    "outage": "no generation is logged",
    FAILING: "intensity is the share of tries that fail with an error of the provider",
}
_LONGEST = max(longest for _, longest in _MINUTES.values())
# Tried in this order: incidents are as far apart as still fits.
_GAPS_MINUTES = (480, 360, 240, 180)
_COLUMNS = ("incident_id", "kind", "started_at", "ended_at", "intensity", "detail")


class DoesNotFitError(Exception):
    """More incidents are wanted than the range of the log can hold apart."""


@dataclass(frozen=True)
class Incident:
    """One incident, from the start of one minute to the start of another."""

    kind: str
    first_minute: int
    end_minute: int
    intensity: float


@dataclass(frozen=True)
class Conditions:
    """What the incidents do to each minute."""

    traffic: np.ndarray
    storm_share: np.ndarray
    failing_share: np.ndarray
    duration_factor: np.ndarray
    cost_factor: np.ndarray


def place(
    timeline: Timeline, of_each_kind: int, of_each_failing: int, at_end: str | None, rng: np.random.Generator
) -> list[Incident]:
    """`of_each_kind` incidents of every kind and `of_each_failing` failing hours of every share, at hours of more than
    average traffic, and perhaps one incident at the end."""
    placed = [_at_end(timeline, at_end, rng)] if at_end else []
    wanted = [(kind, _INTENSITIES[kind]) for kind in KINDS] * of_each_kind
    wanted += [(FAILING, (share, share)) for share in FAILING_SHARES] * of_each_failing
    if not wanted:
        return placed
    starts = _free_starts(timeline, len(wanted), bool(at_end), rng)
    order = rng.permutation(len(wanted))
    for start, number in zip(rng.permutation(starts)[: len(wanted)], order, strict=True):
        incident = _draw(*wanted[number], int(start), rng)
        slack = _LONGEST - (incident.end_minute - incident.first_minute)
        shift = int(rng.integers(0, slack + 1))
        placed.append(
            replace(incident, first_minute=incident.first_minute + shift, end_minute=incident.end_minute + shift)
        )
    return sorted(placed, key=lambda incident: incident.first_minute)


def conditions(timeline: Timeline, incidents: list[Incident]) -> Conditions:
    """The effect of the incidents on every minute of the log."""
    effect = Conditions(
        traffic=np.ones(timeline.minutes, dtype=np.float32),
        storm_share=np.zeros(timeline.minutes, dtype=np.float32),
        failing_share=np.zeros(timeline.minutes, dtype=np.float32),
        duration_factor=np.ones(timeline.minutes, dtype=np.float32),
        cost_factor=np.ones(timeline.minutes, dtype=np.float32),
    )
    for incident in incidents:
        span = slice(incident.first_minute, incident.end_minute)
        if incident.kind == "outage":
            effect.traffic[span] = 0
        elif incident.kind == "rate_limit_storm":
            effect.storm_share[span] = incident.intensity
        elif incident.kind == FAILING:
            effect.failing_share[span] = incident.intensity
        elif incident.kind == "slow_hour":
            effect.duration_factor[span] = incident.intensity
        else:
            effect.cost_factor[span] = incident.intensity
    return effect


def write_truth(path: Path, timeline: Timeline, incidents: list[Incident]) -> None:
    """The incidents as CSV, `ended_at` exclusive."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for number, incident in enumerate(incidents, start=1):
            started_at, ended_at = timeline.instant(incident.first_minute), timeline.instant(incident.end_minute)
            writer.writerow(
                [number, incident.kind, started_at, ended_at, f"{incident.intensity:.3f}", _DETAILS[incident.kind]]
            )


def _draw(kind: str, intensities: tuple[float, float], first_minute: int, rng: np.random.Generator) -> Incident:
    shortest, longest = _MINUTES[kind]
    length = int(rng.integers(shortest, longest + 1))
    return Incident(kind, first_minute, first_minute + length, float(rng.uniform(*intensities)))


def _at_end(timeline: Timeline, kind: str, rng: np.random.Generator) -> Incident:
    length = int(rng.integers(40, 56))
    return replace(_draw(kind, _INTENSITIES[kind], timeline.minutes - length, rng), end_minute=timeline.minutes)


def _free_starts(timeline: Timeline, wanted: int, keep_end_free: bool, rng: np.random.Generator) -> np.ndarray:
    """Minutes at which incidents may start, far enough apart, or DoesNotFitError."""
    busy = daily_rhythm(timeline) >= 1
    if keep_end_free:
        busy[-(60 + _GAPS_MINUTES[-1]) :] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], busy, [False])).astype(np.int8)))
    for gap in _GAPS_MINUTES:
        starts: list[int] = []
        for run_begin, run_end in edges.reshape(-1, 2):
            first = max(int(run_begin), starts[-1] + _LONGEST + gap if starts else 0)
            fitting = (int(run_end) - first + gap) // (_LONGEST + gap)
            if fitting > 0:
                slack = int(run_end) - first + gap - fitting * (_LONGEST + gap)
                first += int(rng.integers(0, slack + 1))
                starts.extend(first + number * (_LONGEST + gap) for number in range(fitting))
        if len(starts) >= wanted:
            return np.array(starts)
    raise DoesNotFitError(
        f"{wanted} incidents do not fit into {timeline.days} days: at most {len(starts)} are "
        f"{_GAPS_MINUTES[-1] // 60} hours apart at busy hours"
    )
