"""A whole log: from a description of it to tables of rows, in order of time."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import dirt, documents, errors, generations, incidents, timeline
from simulator.population import ActiveUsers, Population
from simulator.texts import choices, job_ids, uuids

# The columns of the application's table, in its order.
SCHEMA = pa.schema(
    [
        ("id", pa.uuid()),
        ("user_id", pa.uuid()),
        ("job_id", pa.string()),
        ("style", pa.string()),
        ("difficulty", pa.int32()),
        ("duration_ms", pa.int64()),
        ("costs", pa.string()),
        ("tokens", pa.string()),
        ("success", pa.bool_()),
        ("error_message", pa.string()),
        ("created_at", pa.timestamp("us")),
    ]
)
# Malformed values do not fit the types, so a log with dirt is all text.
DIRTY_SCHEMA = pa.schema([(name, pa.string()) for name in SCHEMA.names])

# The application's own form, or a mixture of what many writers log.
FORMS = ("application", "mixed")
_STYLE_NAMES = {
    "application": pa.array(generations.APPLICATION_STYLES),
    "mixed": pa.array(list(generations.STYLE_SHARES)),
}
_MOST_JOBS = 9_999
_WORKERS = 2


@dataclass(frozen=True)
class LogSettings:
    """What distinguishes one log from another; equal settings make equal logs."""

    rows: int
    days: int
    end: datetime
    seed: int
    dirt: float = 0.0
    incidents: int = 0
    failing: int = 0
    incident_at_end: str | None = None
    form: str = "application"
    bursts: bool = False


class Log:
    """A log that is drawn piece by piece, so that its size does not matter."""

    def __init__(self, settings: LogSettings) -> None:
        """Plan the log: its incidents, the traffic of every minute and the chunks it is drawn in."""
        self._settings = settings
        self.timeline = timeline.Timeline(settings.end - timedelta(days=settings.days), settings.days)
        self.incidents = incidents.place(
            self.timeline,
            settings.incidents,
            settings.failing,
            settings.incident_at_end,
            self._random("incidents"),
        )
        self._effect = incidents.conditions(self.timeline, self.incidents)
        demand = timeline.demand(self.timeline, self._random("demand")) * self._effect.traffic
        self._rows_per_minute = timeline.spread_rows(settings.rows, demand, self._random("rows"))
        self._salts = [int(salt) for salt in self._random("ids").integers(0, 2**63, 5)]

    @property
    def rows(self) -> int:
        """How many rows the log has."""
        return self._settings.rows

    @property
    def schema(self) -> pa.Schema:
        """The types of the columns."""
        return DIRTY_SCHEMA if self._settings.dirt else SCHEMA

    def tables(self) -> Iterator[pa.Table]:
        """The rows in order of time, some at a time."""
        rows_per_day = self._rows_per_minute.reshape(self.timeline.days, -1).sum(axis=1)
        population = Population(rows_per_day, self._random("population"))
        waiting: deque[Future[pa.Table]] = deque()
        day, active = None, None
        with ThreadPoolExecutor(_WORKERS) as pool:
            for chunk in timeline.chunks(self._rows_per_minute):
                if chunk.day != day:
                    day, active = chunk.day, population.active_on(chunk.day, self._random("active", chunk.day))
                waiting.append(pool.submit(self._table, chunk, active))
                if len(waiting) > _WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _table(self, chunk: timeline.Chunk, active: ActiveUsers) -> pa.Table:
        rng = self._random("generations", chunk.number)
        drawn = generations.draw(chunk, active, self._effect, rng, in_bursts=self._settings.bursts)
        by_application = self._settings.form == "application"
        cost_factor = self._effect.cost_factor[drawn.minute]
        created_us = drawn.created_us + self.timeline.start_us
        styles = choices(_STYLE_NAMES[self._settings.form], drawn.style)
        difficulty, duration_ms = pa.array(drawn.difficulty.astype(np.int32) + 1), drawn.duration_ms.astype(np.int64)
        if by_application:
            costs, tokens = documents.of_application(drawn, cost_factor, rng)
            # a number drawn for each request: equal ones are a coincidence
            jobs = pa.array(rng.integers(1_000, 1_000 + _MOST_JOBS, chunk.rows)).cast(pa.string())
            # a request that is refused before its job begins; what it took is then counted from 1970
            is_early = drawn.failure == errors.INVALID_IMAGE
            styles, difficulty = (pc.if_else(pa.array(~is_early), column, None) for column in (styles, difficulty))
            duration_ms = np.where(is_early, created_us // 1000, duration_ms)
        else:
            log_us = self.timeline.minutes * timeline.MINUTE_US
            costs, tokens = documents.of_many_writers(drawn, cost_factor, log_us, rng)
            jobs = job_ids(drawn.job, self._salts[4])
        table = pa.table(
            [
                self._ids(np.arange(chunk.first_row, chunk.first_row + chunk.rows)),
                uuids(drawn.user, (self._salts[2], self._salts[3])),
                jobs,
                styles,
                difficulty,
                pa.array(duration_ms),
                costs,
                tokens,
                pa.array(drawn.failure == generations.SUCCESS),
                _error_messages(drawn.failure, rng, by_application=by_application),
                pa.array(created_us).cast(pa.timestamp("us")),
            ],
            schema=SCHEMA,
        )
        if self._settings.dirt:
            table = dirt.soil(
                table, self._settings.dirt, chunk.first_row, self.rows, self._ids, self._random("dirt", chunk.number)
            )
        return table

    def _ids(self, row_numbers: np.ndarray) -> pa.Array:
        return uuids(row_numbers, (self._salts[0], self._salts[1]))

    def _random(self, purpose: str, number: int = 0) -> np.random.Generator:
        """A separate source of randomness for each purpose and chunk: threads cannot disturb one another."""
        sequence = np.random.SeedSequence(self._settings.seed, spawn_key=(*purpose.encode(), number))
        return np.random.Generator(np.random.SFC64(sequence))


def _error_messages(failure: np.ndarray, rng: np.random.Generator, *, by_application: bool) -> pa.Array:
    failed = failure != generations.SUCCESS
    texts = errors.messages(failure[failed], rng, by_application=by_application)
    position = np.cumsum(failed) - 1
    return texts.take(pa.array(position, mask=~failed))
