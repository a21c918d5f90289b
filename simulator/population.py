"""The people behind the log: who signs up when, who comes back, and who generates a lot."""

from dataclasses import dataclass

import numpy as np

# Signups follow the traffic: with the return hazards below, a user makes about eight generations in 90 days.
_SIGNUPS_PER_ROW = 0.12
# The service is older than its log: users of earlier days may still come back.
_HISTORY_DAYS = 90

# Some users are regulars, some casual; the others never come back after their first day.
_REGULAR_SHARE = 0.08
_CASUAL_SHARE = 0.52
_REGULAR_HAZARD = (0.30, 0.80)
_CASUAL_HAZARD = (0.05, 0.40)
_REGULAR_DECAY = 0.12
_CASUAL_DECAY = 0.50

_ACTIVITY_SIGMA = 1.0
_REGULAR_ACTIVITY = 2.0
_HEAVY_SHARE = 0.01
_HEAVY_ACTIVITY = 6.0
_DAY_SIGMA = 0.5
# How long one user's generations of a chunk spread, as a share of the chunk's rows.
_SESSION_LENGTH = 0.02


@dataclass(frozen=True)
class ActiveUsers:
    """The users who are active on one day, and how active each is."""

    users: np.ndarray
    cumulative_weight: np.ndarray


class Population:
    """All users of the log, numbered in the order of their signups."""

    def __init__(self, rows_per_day: np.ndarray, rng: np.random.Generator) -> None:
        """Draw the users that a log of so many rows a day has."""
        self._signed_up_by_day, history = _signups(rows_per_day)
        count = int(self._signed_up_by_day[-1])
        self._signup_day = np.repeat(
            np.arange(-_HISTORY_DAYS, len(rows_per_day), dtype=np.int32),
            np.diff(np.concatenate((history, self._signed_up_by_day)), prepend=0),
        )
        kind = rng.random(count, dtype=np.float32)
        regular = kind < _REGULAR_SHARE
        casual = ~regular & (kind < _REGULAR_SHARE + _CASUAL_SHARE)
        self._hazard = np.zeros(count, dtype=np.float32)
        self._hazard[regular] = rng.uniform(*_REGULAR_HAZARD, np.count_nonzero(regular))
        self._hazard[casual] = rng.uniform(*_CASUAL_HAZARD, np.count_nonzero(casual))
        self._decay = np.where(regular, np.float32(_REGULAR_DECAY), np.float32(_CASUAL_DECAY))
        self._activity = np.exp(np.float32(_ACTIVITY_SIGMA) * rng.standard_normal(count, dtype=np.float32))
        self._activity[regular] *= _REGULAR_ACTIVITY
        self._activity[rng.random(count, dtype=np.float32) < _HEAVY_SHARE] *= _HEAVY_ACTIVITY

    def active_on(self, day: int, rng: np.random.Generator) -> ActiveUsers:
        """The users of one day: those who sign up on it, and earlier ones as their return hazard decides."""
        signed_up = int(self._signed_up_by_day[day])
        age = (day - self._signup_day[:signed_up]).astype(np.float32)
        # The longer ago the signup, the rarer the visits.
        chance = self._hazard[:signed_up] * (1 + age) ** -self._decay[:signed_up]
        chance[age == 0] = 1
        users = np.flatnonzero(rng.random(signed_up, dtype=np.float32) < chance)
        if not len(users):
            users = rng.integers(0, signed_up, 1)
        noise = np.exp(np.float32(_DAY_SIGMA) * rng.standard_normal(len(users), dtype=np.float32))
        return ActiveUsers(users, np.cumsum(self._activity[users] * noise, dtype=np.float64))


def assign_users(active: ActiveUsers, rows: int, rng: np.random.Generator) -> np.ndarray:
    """The user of each of `rows` rows in order of time: the active ones get more, and sit together in sessions."""
    # Systematic sampling: one random offset, then every user gets rows in proportion to the weight.
    shares = active.cumulative_weight / active.cumulative_weight[-1]
    ends = np.floor(shares * rows + rng.random()).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    users = np.repeat(active.users, counts)
    session = np.repeat(rng.random(len(counts), dtype=np.float32), counts)
    position = session + np.float32(_SESSION_LENGTH) * rng.standard_exponential(rows, dtype=np.float32)
    return users[np.argsort(position, kind="stable")]


def _signups(rows_per_day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many users have signed up by the end of each day of the log, and of each day before it."""
    per_day = rows_per_day * _SIGNUPS_PER_ROW
    history_share = np.linspace(0.3, 1.0, _HISTORY_DAYS)
    # A log of few days would otherwise have a past much larger than itself.
    history_total = min(per_day[0] * history_share.sum(), 2 * per_day.sum())
    history = np.ceil(np.cumsum(history_share / history_share.sum()) * history_total + 1).astype(np.int64)
    return history[-1] + np.ceil(np.cumsum(per_day)).astype(np.int64), history
