"""What happens in each generation of a chunk: when, who, which style, how long, and how it ends."""

from dataclasses import dataclass, fields

import numpy as np

from simulator.errors import CATEGORIES, CONTENT_POLICY, PROVIDER_ERROR, RATE_LIMIT
from simulator.incidents import Conditions
from simulator.population import ActiveUsers, assign_users
from simulator.texts import mix
from simulator.timeline import MINUTE_US, Chunk

SUCCESS = -1

# As many writers spell them; the application's names are in the order of these.
STYLE_SHARES = {
    "photorealistic": 0.21,
    "anime": 0.17,
    "watercolor": 0.12,
    "oil_painting": 0.10,
    "cyberpunk": 0.09,
    "fantasy": 0.08,
    "pixel_art": 0.07,
    "comic": 0.05,
    "pencil_sketch": 0.04,
    "pop_art": 0.03,
    "low_poly": 0.025,
    "stained_glass": 0.015,
}
APPLICATION_STYLES = (
    "Classic Cartoon",
    "Ghibli Style",
    "Mandala/Pattern",
    "Oil Painting",
    "Cyberpunk",
    "Fantasy",
    "Pixel Art",
    "Comic Book",
    "Pencil Sketch",
    "Pop Art",
    "Low Poly",
    "Stained Glass",
)
_DIFFICULTY_SHARES = (0.17, 0.29, 0.30, 0.16, 0.08)
# Users have a favourite style and a usual difficulty, and mostly stay with them.
_LOYALTY = 0.55
_FAVOURITE_STYLE_SALT = 11
_USUAL_DIFFICULTY_SALT = 12

_FAILURE_RATE = 0.028
# Harder scenes fail more often, and so do some styles.
_DIFFICULTY_RISK = np.array([0.80, 0.90, 1.00, 1.15, 1.35], dtype=np.float32)
_STYLE_RISK = np.array([1.0, 1.0, 0.9, 0.9, 1.3, 1.1, 0.8, 1.2, 0.9, 1.0, 1.0, 1.4], dtype=np.float32)

_DIFFICULTY_MS = np.array([6_500, 7_800, 9_200, 10_800, 12_600], dtype=np.float32)
_STYLE_PACE = np.array([1.15, 1.0, 0.95, 1.1, 1.05, 1.05, 0.85, 0.95, 0.85, 0.9, 0.9, 1.2], dtype=np.float32)
_DURATION_SIGMA = 0.32
_STRAGGLER_SHARE = 0.003
_STRAGGLER_FACTOR = 3
_FAILURE_MS = np.array([category.typical_ms for category in CATEGORIES], dtype=np.float32)
_FAILURE_SIGMA = 0.25

_RETRYABLE = np.array([category.is_retryable for category in CATEGORIES])
_RETRY_SHARE = 0.65
# How often a job is tried again at most.
_MAX_RETRIES = 2

# A log with bursts. People try again until it succeeds or they give up, whatever the error says. Some wishes cannot
# succeed: the photo is bad, and seldom passes the safety system.
_BURST_FAILURE_RATE = 0.02
_HOPELESS_SHARE = 0.004
_HOPELESS_FAILURE_RATE = 0.97
_GO_ON_SHARE = 0.6
_GO_ON_HOPELESS_SHARE = 0.85
_MOST_TRIES = 20
_BURST_WAIT_US = (30_000_000, 90_000_000)

# Shares become lookups of this many entries: a random index is much cheaper than a weighted draw.
_LOOKUP_SIZE = 4096


def _lookup(shares: tuple[float, ...]) -> np.ndarray:
    edges = np.round(np.cumsum(shares) / np.sum(shares) * _LOOKUP_SIZE).astype(np.int64)
    return np.repeat(np.arange(len(shares), dtype=np.int8), np.diff(edges, prepend=0))


_STYLES = _lookup(tuple(STYLE_SHARES.values()))
_DIFFICULTIES = _lookup(_DIFFICULTY_SHARES)
_FAILURES = _lookup(tuple(category.share for category in CATEGORIES))


