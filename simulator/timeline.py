"""How much traffic each minute of the log has: rhythm of the day and the week, growth, noise."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

MINUTE_US = 60_000_000
MINUTES_PER_DAY = 1440

# Bounds the memory of one chunk; a busier day is cut into several chunks.
MAX_CHUNK_ROWS = 250_000

# Traffic of Monday to Sunday: people play at the weekend.
_WEEKDAY_FACTORS = np.array([0.92, 0.90, 0.93, 0.97, 1.05, 1.22, 1.18])
# The last day has about this many times the traffic of the first.
_GROWTH = 1.8
_DAY_NOISE = 0.05


@dataclass(frozen=True)
class Timeline:
    """The span of the log, in whole minutes counted from its start."""

    start: datetime
    days: int

    @property
    def start_us(self) -> int:
        """The first instant, in microseconds since 1970."""
        return int((self.start.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))

    @property
    def minutes(self) -> int:
        """How many minutes the log spans."""
        return self.days * MINUTES_PER_DAY

    def instant(self, minute: int) -> datetime:
        """The time at which a minute begins."""
        return self.start + timedelta(minutes=int(minute))


@dataclass(frozen=True)
class Chunk:
    """A stretch of one day that is drawn at once."""

    number: int
    day: int
    first_minute: int
    rows_per_minute: np.ndarray
    first_row: int

    @property
    def rows(self) -> int:
        """How many rows of the log fall into this chunk."""
        return int(self.rows_per_minute.sum())


def daily_rhythm(timeline: Timeline) -> np.ndarray:
    """Each minute's traffic relative to its day's mean: most in the evening, least in the morning (UTC)."""
    minutes = np.arange(timeline.minutes) + (timeline.start.hour * 60 + timeline.start.minute)
    angle = 2 * np.pi * minutes / MINUTES_PER_DAY
    return 1 + 0.52 * np.cos(angle - 2 * np.pi * 19.5 / 24) + 0.08 * np.cos(2 * angle - 2 * np.pi * 17 / 12)


def demand(timeline: Timeline, rng: np.random.Generator) -> np.ndarray:
    """Each minute's traffic, undisturbed by incidents, in arbitrary units."""
    days = np.arange(timeline.days)
    weekdays = (days + timeline.start.weekday()) % 7
    growth = _GROWTH ** (days / max(1, timeline.days - 1))
    noise = np.exp(rng.normal(0, _DAY_NOISE, timeline.days))
    return daily_rhythm(timeline) * np.repeat(_WEEKDAY_FACTORS[weekdays] * growth * noise, MINUTES_PER_DAY)


def spread_rows(rows: int, minute_demand: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exactly `rows` rows over the minutes, at random in proportion to their demand."""
    return rng.multinomial(rows, minute_demand / minute_demand.sum())


def chunks(rows_per_minute: np.ndarray) -> list[Chunk]:
    """The log in order, cut at days and, on busy days, wherever a chunk is full."""
    planned: list[Chunk] = []
    first_row = 0
    for day_start in range(0, len(rows_per_minute), MINUTES_PER_DAY):
        day_rows = rows_per_minute[day_start : day_start + MINUTES_PER_DAY]
        parts = np.cumsum(day_rows) // MAX_CHUNK_ROWS
        edges = [0, *(np.flatnonzero(np.diff(parts)) + 1).tolist(), len(day_rows)]
        for begin, end in zip(edges, edges[1:], strict=False):
            chunk = Chunk(len(planned), day_start // MINUTES_PER_DAY, day_start + begin, day_rows[begin:end], first_row)
            if chunk.rows:
                planned.append(chunk)
                first_row += chunk.rows
    return planned
