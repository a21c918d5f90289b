"""What may be shared with people outside, in plain Python: sets of generations and users, and what can be worked out
from those that are shown."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Generation:
    """One of the fact, as far as it is shared."""

    number: int
    day: dt.date
    user: Hashable
    style: str
    difficulty: int | None
    cost: Decimal | None

    @property
    def week(self) -> dt.date:
        """Its Monday."""
        return self.day - dt.timedelta(days=self.day.weekday())

    @property
    def level(self) -> str:
        """The difficulty as it is shown."""
        return "unknown" if self.difficulty is None else str(self.difficulty)


Group = frozenset[Generation]
Weeks = Mapping[Hashable, set[dt.date]]
"""In which weeks each user was active."""


def users_of(group: Iterable[Generation]) -> set[Hashable]:
    """Who is known to be in it."""
    return {each.user for each in group} - {None}


def cost_of(group: Iterable[Generation]) -> Decimal:
    """Of those whose cost is known."""
    return sum((each.cost for each in group if each.cost is not None), Decimal(0))


def is_safe(group: Iterable[Generation], least: int) -> bool:
    """So many users, and nobody with more than half, whoever those without a user are of."""
    group = list(group)
    counts: Counter = Counter()
    costs: defaultdict = defaultdict(Decimal)
    for each in group:
        counts[each.user] += 1
        costs[each.user] += each.cost or 0
    nobodys, nobodys_cost = counts.pop(None, 0), costs.pop(None, Decimal(0))
    return (
        len(counts) >= least
        and 2 * (max(counts.values(), default=0) + nobodys) <= len(group)
        and 2 * (max(costs.values(), default=Decimal(0)) + nobodys_cost) <= cost_of(group)
    )


def _merged(parts: Mapping[str, list[Generation]], least: int) -> dict[str, list[Generation]]:
    """Parts by the name under which they are shown; none where they cannot be."""

    def is_sound(name: str) -> bool:
        return name not in ("(other)", "(all)") and is_safe(parts[name], least)

    order = sorted(parts, key=lambda name: (is_sound(name), len(users_of(parts[name])), name))
    fewest = sum(not is_sound(name) for name in order)
    if not fewest:
        return dict(parts)
    for count in range(fewest, len(order) + 1):
        together = [each for name in order[:count] for each in parts[name]]
        if is_safe(together, least):
            shown = {name: parts[name] for name in order[count:]}
            return shown | {"(all)" if count == len(order) else "(other)": together}
    return {}


def groups_of(generations: Iterable[Generation], least: int) -> dict[tuple[str, str], Group]:
    """The groups of one week, or of whatever else is given, by style and difficulty."""
    styles, found = defaultdict(list), {}
    for each in generations:
        styles[each.style].append(each)
    for style, of_style in _merged(styles, least).items():
        levels = defaultdict(list)
        for each in of_style:
            levels[each.level].append(each)
        for level, group in _merged(levels, least).items():
            found[style, level] = frozenset(group)
    return found


def retention_of(
    weeks_of: Weeks,
    weeks: Iterable[dt.date],
    least: int,
    published: Mapping[dt.date, int | None] | None = None,
) -> dict[tuple[dt.date, dt.date], tuple[int | None, int | None]]:
    """By cohort and week the size of the cohort and how many came, null where it is not shown. `published` has the
    sizes of cohorts from before."""
    sizes, found = dict(published or {}), {}
    firsts = {user: min(active) for user, active in weeks_of.items()}

    def is_sound(count: int, of_all: int) -> bool:
        return (count == 0 or count >= least) and (count == of_all or of_all - count >= least)

    for week in sorted(weeks):
        came = {user for user, active in weeks_of.items() if week in active}
        older = {user for user, first in firsts.items() if first < week}
        new = {user for user in came if firsts[user] == week}
        is_shown = len(new) >= least and is_sound(len(came & older), len(older))
        sizes[week] = len(new) if is_shown else None
    for week in sorted(weeks):
        came = {user for user, active in weeks_of.items() if week in active}
        found[week, week] = (sizes[week], sizes[week])
        cells = {}
        for cohort, size in sizes.items():
            if size is not None and cohort < week:
                cells[cohort] = (len({user for user in came if firsts[user] == cohort}), size)
        never = {user for user, first in firsts.items() if first <= week and sizes.get(first) is None}
        hidden, hidden_size = len(came & never), len(never)
        order = sorted(cells, key=lambda cohort: (is_sound(*cells[cohort]), cells[cohort][0], cohort))
        fewest, count = sum(not is_sound(*cell) for cell in cells.values()), 0
        for count, cohort in enumerate([None, *order]):  # noqa: B007 - how many it took
            if cohort:
                hidden, hidden_size = hidden + cells[cohort][0], hidden_size + cells[cohort][1]
            if count >= fewest and is_sound(hidden, hidden_size):
                break
        else:
            count = len(order)
        for place, cohort in enumerate(order):
            came_of_it, size = cells[cohort]
            found[cohort, week] = (size, came_of_it if place >= count else None)
    return found


def worked_out(sums: Iterable[frozenset], wanted: Iterable[frozenset]) -> list[frozenset]:
    """Of the wanted sets, those whose numbers follow from the sums over the others that are shown: by any additions and
    subtractions whatever. Both are sets of atoms, of which nobody knows a number by itself."""
    rows: dict[Hashable, dict[Hashable, Fraction]] = {}

    def reduced(group: frozenset) -> dict[Hashable, Fraction]:
        left = dict.fromkeys(group, Fraction(1))
        for pivot, row in rows.items():
            factor = left.get(pivot)
            if factor:
                for atom, value in row.items():
                    left[atom] = left.get(atom, Fraction(0)) - factor * value
                    if not left[atom]:
                        del left[atom]
        return left

    for group in sums:
        left = reduced(group)
        if left:
            pivot = next(iter(left))
            rows[pivot] = {atom: value / left[pivot] for atom, value in left.items()}
    return [group for group in wanted if not reduced(group)]