@dataclass
class Generations:
    """The rows of a chunk as columns of numbers."""

    created_us: np.ndarray  # since the start of the log
    user: np.ndarray
    job: np.ndarray
    style: np.ndarray
    difficulty: np.ndarray  # 0 to 4
    failure: np.ndarray  # a category code, or SUCCESS
    duration_ms: np.ndarray
    minute: np.ndarray  # since the start of the log, with which `Conditions` are looked up

    def take(self, order: np.ndarray) -> "Generations":
        """The rows in another order."""
        return Generations(*(getattr(self, field.name)[order] for field in fields(self)))


def draw(
    chunk: Chunk, active: ActiveUsers, effect: Conditions, rng: np.random.Generator, *, in_bursts: bool = False
) -> Generations:
    """The generations of one chunk, in order of time."""
    rows = chunk.rows
    minute = np.repeat(np.arange(len(chunk.rows_per_minute)), chunk.rows_per_minute) + chunk.first_minute
    created_us = minute * MINUTE_US + rng.integers(0, MINUTE_US, rows)
    created_us.sort()
    user = assign_users(active, rows, rng)
    style = _preferred(_STYLES, user, _FAVOURITE_STYLE_SALT, rng)
    difficulty = _preferred(_DIFFICULTIES, user, _USUAL_DIFFICULTY_SALT, rng)
    is_hopeless = rng.random(rows, dtype=np.float32) < _HOPELESS_SHARE if in_bursts else None
    failure, duration_ms = _outcomes(minute, style, difficulty, is_hopeless, effect, rng)
    job = np.arange(rows) + chunk.first_row
    generations = Generations(created_us, user, job, style, difficulty, failure, duration_ms, minute)
    if is_hopeless is None:
        _retry(generations, chunk, effect, rng)
    else:
        _try_in_bursts(generations, is_hopeless, chunk, effect, rng)
    return generations.take(np.argsort(generations.created_us, kind="stable"))


def _preferred(lookup: np.ndarray, user: np.ndarray, salt: int, rng: np.random.Generator) -> np.ndarray:
    usual = lookup[mix(user, salt) % np.uint64(_LOOKUP_SIZE)]
    other = lookup[rng.integers(0, _LOOKUP_SIZE, len(user))]
    return np.where(rng.random(len(user), dtype=np.float32) < _LOYALTY, usual, other)


