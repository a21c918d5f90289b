"""The page in a browser: for odd logs, hostile names, small screens and people who do not see it."""

import datetime as dt
import html
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from browser import answer, error_of, opened
from factory import NewWarehouse
from logs import START, identifier, simulated_rows, sound_row, user
from project import ROOT
from report import build, data_in, page_of, save
from warehouses import Row, Warehouse

HOSTILE = (
    "</script><b>x",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "__proto__",
    "constructor",
    "{{data}} ${x} `y`",
    "\u2028 line",
    "w" * 100,
    "🎨",
)


def days_of(count: int, **changes: object) -> list[Row]:
    """Some generations on each of so many days; the last one runs."""
    return [
        sound_row(20 * day + number, user_id=user(number), created_at=str(START + dt.timedelta(days=day, hours=number)))
        | changes
        for day in range(count)
        for number in range(12)
    ]


def with_failures(rows: list[Row]) -> list[Row]:
    """Every fourth of them failed."""
    return [
        row if number % 4 else row | {"success": "false", "error_message": "Request timed out."}
        for number, row in enumerate(rows)
    ]


def hostile_rows() -> list[Row]:
    """Every text of the log is an attack."""
    return [
        row
        | {"style": name, "id": identifier(100 * place + number), "error_message": row["error_message"] and name * 2}
        for place, name in enumerate(HOSTILE)
        for number, row in enumerate(with_failures(days_of(4)))
    ]


# For each log what its page says, and what it does not.
CASES: dict[str, tuple[Callable[[], list[Row]], dict[str, object], tuple[str, ...], tuple[str, ...]]] = {
    "sample": (
        lambda: pq.read_table(ROOT / "sample" / "generation_logs.parquet").to_pylist(),
        {},
        (
            "Tue, 2 Jun 2026 to Mon, 29 Jun 2026: 28 whole days, in UTC, compared with the 28 days before.",
            "What is before 3 May 2026 is no whole day, and in no number.",
        ),
        (),
    ),
    "nothing": (list, {}, ("The warehouse holds no generation yet.",), ("NaN", "undefined")),
    "one day": (
        lambda: days_of(1),
        {},
        ("The warehouse holds no whole day yet. Numbers appear when the first day is over.",),
        (),
    ),
    "three days": (
        lambda: with_failures(days_of(4)),
        {},
        ("still runs: pale or dashed in the charts, in no number", "so nothing is compared", "nothing to compare with"),
        (),
    ),
    "no failure": (
        lambda: days_of(12),
        {},
        ("100.00%", "Nothing failed in these days.", "no failure"),
        (),
    ),
    "no cost": (
        lambda: with_failures(days_of(12, costs="{}")),
        {},
        ("no cost is known", "The log has no cost of these days.", "No cost of a failure is known."),
        ("0.00 ¢", "$0.00"),
    ),
    "no user": (
        lambda: days_of(12, user_id=None),
        {},
        ("No generation of these days names a user.", "No generation names a user.", "No new user is known yet."),
        (),
    ),
    "silence": (
        lambda: with_failures(days_of(12)),
        {"as_of": "2026-03-17 09:00:00"},
        ("No generation since 13 Mar 2026, 20:00 UTC.",),
        ("NaN",),
    ),
}


_FURTHER = ("no failure", "no cost", "no user", "one day")


@pytest.fixture(scope="module")
def odd(module_warehouse: NewWarehouse) -> Warehouse:
    """A warehouse for one odd log after the other."""
    return module_warehouse("duckdb")


def texts_of(document: str) -> str:
    """What people read of a document."""
    body = re.sub(r"<(script|style|noscript)\b.*?</\1>", "", document, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.thorough if name in _FURTHER else ()) for name in CASES],
)
def test_odd_logs_have_sentences_and_no_error(odd: Warehouse, tmp_path: Path, name: str) -> None:
    rows, variables, said, unsaid = CASES[name]
    odd.close()
    build(odd, rows(), **variables)
    document = opened(save(page_of(odd), tmp_path))
    assert error_of(document) is None
    text = texts_of(document)
    for sentence in said:
        assert sentence in text
    for word in (*unsaid, "NaN", "undefined", "Infinity", "[object"):
        assert word not in text


@pytest.fixture(scope="module")
def hostile(module_warehouse: NewWarehouse) -> str:
    """The page of a log that attacks it."""
    warehouse = module_warehouse("duckdb")
    build(warehouse, hostile_rows())
    return page_of(warehouse)


