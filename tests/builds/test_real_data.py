"""The purchases of a real shop as a log, held against figures that others have published, and plain Python."""

import datetime as dt
import lzma
from collections import Counter, defaultdict
from statistics import quantiles

import pytest

from factory import ENGINES, NewWarehouse
from logs import sound_row, user
from project import ROOT
from warehouses import SCHEMA, Row, Warehouse

_FIRST = dt.date(2025, 1, 1)  # 28 years after the shop's
_SALT = "one salt"
_VARIABLES = {"log_retention_days": 600, "log_begins_on": str(_FIRST)}

Purchase = tuple[dt.date, int | None]


@pytest.fixture(scope="module")
def purchases() -> dict[int, list[Purchase]]:
    """Day and cents of each purchase, by customer."""
    found: dict[int, list[Purchase]] = {}
    text = lzma.decompress((ROOT / "tests/real/cdnow.txt.xz").read_bytes()).decode()
    for customer, line in enumerate(text.splitlines(), start=1):
        day, found[customer] = _FIRST, []
        for purchase in line.split():
            days, _, cents = purchase.partition(":")
            day += dt.timedelta(days=int(days))
            found[customer].append((day, int(cents) if cents else None))
    return found


def _log(purchases: dict[int, list[Purchase]]) -> list[Row]:
    rows = []
    for customer, bought in purchases.items():
        for day, cents in bought:
            is_known = cents is not None
            rows.append(
                sound_row(
                    len(rows),
                    user_id=user(customer),
                    created_at=f"{day} 12:00:00",
                    style="sample" if is_known else "others",
                    # what was paid, to be summed up and to have percentiles
                    costs=f'{{"total": {cents / 100:.2f}}}' if is_known else None,
                    duration_ms=cents if is_known else None,
                    tokens=None,
                )
            )
    return rows


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def _built(warehouse: Warehouse, rows: list[Row]) -> Warehouse:
    warehouse.salt = _SALT
    warehouse.load(rows)
    warehouse.run(variables=_VARIABLES)
    return warehouse


@pytest.fixture(scope="module", params=ENGINES)
def shop(
    request: pytest.FixtureRequest, module_warehouse: NewWarehouse, purchases: dict[int, list[Purchase]]
) -> Warehouse:
    """All of it."""
    return _built(module_warehouse(request.param), _log(purchases))


def test_all_customers_and_purchases_are_counted(shop: Warehouse) -> None:
    (counted,) = shop.query(
        f"select count(*), sum(generation_count), min(first_generation_at), max(last_generation_at) "
        f"from {SCHEMA}_marts.dim_users"
    )
    assert counted == (23_570, 69_659, dt.datetime(2025, 1, 1, 12), dt.datetime(2026, 6, 30, 12))
    assert shop.query(f"select sum(new_users) from {SCHEMA}_marts.daily_engagement") == [(23_570,)]
    # they all came within a quarter, and nobody after it
    assert shop.query(
        f"select sum(new_users) from {SCHEMA}_marts.daily_engagement where activity_date < date '2025-04-01'"
    ) == [(23_570,)]


def test_every_weekly_cohort_is_that_of_plain_python(shop: Warehouse, purchases: dict[int, list[Purchase]]) -> None:
    sizes: Counter[dt.date] = Counter()
    active: Counter[tuple[dt.date, int]] = Counter()
    later: Counter[tuple[dt.date, int]] = Counter()
    for bought in purchases.values():
        cohort = _monday(bought[0][0])
        weeks = {(_monday(day) - cohort).days // 7 for day, _ in bought}
        sizes[cohort] += 1
        active.update((cohort, week) for week in weeks)
        later.update((cohort, week) for week in range(max(weeks) + 1))
    rows = [row for row in shop.mart("user_retention") if row["cohort_grain"] == "week"]
    assert sum(row["cohort_size"] for row in rows if row["period_number"] == 0) == 23_570
    last = _monday(dt.date(2026, 6, 30))
    assert {(row["cohort_date"], row["period_number"]) for row in rows} == {
        (cohort, week) for cohort in sizes for week in range((last - cohort).days // 7 + 1)
    }
    for row in rows:
        place = row["cohort_date"], row["period_number"]
        assert row["cohort_size"] == sizes[place[0]], place
        assert row["retained_users"] == active[place], place
        assert row["retained_on_or_after_users"] == later[place], place


def test_what_was_paid_on_each_day_has_the_sums_and_percentiles_of_plain_python(
    shop: Warehouse, purchases: dict[int, list[Purchase]]
) -> None:
    paid: dict[dt.date, list[int]] = defaultdict(list)
    for bought in purchases.values():
        for day, cents in bought:
            if cents is not None:
                paid[day].append(cents)
    rows = {row["activity_date"]: row for row in shop.mart("style_performance") if row["style"] == "sample"}
    assert rows.keys() == paid.keys()
    assert sum(row["generation_count"] for row in rows.values()) == 6_919
    for day, row in rows.items():
        cents = sorted(paid[day])
        hundredths = quantiles(cents, n=100, method="inclusive") if len(cents) > 1 else cents * 99
        for name, number in [("p50_duration_ms", 50), ("p95_duration_ms", 95), ("p99_duration_ms", 99)]:
            assert row[name] == pytest.approx(hundredths[number - 1], abs=0.51), (day, name)
        assert round(row["total_cost_usd"] * 100) == sum(cents), day
        assert row["total_duration_ms"] == sum(cents), day


@pytest.mark.parametrize("engine", ENGINES)
def test_repeat_purchases_by_the_end_of_september_are_those_of_the_published_table(
    engine: str, new_warehouse: NewWarehouse, purchases: dict[int, list[Purchase]]
) -> None:
    end = dt.date(2025, 9, 30)
    seen = {
        customer: [purchase for purchase in bought if purchase[0] <= end]
        for customer, bought in purchases.items()
        if bought[0][1] is not None
    }
    warehouse = _built(new_warehouse(engine), _log(seen))
    users = warehouse.mart("dim_users")
    assert len(users) == 2_357
    repeats = Counter(min(row["active_days"] - 1, 7) for row in users)
    assert [repeats[number] for number in range(8)] == [1_411, 439, 214, 100, 62, 38, 29, 64]
    by_key = {row["user_key"]: row for row in users}
    published = {4: (2, 30.43, 38.86), 21: (1, 1.71, 38.86), 50: (0, 0.00, 38.86)}
    for customer, figures in published.items():
        row = by_key[warehouse.user_key(user(customer), _SALT)]
        first, last = row["first_generation_at"].date(), row["last_generation_at"].date()
        weeks = [round((until - first).days / 7, 2) for until in (last, end)]
        assert (row["active_days"] - 1, *weeks) == figures
