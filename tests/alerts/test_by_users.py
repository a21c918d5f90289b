"""Evidence counted by users: numbers worked out by hand, and the bound that it promises against exact chances."""

import datetime as dt
import itertools
import math
import random
from fractions import Fraction

import pytest

from warehouse.backtest.by_users import Generation, Window, evidence, openings, windows
from warehouse.backtest.metrics import count_evidence, share_evidence, sum_evidence

MIDNIGHT = dt.datetime(2026, 3, 2)
MINUTE = dt.timedelta(minutes=1)
LIMIT, NATS = 0.05, 5


def tries(minute: float, user: str | None, outcomes: str) -> list[Generation]:
    """Generations of a user in one second: x failed, o did not."""
    return [
        (MIDNIGHT + minute * MINUTE, user, f"{minute} {user} {number}", outcome == "o")
        for number, outcome in enumerate(outcomes)
    ]


def ending_at(generations: list[Generation], minute: float, length: int = 15) -> Window:
    """The window that ends at a minute of the day."""
    rows = [*generations, *tries(60, "much later", "o")]
    marks = {ending[0].end: ending[0] for ending in windows(sorted(rows, key=lambda row: row[0]), [length])}
    return marks[MIDNIGHT + minute * MINUTE]


def test_evidence_worked_out_by_hand() -> None:
    # all fail: n · ln(1 / p)
    assert evidence(1, 1, 0.05) == pytest.approx(2.995732)
    assert evidence(2, 2, 0.05) == pytest.approx(5.991465)
    # 10 · (0.5 · ln(0.5 / 0.05) + 0.5 · ln(0.5 / 0.95))
    assert evidence(10, 5, 0.05) == pytest.approx(8.303656)
    # 100 · (0.1 · ln 2 + 0.9 · ln(0.9 / 0.95))
    assert evidence(100, 10, 0.05) == pytest.approx(2.065422)
    # not beyond the limit, however many
    assert evidence(1_000_000, 50_000, 0.05) == evidence(20, 0, 0.05) == evidence(0, 0, 0.05) == 0


@pytest.mark.parametrize("limit", [Fraction(1, 100), Fraction(1, 20), Fraction(1, 5), Fraction(1, 2), Fraction(9, 10)])
def test_no_chance_is_larger_than_the_evidence_allows(limit: Fraction) -> None:
    """Against exact binomial chances: of n witnesses who fail with the limit's chance, k or more fail."""
    for witnesses in range(1, 201):
        for failing, chance in enumerate(binomial_tails(witnesses, limit)):
            nats = evidence(witnesses, failing, float(limit))
            assert chance <= -nats + 1e-9, (witnesses, failing)
            # and it is not much smaller either: Stirling's formula
            if limit * witnesses < failing < witnesses:
                most = math.log(8 * failing * (1 - failing / witnesses)) / 2
                assert chance >= -nats - most - 1e-9, (witnesses, failing)


@pytest.mark.parametrize("mean", [0.06, 0.2, 1, 4.5, 30, 120])
def test_no_chance_of_a_count_is_larger_than_the_evidence_allows(mean: float) -> None:
    """Against exact chances of Poisson's: of so many users in the mean, at least, or at most, as many come."""
    chances = [math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1)) for count in range(1200)]
    for count in range(201):
        more = count_evidence({"comparison": ">"}, count, mean)
        less = count_evidence({"comparison": "<"}, count, mean)
        assert math.fsum(chances[count:]) <= math.exp(-more) * (1 + 1e-9), count
        assert math.fsum(chances[: count + 1]) <= math.exp(-less) * (1 + 1e-9), count
        assert (more > 0) == (count > mean)
        assert (less > 0) == (count < mean)
    # the third user where nearly none is usual, and nobody where five are
    assert count_evidence({"comparison": ">="}, 3, 0.2) == pytest.approx(5.324151)
    assert count_evidence({"comparison": "<="}, 0, 5) == 5


def test_no_chance_of_a_sum_is_larger_than_the_evidence_allows() -> None:
    """Against the normal tail: a cost is so many standard deviations beyond its limit."""
    for tenths in range(1, 80):
        deviations = tenths / 10
        nats = sum_evidence({"comparison": ">"}, deviations * 3, 9)
        assert math.erfc(deviations / math.sqrt(2)) / 2 <= math.exp(-nats)
        assert sum_evidence({"comparison": "<"}, deviations * 3, 9) == 0
        assert sum_evidence({"comparison": "<"}, -deviations * 3, 9) == nats