def test_hostile_names_are_texts(hostile: str, tmp_path: Path) -> None:
    document = opened(save(hostile, tmp_path))
    assert error_of(document) is None
    # the two scripts of the page and no other
    assert len(re.findall(r"<script\b", document)) == 2
    assert not re.search(r"<(b|img)\b", document)
    names = [style["style"] for style in data_in(hostile)["styles"]]
    assert len(names) == len(HOSTILE)
    text = texts_of(document)
    for name in names:
        assert " ".join(name.split()) in text


@pytest.fixture(scope="module")
def usual(module_warehouse: NewWarehouse) -> str:
    """The page of a realistic log, with all that a log may have."""
    warehouse = module_warehouse("duckdb")
    build(warehouse, simulated_rows(4000, 100, seed=3, dirt=0.03, incidents=2))
    return page_of(warehouse)


def test_the_page_asks_no_other_place(usual: str) -> None:
    assert "default-src 'none'; script-src 'sha256-" in usual
    asking = re.compile(r"https?:|//[a-z]|\bsrc=|\bhref=|url\(|@import|\bfetch\(|XMLHttp|WebSocket|sendBeacon")
    for file in (ROOT / "warehouse" / "report" / "page").iterdir():
        # the name of a kind of element
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert asking.findall(text) == [], file.name


def test_a_page_holds_every_style_and_is_small(usual: str) -> None:
    assert len(usual.encode()) < 300_000


@pytest.mark.parametrize("page", ["usual", "hostile"])
def test_a_phone_shows_the_page_without_scrolling_sideways(
    page: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    script = "return [innerWidth, document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    inner, seen, needed = answer(request.getfixturevalue(page), script, tmp_path, width=390)
    assert inner == 390
    assert needed <= seen


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_the_page_can_be_read_by_all(usual: str, tmp_path: Path, is_dark: bool) -> None:
    script = (ROOT / "tests" / "support" / "readable.js").read_text()
    assert answer(usual, script, tmp_path, is_dark=is_dark) == []


def test_a_chart_is_read_out_by_the_keyboard(usual: str, tmp_path: Path) -> None:
    script = """
      const svg = document.querySelector("#volume svg"), tip = document.getElementById("tip"), said = [];
      svg.focus();
      for (const key of ["Home", "ArrowRight", "End"]) {
        svg.dispatchEvent(new KeyboardEvent("keydown", { key }));
        said.push(tip.hidden ? null : tip.textContent);
      }
      svg.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
      return [said, tip.hidden, document.activeElement === svg];"""
    (first, second, last), is_hidden, has_focus = answer(usual, script, tmp_path)
    assert re.fullmatch(r"\w{3}, \d+ \w{3} 2026\nsuccesses: [\d,]+\nfailures: [\d,]+(\n.*)*", first)
    assert first != second
    assert ", not whole\n" in last
    assert is_hidden
    assert has_focus


def test_the_buttons_the_fields_and_the_address_choose_the_period(usual: str, tmp_path: Path) -> None:
    script = """
      const form = document.getElementById("period"), seen = [];
      const pressed = () => [...form.querySelectorAll("[aria-pressed=true]")].map((button) => button.value);
      const look = () => seen.push([location.hash, pressed()]);
      look();
      for (const button of form.querySelectorAll("button")) { button.click(); look(); }
      form.from.value = "2026-03-05"; form.from.onchange(); look();
      form.to.value = "2026-03-01"; form.to.onchange(); look();
      return seen;"""
    seen = answer(usual, script, tmp_path)
    assert seen == [
        ["#2026-03-14/2026-04-10", ["28"]],
        ["#2026-04-04/2026-04-10", ["7"]],
        ["#2026-03-14/2026-04-10", ["28"]],
        ["#2026-01-11/2026-04-10", ["90"]],
        ["#2026-03-05/2026-04-10", []],
        ["#2026-03-05/2026-04-10", []],
    ]
    document = opened(save(usual, tmp_path) + "#2026-02-03/2026-02-05")
    assert "Tue, 3 Feb 2026 to Thu, 5 Feb 2026: 3 whole days" in texts_of(document)


def test_the_running_day_is_pale_and_in_no_number(usual: str, tmp_path: Path) -> None:
    script = """
      const bars = [...document.querySelectorAll("#volume rect")];
      return [bars.map((bar) => bar.getAttribute("fill-opacity")), period.to, period.shown];"""
    opacities, last, shown = answer(usual, script, tmp_path)
    assert shown == last + 1
    assert set(opacities) == {None, "0.4"}
    assert 1 <= opacities.count("0.4") <= 2
