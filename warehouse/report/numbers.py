"""The four numbers of a period, in words: as the page says them, for those who read no page."""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from warehouse.report.data import Data

UNKNOWN = "–"
LENGTHS = (7, 28, 90)
_USUAL_LENGTH = 28
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Period:
    """Whole days of the page: the places of the first and of the last."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many days."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Tile:
    """One number in words, beside the one of as many days before."""

    name: str
    value: str
    change: str
    note: str


@dataclass(frozen=True)
class _Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return ratio(self.part, self.whole)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval, which holds the true share in 95 of 100 cases."""
        if not self.whole:
            return None
        z, n = 1.959964, self.whole
        share = self.part / n
        half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        middle, scale = share + z * z / (2 * n), 1 + z * z / n
        return max(0, (middle - half) / scale), min(1, (middle + half) / scale)

    def may_equal(self, other: "_Share") -> bool:
        """Could chance alone have made the difference?"""
        return self.interval[0] <= other.interval[1] and other.interval[0] <= self.interval[1]


def whole_days(data: Data) -> Period | None:
    """From the first whole day of the page to the last one; None where there is none."""
    whole = [place for place, is_whole in enumerate(data.get("days", {}).get("is_complete", [])) if is_whole]
    return Period(whole[0], whole[-1]) if whole else None


def last_days(data: Data, length: int = _USUAL_LENGTH) -> Period | None:
    """So many whole days up to the last one; the longest of the usual lengths that fits, or all, where they are too
    few."""
    whole = whole_days(data)
    if not whole:
        return None
    fitting = [each for each in LENGTHS if each <= min(length, whole.length)]
    return Period(whole.last - (max(fitting) if fitting else whole.length) + 1, whole.last)


def before(data: Data, period: Period) -> Period | None:
    """As many days just before; None where the page does not hold them all, whole."""
    earlier = Period(period.first - period.length, period.first - 1)
    return earlier if earlier.first >= whole_days(data).first else None


def tiles(data: Data, period: Period) -> list[Tile]:
    """The four numbers of a period."""
    earlier = before(data, period)
    return [
        _generations_per_hour(data, period, earlier),
        _success_rate(data, period, earlier),
        _cost_per_generation(data, period, earlier),
        _come_back(data, period, earlier),
    ]


def period_in_words(data: Data, period: Period) -> str:
    """Which days they are."""
    first_date = dt.date.fromisoformat(data["first_date"])
    first, last = (first_date + dt.timedelta(days=place) for place in (period.first, period.last))
    if period.length == 1:
        return f"{_day(last)} {last.year}, 1 whole day"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{_day(first)}{year} to {_day(last)} {last.year}, {period.length} whole days"


def _day(date: dt.date) -> str:
    return f"{date.day} {_MONTHS[date.month - 1]}"


def ratio(numerator: float, denominator: float) -> float | None:
    """A quotient; None where nothing is known."""
    return numerator / denominator if denominator else None