def _outcomes(
    minute: np.ndarray,
    style: np.ndarray,
    difficulty: np.ndarray,
    is_hopeless: np.ndarray | None,
    effect: Conditions,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """How each generation ends and how long it takes; `is_hopeless` is known in a log with bursts only."""
    rows = len(minute)
    rate = _FAILURE_RATE if is_hopeless is None else _BURST_FAILURE_RATE
    risk = np.float32(rate) * _DIFFICULTY_RISK[difficulty] * _STYLE_RISK[style]
    fails = rng.random(rows, dtype=np.float32) < risk
    failure = np.where(fails, _FAILURES[rng.integers(0, _LOOKUP_SIZE, rows)], np.int8(SUCCESS))
    if is_hopeless is not None:
        failure[is_hopeless & (rng.random(rows, dtype=np.float32) < _HOPELESS_FAILURE_RATE)] = CONTENT_POLICY
    failure[rng.random(rows, dtype=np.float32) < effect.storm_share[minute]] = RATE_LIMIT
    failing_share = effect.failing_share[minute]
    # Nothing is drawn where nothing is failing: logs without such hours stay what they were.
    if failing_share.any():
        failure[rng.random(rows, dtype=np.float32) < failing_share] = PROVIDER_ERROR

    noise = rng.standard_normal(rows, dtype=np.float32)
    pace = _DIFFICULTY_MS[difficulty] * _STYLE_PACE[style] * effect.duration_factor[minute]
    pace[rng.random(rows, dtype=np.float32) < _STRAGGLER_SHARE] *= _STRAGGLER_FACTOR
    success_ms = pace * np.exp(np.float32(_DURATION_SIGMA) * noise)
    failure_ms = _FAILURE_MS[failure] * np.exp(np.float32(_FAILURE_SIGMA) * noise)
    return failure, np.where(failure == SUCCESS, success_ms, failure_ms).astype(np.int32)


def _retry(generations: Generations, chunk: Chunk, effect: Conditions, rng: np.random.Generator) -> None:
    """Turn some rows into further attempts of failed jobs.

    The number of rows is fixed, so a retry takes the place of a success elsewhere in the chunk.
    """
    is_free = generations.failure == SUCCESS
    attempts = np.flatnonzero(~is_free)
    for _ in range(_MAX_RETRIES):
        retryable = attempts[_RETRYABLE[generations.failure[attempts]]]
        retried = retryable[rng.random(len(retryable)) < _RETRY_SHARE]
        free = np.flatnonzero(is_free)
        replaced = rng.permutation(free)[: len(retried)]
        retried = retried[: len(replaced)]
        # Looked up at the first attempt's minute; the retry is only seconds later.
        minute = generations.minute[retried]
        style, difficulty = generations.style[retried], generations.difficulty[retried]
        failure, duration_ms = _outcomes(minute, style, difficulty, None, effect, rng)
        wait_us = rng.integers(1_000_000, 15_000_000, len(retried))
        created_us = generations.created_us[retried] + wait_us + duration_ms.astype(np.int64) * 1000
        fits = _fits(created_us, chunk, effect)
        places, sources = replaced[fits], retried[fits]
        _repeat(generations, places, sources, created_us[fits])
        generations.job[places] = generations.job[sources]
        generations.failure[places] = failure[fits]
        generations.duration_ms[places] = duration_ms[fits]
        is_free[places] = False
        attempts = places[generations.failure[places] != SUCCESS]


def _try_in_bursts(
    generations: Generations, is_hopeless: np.ndarray, chunk: Chunk, effect: Conditions, rng: np.random.Generator
) -> None:
    """Turn some rows into what people do after a failure: try again about a minute later, as another job.

    As above, each try takes the place of a success elsewhere in the chunk.
    """
    is_success = generations.failure == SUCCESS
    free = rng.permutation(np.flatnonzero(is_success))
    failed = np.flatnonzero(~is_success)
    for _ in range(_MOST_TRIES - 1):
        go_on_share = np.where(is_hopeless[failed], _GO_ON_HOPELESS_SHARE, _GO_ON_SHARE)
        sources = failed[rng.random(len(failed)) < go_on_share]
        created_us = generations.created_us[sources] + rng.integers(*_BURST_WAIT_US, len(sources))
        fitting = np.flatnonzero(_fits(created_us, chunk, effect))[: len(free)]
        places, free = free[: len(fitting)], free[len(fitting) :]
        _repeat(generations, places, sources[fitting], created_us[fitting])
        is_hopeless[places] = is_hopeless[sources[fitting]]
        generations.failure[places], generations.duration_ms[places] = _outcomes(
            generations.minute[places],
            generations.style[places],
            generations.difficulty[places],
            is_hopeless[places],
            effect,
            rng,
        )
        failed = places[generations.failure[places] != SUCCESS]


def _repeat(generations: Generations, places: np.ndarray, sources: np.ndarray, created_us: np.ndarray) -> None:
    """Make rows of the same users' same wishes, at these times."""
    generations.created_us[places] = created_us
    generations.minute[places] = created_us // MINUTE_US
    for column in (generations.user, generations.style, generations.difficulty):
        column[places] = column[sources]


def _fits(created_us: np.ndarray, chunk: Chunk, effect: Conditions) -> np.ndarray:
    """None after the end of the chunk, whose rows are in order, and none while nothing is logged."""
    end_us = (chunk.first_minute + len(chunk.rows_per_minute)) * MINUTE_US
    fits = created_us < end_us
    fits[fits] = effect.traffic[created_us[fits] // MINUTE_US] > 0
    return fits
