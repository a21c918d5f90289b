"""The numbers of the page are those of SQL over the single generations, for any days, on both engines."""

import datetime as dt
import random
from pathlib import Path

import pytest

from browser import answer
from commands import command
from factory import ENGINES, NewWarehouse
from logs import failed_row, simulated_rows, sound_row
from report import build, data_in, page_of
from warehouse.report.data import Data
from warehouse.report.mail import letter
from warehouse.report.numbers import LENGTHS, Period, last_days, tiles, whole_days
from warehouses import Row, Warehouse

PERIODS = 25
_END = dt.datetime(2026, 4, 12)
# What is secret in a message, after the sign.
SECRET_MESSAGES = (
    "mail to § jane.doe+art@mail.example.org bounced",
    "key § sk-proj-Zx12aBcDeFgHiJkLmNoPqRsTuV3456 is bad",
    "see § https://cdn.example.com/u/1/p.png?token=abc123def now",
    "cannot read § /var/uploads/holiday-photo-12.jpeg",
)


def dirty_log() -> list[Row]:
    """A hundred days with dirt, incidents, more styles than have numbers of their own, and days without a row."""
    rows = [
        row
        for row in simulated_rows(9000, 100, seed=5, dirt=0.05, incidents=3)
        if not str(row["created_at"]).startswith(("2026-02-10", "2026-02-11"))
    ]
    for number in range(90):
        at = str(_END - dt.timedelta(days=number % 60, hours=3 + number % 11))
        rows.append(sound_row(number, style=f"rare {number % 30}", created_at=at, duration_ms=number * 977))
        rows.append(
            failed_row(1000 + number, f"Odd fault of kind {chr(97 + number % 26)}{chr(97 + number % 7)}", created_at=at)
        )
    for number, message in enumerate(SECRET_MESSAGES):
        rows.append(failed_row(2000 + number, message, created_at=str(_END - dt.timedelta(days=3, hours=number))))
    return rows


@pytest.fixture(scope="module")
def built(module_warehouse: NewWarehouse) -> dict[str, Warehouse]:
    """The same log on both engines."""
    rows, warehouses = dirty_log(), {}
    for engine in ENGINES:
        warehouses[engine] = module_warehouse(engine)
        build(warehouses[engine], rows)
    return warehouses


@pytest.fixture(scope="module")
def pages(built: dict[str, Warehouse]) -> dict[str, str]:
    """Their pages."""
    return {engine: page_of(warehouse) for engine, warehouse in built.items()}


@pytest.fixture(scope="module")
def data(pages: dict[str, str]) -> Data:
    """What the page of DuckDB holds."""
    return data_in(pages["duckdb"])


def periods_of(data: Data) -> list[Period]:
    """Days at random, short ones and long ones, and those of the buttons."""
    whole, chance = whole_days(data), random.Random(11)
    found = [last_days(data, length) for length in LENGTHS]
    while len(found) < PERIODS + len(LENGTHS):
        length = chance.choice((1, 2, 7, 13, 28, 45, whole.length))
        first = chance.randint(whole.first, max(whole.first, whole.last - length + 1))
        found.append(Period(first, min(whole.last, first + length - 1)))
    return found


def test_both_engines_give_the_same_page(pages: dict[str, str]) -> None:
    left, right = (data_in(pages[engine]) for engine in ENGINES)
    assert (left.pop("source"), right.pop("source")) == ("DuckDB", "PostgreSQL")
    left.pop("made_at")
    right.pop("made_at")
    assert left.keys() == right.keys()
    for name in left:
        assert left[name] == right[name], name


