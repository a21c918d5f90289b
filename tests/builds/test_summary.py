"""What `python -m warehouse summary` says of failures that no pattern of the seed knows."""

import csv
import re

import pytest

from logs import failed_row, sound_row, user
from project import ROOT
from warehouse.__main__ import main
from warehouse.summary import pattern_of, seed_line
from warehouses import Row, Warehouse

with (ROOT / "seeds" / "error_patterns.csv").open(newline="") as file:
    LAST = max(int(row["position"]) for row in csv.DictReader(file))


def failures_said(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> list[str]:
    """The lines below the summary's title of failures."""
    return below("Failures, last 30 days:", summary_said(warehouse, monkeypatch, capsys))


def below(title: str, said: str) -> list[str]:
    """The lines below a title, up to the next empty one."""
    return said.partition(f"{title}\n")[2].partition("\n\n")[0].splitlines()


def summary_said(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> str:
    """All that the summary says."""
    warehouse.disconnect()
    monkeypatch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
    monkeypatch.setenv("DBT_TARGET_PATH", str(warehouse.folder / "target_of_commands"))
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    capsys.readouterr()
    assert main(["summary"]) == 0
    return capsys.readouterr().out


def failures_of(message: str | None, users: int, each: int, *, first: int, day: str = "2026-03-05") -> list[Row]:
    """So many failures of each of so many users, with {n} in the message replaced by something of their own."""
    return [
        failed_row(
            first + number,
            message.format(n=4000 + number) if message else None,
            user_id=user(number % users),
            created_at=f"{day} 10:00:00",
        )
        for number in range(users * each)
    ]


def test_unknown_texts_of_eleven_users_are_named_with_the_line_that_would_know_them(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    rows = [
        sound_row(0, created_at="2026-03-31 10:00:00"),
        *failures_of("Request timed out.", 4, 5, first=1000),
        *failures_of('Lens "{n}" is\nbent (a.b), try +49', 11, 3, first=2000),
        # each day has ten users, and both together eleven
        *failures_of("Brush no. {n} broke", 10, 1, first=3000),
        *failures_of("Brush no. {n} broke", 11, 1, first=3100, day="2026-03-06")[10:],
        *failures_of("Ink of {n}% dried up", 11, 2, first=4000),
        *failures_of("Paper is wet", 11, 1, first=5000)[1:],
        *failures_of("Paper is torn", 12, 1, first=5200),
        *failures_of("Canvas of Jane Doe", 10, 4, first=6000),
        *failures_of("{n}", 11, 1, first=7000),
        *failures_of(None, 3, 1, first=8000),
        # out of the 30 days
        *failures_of("Long ago {n} times", 12, 9, first=9000, day="2026-03-01"),
    ]
    warehouse.load(rows)
    warehouse.run()
    named = r"""Lens\s+".*"\s+is\s+bent\s+\(a\.b\),\s+try\s+\+"""
    dried = r"Ink\s+of.*%\s+dried\s+up"
    torn = r"Paper\s+is\s+torn"
    assert failures_said(warehouse, monkeypatch, capsys) == [
        # 33 + 11 + 22 + 10 + 12 + 40 + 11 + 3 of them and the 20 that are known
        "  unknown             142 of 162 (87.7%)",
        "               3  without a message",
        '              33  Lens "<number>" is bent (a.b), try +<number>',
        f'                  {LAST + 10},"{named.replace(chr(34), chr(34) * 2)}",unknown,'
        '"Lens ""<number>"" is bent (a.b), try +<number>"',
        "              22  Ink of <number>% dried up",
        f"                  {LAST + 20},{dried},unknown,Ink of <number>% dried up",
        "              12  Paper is torn",
        f"                  {LAST + 30},{torn},unknown,Paper is torn",
        "              72  of 4 other texts: rarer, or of fewer than 11 users",
        "  To name one, add its line to seeds/error_patterns.csv, with its category in place of unknown.",
    ]
    # the lines know the texts, on this engine
    texts = 'Lens "4001" is\nbent (a.b), try +49', "Ink of 4001% dried up", "Paper is torn"
    for text, pattern in zip(texts, (named, dried, torn), strict=True):
        assert warehouse.query(f"select warehouse_internal.matches('{text}', '{pattern}')") == [(True,)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], ["  none"]),
        pytest.param([sound_row(0)], ["  none"], marks=pytest.mark.thorough),
        (
            [sound_row(0), failed_row(1, "Request timed out."), failed_row(2, "Rate limit reached")],
            ["  unknown             0 of 2: the seed error_patterns knows every text"],
        ),
        (
            [failed_row(0, None), failed_row(1, "Request timed out.")],
            ["  unknown             1 of 2 (50.0%)", "               1  without a message"],
        ),
        pytest.param(
            failures_of("{n}", 11, 1, first=0),
            ["  unknown             11 of 11 (100.0%)", "              11  <number>"],
            marks=pytest.mark.thorough,
        ),
    ],
    ids=["no rows", "no failures", "all known", "no message", "no words"],
)
def test_the_summary_has_words_where_there_is_little_to_say(
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    rows: list[Row],
    said: list[str],
) -> None:
    duckdb_warehouse.load(rows)
    duckdb_warehouse.run()
    assert failures_said(duckdb_warehouse, monkeypatch, capsys) == said


def test_a_young_warehouse_has_no_numbers_and_no_styles_and_says_so(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    duckdb_warehouse.load([sound_row(number) for number in range(9)])
    duckdb_warehouse.run()
    said = summary_said(duckdb_warehouse, monkeypatch, capsys)
    assert said.splitlines()[1] == "The warehouse holds no whole day yet: no numbers."
    assert below("Styles by success rate, last 30 days (of 10 generations or more):", said) == ["  none"]


def test_a_line_for_the_seed_can_be_read_back_and_its_pattern_finds_the_text() -> None:
    for text, signature in {
        "Odd: 7|8 [x] {y} a^b $5 c\\d e*f": "Odd: <number>|<number> [x] {y} a^b $<number> c\\d e*f",
        'He said "no", twice': 'He said "no", twice',
        "Mail to a@b.org bounced": "Mail to <email> bounced",
        "word " * 39 + "12345678": ("word " * 39 + "<number>")[:200],
    }.items():
        position, pattern, category, name = next(csv.reader([seed_line(700, pattern_of(signature), signature)]))
        assert (position, category, name) == ("700", "unknown", signature)
        assert re.search(pattern, text, re.IGNORECASE | re.DOTALL)
        assert not re.search(pattern, "Request timed out.", re.IGNORECASE | re.DOTALL)
    assert [pattern_of(few) for few in ("<id>", "<url> <url>", "Error <number>", "Öl!", "")] == [None] * 5
