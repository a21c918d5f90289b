"""The backtest by sizes: what counts as caught and as a false page, and that it runs from nothing to its table."""

import datetime as dt
import os
import re
import shutil
from pathlib import Path

import pytest

from project import ROOT
from warehouse.__main__ import main
from warehouse.backtest import sizes
from warehouse.backtest.truth import Truth, read_truth
from warehouses import Row

NOON = dt.datetime(2026, 3, 2, 12)
MINUTE = dt.timedelta(minutes=1)
HOUR = Truth("failing", NOON, NOON + 60 * MINUTE, 0.5)


def incident(rule: str, metric: str, severity: str, minute: float) -> Row:
    return {"rule_name": rule, "metric": metric, "severity": severity, "opened_at": NOON + minute * MINUTE}


@pytest.mark.parametrize(
    ("opened", "caught"),
    [((-5,), None), ((0,), None), ((5,), 5), ((40, 20), 20), ((-5, 75), 75), ((80,), None), ((), None)],
)
def test_caught_in_the_hour_or_at_most_a_window_later(opened: tuple[int, ...], caught: int | None) -> None:
    found = sizes.caught_at(HOUR, [NOON + minute * MINUTE for minute in opened])
    assert found == (None if caught is None else NOON + caught * MINUTE)


def test_pages_outside_of_the_failing_hours_are_false() -> None:
    rules = [
        {"rule_name": "short", "window_minutes": 15},
        {"rule_name": "long", "window_minutes": 15, "longer_window_minutes": 60},
    ]
    incidents = [
        incident("short", "failure_rate", "page", 10),
        incident("short", "failure_rate", "page", 80),
        incident("short", "rate_limit_error_count", "page", -5),
        incident("long", "error_budget_burn", "page", 120),
        incident("long", "error_budget_burn", "page", 125),
        incident("long", "error_budget_burn", "ticket", 300),
    ]
    found = sizes.outcome(incidents, rules, [HOUR])
    assert found.opened == [NOON + 10 * MINUTE, NOON + 80 * MINUTE]
    assert found.false_pages == [incidents[1], incidents[2], incidents[4]]


def test_the_table_of_a_small_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copy(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    monkeypatch.setattr(sizes, "FOLDER", tmp_path / "sizes")
    monkeypatch.chdir(ROOT)
    before = dict(os.environ)
    assert main(["backtest", "--sizes", "300"]) == 0
    said = capsys.readouterr()
    assert [line.split(": ")[1] for line in said.err.splitlines()] == [
        "simulating 30 days …",
        "building the warehouse …",
        "replaying the rules …",
    ]
    assert dict(os.environ) == before
    lines = [re.split(r" {2,}", line.strip()) for line in said.out.split("\n\n")[1].splitlines()[1:]]
    # generations a day, share of tries that fail, hours, and how many of them are evident
    assert [line[:3] for line in lines] == [["300", "15%", "8"], ["300", "50%", "8"], ["300", "100%", "8"]]
    by_users = [int(line[3]) for line in lines]
    assert by_users == sorted(by_users)
    assert by_users[2] >= 7
    # what is evident the rules find, and nobody is paged for nothing
    assert [int(line[4]) for line in lines] == by_users
    assert {line[-2] for line in lines} == {"0.0"}
    # with samples of a hundred in 15 minutes the rules of before see nothing of so small a service
    assert [line[5] for line in lines] == ["0", "0", "0"]
    assert {line[-1] for line in lines} == {"0.0"}
    # it is made once
    assert main(["backtest", "--sizes", "300"]) == 0
    again = capsys.readouterr()
    assert again.out == said.out
    assert again.err.splitlines() == ["300 generations a day: replaying the rules …"]
    truths = read_truth(tmp_path / "sizes" / "300" / "log.parquet.incidents.csv")
    assert sorted(truth.intensity for truth in truths) == [0.15] * 8 + [0.5] * 8 + [1.0] * 8


def test_sizes_take_no_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--sizes", "200", "--from", "2026-03-01"]) == 2
    assert "it takes --rules alone" in capsys.readouterr().err