@pytest.mark.parametrize("seed", range(3))
def test_both_programs_weigh_shares_alike(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        witnesses = chance.randint(0, 300)
        failing, limit = chance.random() * witnesses, chance.random()
        above = share_evidence({"comparison": ">"}, failing, witnesses, limit)
        assert above == pytest.approx(evidence(witnesses, failing, limit))
        # what is too few of one thing is too many of the other
        below = share_evidence({"comparison": "<"}, failing, witnesses, limit)
        assert below == pytest.approx(evidence(witnesses, witnesses - failing, 1 - limit), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("limit", [Fraction(1, 20), Fraction(1, 3)])
def test_no_chance_is_larger_where_witnesses_have_failed_by_half(limit: Fraction) -> None:
    """Each has two generations, and so a share of 0, a half or 1."""
    for witnesses in range(1, 101):
        for failures, chance in enumerate(binomial_tails(2 * witnesses, limit)):
            assert chance <= -evidence(witnesses, failures / 2, float(limit)) + 1e-9, (witnesses, failures)


def binomial_tails(count: int, chance: Fraction) -> list[float]:
    """The chances of 0, 1, … or more of `count`, as logarithms of what is summed up in whole numbers."""
    hit, miss = chance.numerator, chance.denominator - chance.numerator
    weights = [math.comb(count, number) * hit**number * miss ** (count - number) for number in range(count + 1)]
    sums = itertools.accumulate(reversed(weights))
    return [math.log(total) - count * math.log(chance.denominator) for total in sums][::-1]


def test_forty_failures_of_one_user_are_one_witness() -> None:
    one = ending_at(tries(1, "ann", "x" * 40), 15)
    assert (one.witnesses, one.failing, one.generations, one.failures) == (1, 1, 40, 40)
    assert not one.fires(LIMIT, NATS)
    two = ending_at([*tries(1, "ann", "x" * 40), *tries(2, "bob", "x")], 15)
    assert (two.witnesses, two.failing) == (2, 2)
    assert two.fires(LIMIT, NATS)


def test_a_witness_has_the_share_of_their_generations_that_failed() -> None:
    window = ending_at([*tries(1, "ann", "xooo"), *tries(6, "bob", "xo"), *tries(11, "ann", "xxxx")], 15)
    # 5 of 8, and 1 of 2
    assert (window.witnesses, window.failing, window.generations, window.failures) == (2, 1.125, 10, 6)


def test_a_generation_without_a_user_is_a_witness_by_itself() -> None:
    window = ending_at([*tries(1, None, "xxo"), *tries(2, "ann", "xx")], 15)
    assert (window.witnesses, window.failing, window.generations, window.failures) == (4, 3, 5, 4)


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    instant = 1e-6 / 60
    rows = [
        *tries(-15 - instant, "too early", "x"),
        *tries(-15, "first", "x"),
        *tries(-instant, "last", "x"),
        *tries(0, "too late", "x"),
    ]
    assert ending_at(rows, 0).witnesses == 2
    assert ending_at(rows, 5).witnesses == 2
    assert [ending_at(rows, 0, 60).witnesses, ending_at(rows, 0, 5).witnesses] == [3, 1]


def test_both_are_needed_evidence_and_the_share_of_generations() -> None:
    # three users of whom each has failed once, and one who has had a hundred good ones
    many = [*(row for user in "abc" for row in tries(1, user, "x")), *tries(2, "ann", "o" * 100)]
    window = ending_at(many, 15)
    assert evidence(window.witnesses, window.failing, LIMIT) > NATS
    assert not window.fires(LIMIT, NATS)
    assert window.fires(0.02, NATS)


def test_nothing_is_left_of_what_has_slid_out() -> None:
    """Counted from the beginning for each mark, it is the same."""
    source = random.Random(1)
    rows = sorted(
        (
            (
                MIDNIGHT + source.choice((0, 400)) * MINUTE + source.randrange(0, 7200) * dt.timedelta(seconds=1),
                source.choice(("ann", "bob", "cid", "dee", None)),
                number,
                source.random() < 0.6,
            )
            for number in range(400)
        ),
        key=lambda row: row[0],
    )
    seen = 0
    for ending in windows(rows, (15, 60)):
        for window in ending:
            begin = window.end - window.minutes * MINUTE
            of: dict[object, list[bool]] = {}
            for created_at, user, number, is_success in rows:
                if begin <= created_at < window.end:
                    of.setdefault(user or number, []).append(not is_success)
            assert window.witnesses == len(of)
            assert window.failing == pytest.approx(sum(sum(failed) / len(failed) for failed in of.values()))
            assert window.generations == sum(len(failed) for failed in of.values())
            assert window.failures == sum(sum(failed) for failed in of.values())
            seen += window.generations == 0
    # between the two stretches nothing happens
    assert seen > 40


def test_an_incident_opens_where_none_fired_for_long_enough() -> None:
    rows = [
        row for minute in (1, 21, 56, 91) for user in ("ann", "bob") for row in tries(minute, user, "x")
    ]  # at 5 to 15, 25 to 35, 60 to 70 and 95 to 105
    found = [(at - MIDNIGHT) / MINUTE for at in openings([*rows, *tries(200, "ann", "o")], [15], LIMIT, NATS, 3)]
    # 20 is one quiet mark, 40 to 55 are four
    assert found == [5, 60, 95]
    # the longer window of the same rule keeps it firing, and fires first where few come
    apart = [*tries(1, "ann", "x"), *tries(31, "bob", "x")]
    assert [list(openings(apart, lengths, LIMIT, NATS, 3)) for lengths in ([15], [15, 60])] == [
        [],
        [MIDNIGHT + 35 * MINUTE],
    ]


def test_no_generation_no_window() -> None:
    assert list(windows([], [15])) == []