def number(value: float | None, digits: int = 1) -> str:
    """A number of so many digits behind the point. Browsers round as people do, half up."""
    if value is None:
        return UNKNOWN
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded if rounded else abs(rounded):,}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share."""
    return UNKNOWN if value is None else f"{number(100 * value, digits)}%"


def usd(value: float | None) -> str:
    """An amount of money."""
    return UNKNOWN if value is None else f"${number(value, 2 if abs(value) < 10 else 0)}"


def cents(value: float | None) -> str:
    """What one costs."""
    if value is None:
        return UNKNOWN
    return f"${number(value, 2)}" if abs(value) >= 1 else f"{number(100 * value, 2)} ¢"


def _sum(data: Data, measure: str, period: Period) -> float:
    return sum(data["days"][measure][period.first : period.last + 1])


def _generations_per_hour(data: Data, period: Period, earlier: Period | None) -> Tile:
    def value(of: Period) -> float:
        return _sum(data, "generation_count", of) / (24 * of.length)

    def shown(rate: float) -> str:
        return number(rate, 0 if rate >= 100 else 1 if rate >= 1 else 2)

    return Tile(
        "Generations per hour",
        shown(value(period)),
        _change_in_percent(value(period), value(earlier) if earlier else None, shown),
        f"{number(_sum(data, 'generation_count', period), 0)} in all",
    )


def _success_rate(data: Data, period: Period, earlier: Period | None) -> Tile:
    def share(of: Period) -> _Share:
        return _Share(_sum(data, "success_count", of), _sum(data, "generation_count", of))

    now = share(period)
    interval = f"95% interval: {' to '.join(percent(end, 2) for end in now.interval)}" if now.interval else ""
    return Tile(
        "Success rate",
        percent(now.value, 2),
        _change_in_points(now, share(earlier) if earlier else None),
        interval or "no generation in these days",
    )


def _cost_per_generation(data: Data, period: Period, earlier: Period | None) -> Tile:
    def value(of: Period) -> float | None:
        return ratio(_sum(data, "total_cost_usd", of), _sum(data, "costed_generation_count", of))

    every, costed, successes, cost = (
        _sum(data, measure, period)
        for measure in ("generation_count", "costed_generation_count", "success_count", "total_cost_usd")
    )
    note = "no cost is known"
    if costed:
        note = f"{usd(cost)} in all; {cents(ratio(cost, successes))} a success"
        if costed < every:
            note += f"; {number(every - costed, 0)} of unknown cost"
    return Tile(
        "Cost per generation",
        cents(value(period)),
        _change_in_percent(value(period), value(earlier) if earlier else None, cents),
        note,
    )


def _come_back(data: Data, period: Period, earlier: Period | None) -> Tile:
    now = _retained(data, period)
    left_out = sum(cohort["cohort_size"] for cohort in _cohorts_judged_in(data, period) if cohort["has_older_users"])
    note = f"of {number(now.whole, 0)} new users whose next week ended in these days"
    if not now.whole:
        note = "the next week of no new user ended in these days"
    if left_out:
        note += f"; {number(left_out, 0)} left out who may be older users"
    return Tile(
        "Come back in the week after",
        percent(now.value),
        _change_in_points(now, _retained(data, earlier) if earlier else None),
        note,
    )


def _retained(data: Data, period: Period) -> _Share:
    cohorts = [cohort for cohort in _cohorts_judged_in(data, period) if not cohort["has_older_users"]]
    return _Share(sum(each["retained_users"] for each in cohorts), sum(each["cohort_size"] for each in cohorts))


def _cohorts_judged_in(data: Data, period: Period) -> list[dict]:
    """The weekly cohorts whose week after ended in the period."""
    first_date = dt.date.fromisoformat(data["first_date"])

    def last_day(cohort: dict) -> int:
        return (dt.date.fromisoformat(cohort["cohort_date"]) - first_date).days + 13

    return [
        cohort
        for cohort in data["retention"]
        if cohort["period_number"] == 1 and cohort["is_complete"] and period.first <= last_day(cohort) <= period.last
    ]


_NOTHING_BEFORE = "nothing to compare with"


def _change_in_percent(now: float | None, then: float | None, shown: Callable[[float], str]) -> str:
    if now is None or then is None:
        return _NOTHING_BEFORE
    if not then:
        return f"before: {shown(then)}"
    return f"{_signed(100 * (now / then - 1))}%, before: {shown(then)}"


def _change_in_points(now: _Share, then: _Share | None) -> str:
    if now.value is None or then is None or then.value is None:
        return _NOTHING_BEFORE
    by_chance = ", may be chance" if now.may_equal(then) else ""
    return f"{_signed(100 * (now.value - then.value))} points, before: {percent(then.value)}{by_chance}"


def _signed(difference: float) -> str:
    size = number(abs(difference))
    if Decimal(size.replace(",", "")) == 0:
        return size
    return f"{'+' if difference > 0 else '−'}{size}"
