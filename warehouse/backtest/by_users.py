"""The evidence that more generations fail than a limit allows, counted user by user from single generations. It knows
nothing of the SQL that judges the rules: the backtest by sizes holds that against it.

People try again after a failure, so forty failures may be one person. Each user of a window is therefore one witness,
with the share of their generations that failed. A generation without a user is a witness by itself."""

import datetime as dt
import math
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from warehouse.backtest.metrics import FIVE_MINUTES

# created_at, user_key, generation_id, is_success
Generation = tuple[dt.datetime, Hashable | None, Hashable, bool]
# The generations of each witness in five minutes: how many, and how many of them failed.
_Slot = dict[Hashable, list[int]]


@dataclass(frozen=True)
class Window:
    """What the generations of a window say."""

    end: dt.datetime
    minutes: int
    witnesses: int
    # the sum of the witnesses' shares of failures
    failing: float
    generations: int
    failures: int

    def fires(self, limit: float, nats: float) -> bool:
        """Is the share of generations that failed beyond the limit, and is it evident that this is not by chance?"""
        return (
            self.generations > 0
            and self.failures / self.generations > limit
            and evidence(self.witnesses, self.failing, limit) >= nats
        )


def evidence(witnesses: int, failing: float, limit: float) -> float:
    """In nats, n · KL(k/n ‖ p): where the limit is not exceeded, the chance to see as much is at most e to the power of
    minus this."""
    share = failing / witnesses if witnesses else 0.0
    if share <= limit:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - limit)) if share < 1 else 0.0
    return witnesses * (share * math.log(share / limit) + rest)


def windows(generations: Iterable[Generation], lengths: Iterable[int]) -> Iterator[list[Window]]:
    """The windows of these lengths, in minutes, that end at each five-minute mark: from the one after the first
    generation to the one after the last. The generations come in order of time."""
    sliding = [_Sliding(minutes) for minutes in lengths]
    for end, slot in _slots(generations):
        yield [each.moved(end, slot) for each in sliding]


def openings(
    generations: Iterable[Generation], lengths: Iterable[int], limit: float, nats: float, resolve_after: int
) -> Iterator[dt.datetime]:
    """The marks at which a rule would open an incident: a window fires, and none did at so many marks before."""
    quiet_marks = resolve_after
    for ending in windows(generations, lengths):
        if not any(window.fires(limit, nats) for window in ending):
            quiet_marks += 1
            continue
        if quiet_marks >= resolve_after:
            yield ending[0].end
        quiet_marks = 0


class _Sliding:
    """The witnesses of a window that moves from mark to mark: some enter, and some leave."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._slots: deque[_Slot] = deque()
        self._witnesses: dict[Hashable, tuple[int, int]] = {}
        # how many witnesses have as many generations and failures: whole numbers, in which no error can gather
        self._alike: Counter[tuple[int, int]] = Counter()

    def moved(self, end: dt.datetime, slot: _Slot) -> Window:
        """The window that ends with this slot."""
        self._slots.append(slot)
        self._count(slot, 1)
        if len(self._slots) > self._minutes * dt.timedelta(minutes=1) // FIVE_MINUTES:
            self._count(self._slots.popleft(), -1)
        return Window(
            end,
            self._minutes,
            len(self._witnesses),
            math.fsum(count * failures / tries for (tries, failures), count in self._alike.items()),
            sum(count * tries for (tries, _), count in self._alike.items()),
            sum(count * failures for (_, failures), count in self._alike.items()),
        )

    def _count(self, slot: _Slot, sign: int) -> None:
        for witness, (tries, failures) in slot.items():
            before = self._witnesses.pop(witness, (0, 0))
            after = before[0] + sign * tries, before[1] + sign * failures
            self._alike[before] -= 1
            self._alike[after] += 1
            if after[0]:
                self._witnesses[witness] = after
            # those that have no generations are no witnesses
            del self._alike[0, 0]


def _slots(generations: Iterable[Generation]) -> Iterator[tuple[dt.datetime, _Slot]]:
    """The generations by five minutes, also those without any, each with the mark at which it ends."""
    end, slot = None, {}
    for created_at, user_key, generation_id, is_success in generations:
        if end is None:
            end = created_at - (created_at - dt.datetime(2000, 1, 1)) % FIVE_MINUTES + FIVE_MINUTES
        while created_at >= end:
            yield end, slot
            end, slot = end + FIVE_MINUTES, {}
        # no id of a user equals a pair
        counts = slot.setdefault((None, generation_id) if user_key is None else user_key, [0, 0])
        counts[0] += 1
        counts[1] += not is_success
    if end is not None:
        yield end, slot
