"""From the log to the message."""

import datetime as dt
import os
import subprocess
import sys

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row, user
from project import ROOT
from receiver import Receiver
from scene import OPENED, command
from warehouse.__main__ import main
from warehouses import Row, Warehouse


def minute_by_minute(first: dt.datetime, minutes: int, failing: bool = False, number: int = 0) -> list[Row]:
    """Eight generations a minute, of 200 users: enough evidence for every rule."""
    return [
        (failed_row if failing else sound_row)(
            number + place,
            *(["429 Too Many Requests: rate limit exceeded"] if failing else []),
            created_at=str(first + dt.timedelta(seconds=7.5 * place)),
        )
        | {"user_id": user(place % 200)}
        for place in range(8 * minutes)
    ]


pytestmark = pytest.mark.mainly_on("postgres")

CALM = minute_by_minute(OPENED - dt.timedelta(minutes=320), 240)
# the hour that is judged last is in it
STORM = CALM + minute_by_minute(OPENED - dt.timedelta(minutes=80), 80, failing=True, number=4000)
# long enough for all of it to be over, and to stay so for an hour
AFTER = STORM + minute_by_minute(OPENED, 180, number=6000)


@pytest.fixture(params=ENGINES)
def live(
    request: pytest.FixtureRequest, new_warehouse: NewWarehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    """A warehouse in which nothing was ever built, with a log in a calm."""
    warehouse = new_warehouse(request.param)
    receiver.forget()
    for name in [name for name in os.environ if name.startswith(("ALERT_", "DATADOG_", "DD_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
    monkeypatch.setenv("DBT_TARGET_PATH", str(warehouse.target_path))
    monkeypatch.setenv("DBT_LOG_PATH", str(warehouse.folder / "logs"))
    monkeypatch.setenv("ALERT_URLS", receiver.url("a"))
    monkeypatch.setenv("ALERT_RETRY_SECONDS", "0.01")
    load(warehouse, CALM, monkeypatch)
    return warehouse


def load(warehouse: Warehouse, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.load(rows)
    warehouse.disconnect()
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)


STORM_TITLES = {
    "[PAGE] fast_error_budget_burn",
    "[PAGE] high_failure_rate",
    "[PAGE] provider_rate_limits",
}


def test_a_storm_is_sent_from_the_log_on_once_when_it_comes_and_once_when_it_is_over(
    live: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    assert main(["alerts"]) == 0
    assert "Nothing fires. 12 rules, judged up to " in capfd.readouterr().out
    load(live, STORM, monkeypatch)
    assert main(["alerts"]) == 1
    said = capfd.readouterr()
    assert said.err == ""
    assert "[PAGE] provider_rate_limits is firing\n  The provider refuses generations" in said.out
    told = {title for title in receiver.titles() if title.startswith("[PAGE]")}
    assert told == {f"{title} is firing" for title in STORM_TITLES}
    count = len(receiver.taken())
    assert count == len(set(receiver.titles()))
    assert main(["alerts"]) == 1
    assert len(receiver.taken()) == count
    load(live, AFTER, monkeypatch)
    main(["alerts"])
    assert {title for title in receiver.titles()[count:] if title.startswith("[PAGE]")} == {
        f"{title} is resolved" for title in STORM_TITLES
    }
    keys = {row["incident_key"] for row in live.mart("incidents")}
    assert {row["incident_key"] for row in live.mart("alert_notifications")} == keys


def test_whole_commands_that_overlap_send_nothing_twice(
    live: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["alerts"]) == 0
    load(live, STORM, monkeypatch)
    runs = [command(), command()]
    said = [run.communicate(timeout=120) for run in runs]
    assert [error for _, error in said] == ["", ""]
    assert [run.returncode for run in runs] == [1, 1]
    titles = receiver.titles()
    assert len(titles) == len(set(titles))
    assert {f"{title} is firing" for title in STORM_TITLES} <= set(titles)


def test_where_dbt_fails_what_was_found_before_is_still_sent(
    live: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    load(live, STORM, monkeypatch)
    receiver.answers["a"] += [500] * 6
    assert main(["alerts"]) == 2
    assert receiver.taken() == []
    receiver.answers.clear()
    capfd.readouterr()
    if live.engine == "duckdb":
        monkeypatch.setenv("GENERATION_LOGS", "no/such/log.parquet")
        reason = "There is no log at 'no/such/log.parquet' (GENERATION_LOGS)"
    else:
        monkeypatch.setenv("GENERATION_LOGS_TABLE", "no_such_table")
        reason = 'relation "public.no_such_table" does not exist'
    assert main(["alerts"]) == 2
    said = capfd.readouterr()
    assert said.err.startswith("BROKEN: dbt could not judge the rules, so what follows may be out of date. It says:\n")
    assert reason in said.err
    assert "[PAGE] high_failure_rate is firing" in said.out
    assert {f"{title} is firing" for title in STORM_TITLES} <= set(receiver.titles())


@pytest.mark.parametrize(("given", "meant"), [(["--help"], "alerts"), (["backtest", "--help"], "backtest")])
def test_the_old_name_of_the_command_opens_the_new_one_and_says_so(given: list[str], meant: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alerts", *given], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"python -m alerts is now: python -m warehouse {meant}." in done.stderr
    assert f"usage: python -m warehouse {meant}" in done.stdout