@pytest.fixture(scope="module")
def shown(pages: dict[str, str], data: Data, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What the page says of each period, in the order of periods_of."""
    days = [[period.first, period.last] for period in periods_of(data)]
    script = f"""
      const text = (node) => node.textContent;
      return {days}.map(([from, to]) => {{
        choose(from, to);
        return {{
          address: location.hash,
          tiles: [...document.querySelectorAll(".tile")].map((tile) =>
            ["h3", ".value", ".text", ".small"].map((part) => text(tile.querySelector(part)))),
          styles: [...document.querySelectorAll("#styles tbody tr")].map((row) => [...row.children].map(text)),
          sums: Object.fromEntries(["generation_count", "success_count", "costed_generation_count", "total_cost_usd",
            "failed_cost_usd", "costed_failure_count"].map((measure) => [measure, sum(DAYS[measure], from, to)])),
          by_style: DATA.styles.map((style) => [style.style, sum(style.generation_count, from, to),
            sum(style.success_count, from, to), sum(style.total_cost_usd, from, to),
            ...quantiles([style], from, to, [.5, .95])]),
          cohorts: cohortsJudgedIn({{ from, to }}).filter((row) => !row.has_older_users),
          failures: DATA.errors.reduce((all, error) => all + sum(error.error_count, from, to), 0),
          left_out: text(document.querySelector("#issues .note")),
        }};
      }});"""
    return answer(pages["duckdb"], script, tmp_path_factory.mktemp("page"))


def dates_of(data: Data, period: Period) -> tuple[dt.date, dt.date]:
    first = dt.date.fromisoformat(data["first_date"])
    return first + dt.timedelta(days=period.first), first + dt.timedelta(days=period.last)


def test_tiles_and_mail_say_the_same(data: Data, shown: list[dict]) -> None:
    for period, page in zip(periods_of(data), shown, strict=True):
        said = [[tile.name, tile.value, tile.change, tile.note] for tile in tiles(data, period)]
        assert page["tiles"] == said, period
        assert page["address"] == "#{}/{}".format(*dates_of(data, period))
    sent = letter(data)
    for tile in tiles(data, last_days(data)):
        assert f"{tile.name}: {tile.value} ({tile.change})" in sent.text
        assert f"<b>{tile.value}</b><br>{tile.change}" in sent.html


@pytest.mark.parametrize("engine", ENGINES)
def test_sums_of_any_days_are_those_of_sql(
    built: dict[str, Warehouse], data: Data, shown: list[dict], engine: str
) -> None:
    for period, page in zip(periods_of(data), shown, strict=True):
        first, last = dates_of(data, period)
        within = f"activity_date between '{first}' and '{last}'"
        fact = f"warehouse_marts.fct_generations where {within}"
        expected = built[engine].query(
            "select count(*), count(*) filter (where is_success), count(total_cost_usd), "
            "coalesce(sum(total_cost_usd), 0), coalesce(sum(total_cost_usd) filter (where not is_success), 0), "
            f"count(total_cost_usd) filter (where not is_success) from {fact}"
        )[0]
        assert list(page["sums"].values()) == pytest.approx([float(each) for each in expected], rel=1e-9, abs=1e-9)
        assert page["failures"] == expected[0] - expected[1]
        retained = built[engine].query(
            "select coalesce(sum(retained_users), 0), coalesce(sum(cohort_size), 0) "
            "from warehouse_marts.user_retention "
            "where cohort_grain = 'week' and period_number = 1 and is_complete and not has_older_users "
            f"and cohort_date + 13 between '{first}' and '{last}'"
        )[0]
        assert [sum(row[name] for row in page["cohorts"]) for name in ("retained_users", "cohort_size")] == list(
            retained
        )
        aside, repeated = built[engine].query(
            "select coalesce(sum(row_count) filter (where disposition = 'set_aside'), 0), "
            "coalesce(sum(row_count) filter (where disposition = 'repeated'), 0) "
            f"from warehouse_marts.generation_log_issues where {within} or activity_date is null "
            f"or activity_date > (select cast(as_of as date) from warehouse_marts.warehouse_clock)"
        )[0]
        assert page["left_out"].startswith(
            f"{expected[0] + aside + repeated:,} rows of the log = {expected[0]:,} counted + {aside:,} set aside + "
            f"{repeated:,} repeated."
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_styles_of_any_days_are_those_of_sql(
    built: dict[str, Warehouse], data: Data, shown: list[dict], engine: str
) -> None:
    named = {style["style"] for style in data["styles"] if style["style"]}
    assert len(named) == 24
    assert data["other_style_count"] > 10
    for period, page in zip(periods_of(data), shown, strict=True):
        first, last = dates_of(data, period)
        rows = built[engine].query(
            "select style, count(*), count(*) filter (where is_success), coalesce(sum(total_cost_usd), 0), "
            "percentile_cont(0.5) within group (order by duration_ms) filter (where is_success), "
            "percentile_cont(0.95) within group (order by duration_ms) filter (where is_success) "
            f"from warehouse_marts.fct_generations where activity_date between '{first}' and '{last}' group by style"
        )
        expected = {row[0]: [float(each) if each is not None else None for each in row[1:]] for row in rows}
        for style, count, successes, cost, median, p95 in page["by_style"]:
            if style is None:
                others = [row for name, row in expected.items() if name not in named]
                assert [count, successes] == [sum(row[0] for row in others), sum(row[1] for row in others)]
                continue
            wanted = expected.get(style, [0, 0, 0, None, None])
            assert [count, successes, cost] == pytest.approx(wanted[:3], abs=1e-9), (style, period)
            for found, exact in ((median, wanted[3]), (p95, wanted[4])):
                assert found == (exact if exact is None else pytest.approx(exact, rel=0.0101, abs=0.01)), (
                    style,
                    period,
                )
        counts = {row[0]: int(row[1].replace(",", "")) for row in page["styles"]}
        assert sum(counts.values()) == page["sums"]["generation_count"]
        for style in named & counts.keys():
            assert counts[style] == expected[style][0]


def test_the_summary_says_the_tiles(built: dict[str, Warehouse], data: Data) -> None:
    for warehouse in built.values():
        lines = command(warehouse, "summary").out.splitlines()[1:6]
        wanted = tiles(data, last_days(data))
        assert [" ".join(line.split()) for line in lines[:4]] == [
            f"{tile.name} {tile.value} {tile.change}" for tile in wanted
        ]
        assert lines[4].startswith("  (")


def test_styles_and_messages_without_numbers_of_their_own_are_together(data: Data) -> None:
    assert [style["style"] for style in data["styles"]].index(None) == 24
    assert len(data["errors"]) > 50
    assert data["other_message_count"] > 0
    assert sum(error["error_signature"] is not None for error in data["errors"]) == 50


def test_no_person_id_or_message_is_in_the_page(
    built: dict[str, Warehouse], pages: dict[str, str], tmp_path: Path
) -> None:
    page = pages["duckdb"]
    fact = built["duckdb"].query("select distinct cast(user_key as text), job_id from warehouse_marts.fct_generations")
    rows = dirty_log()
    secret = {str(value) for row in fact for value in row if value} | {built["duckdb"].salt}
    secret |= {str(row[column]).strip() for row in rows for column in ("id", "user_id", "job_id") if row[column]}
    secret |= {message.partition("§ ")[2].split()[0] for message in SECRET_MESSAGES}
    # what is as short as a number or a word is found by chance
    assert [text for text in secret if len(text) > 8 and text in page] == []
