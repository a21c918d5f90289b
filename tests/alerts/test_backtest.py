"""What a replay of the rules finds, counted by hand, on both engines; and what it says where it cannot."""

import argparse
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row
from project import ROOT
from simulator.__main__ import main as simulate
from warehouse.__main__ import main
from warehouse.backtest import replay
from warehouse.backtest.truth import Alarm, Truth, breach, judge, read_truth
from warehouses import SCHEMA, Row, Warehouse

DAY = dt.datetime(2026, 3, 2)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
HEAD = (
    "rule_name,metric,window_minutes,longer_window_minutes,second_window_minutes,comparison,threshold,"
    "minimum_evidence,minimum_sample,fire_after_windows,resolve_after_windows,severity,objective,is_enabled,runbook"
)
# A row a minute, so windows of 15 minutes hold 15 rows. Four windows in a row, at least ten rows.
RULES = f"""{HEAD}
failing,failure_rate,15,,,>,0.5,0,10,4,2,page,,true,Look.
refused,rate_limit_error_count,15,,,>=,15,0,10,1,2,ticket,,true,Wait.
off,failure_rate,15,,,>,0.1,0,0,1,1,page,,false,Nobody asks.
"""
# Every generation fails in these. The first is long enough; the second is over before the rule has held for four
# windows; the third is nobody's; the fourth is an incident of a kind that the rule is not there for.
FAILING = ((2, 0, 45), (4, 0, 15), (6, 0, 45), (8, 0, 45))
TRUTH = """incident_id,kind,started_at,ended_at,intensity,detail
1,rate_limit_storm,2026-03-02 02:00:00,2026-03-02 02:45:00,1.000,caught
2,rate_limit_storm,2026-03-02 04:00:00,2026-03-02 04:15:00,1.000,missed
3,outage,2026-03-02 08:00:00,2026-03-02 08:45:00,1.000,of another kind
"""


def log() -> list[Row]:
    """Twelve hours of one generation a minute."""
    rows = []
    for minute in range(12 * 60):
        at = DAY + minute * MINUTE
        fails = any(0 <= (at - DAY - hour * HOUR) / MINUTE - begin < length for hour, begin, length in FAILING)
        make = failed_row if fails else sound_row
        arguments = ("429 Rate limit reached",) if fails else ()
        # of the failures of the first the application recorded no cost
        costs = {"costs": '{"vision":0,"image":0,"total":0}'} if fails and at < DAY + 3 * HOUR else {}
        rows.append(make(minute, *arguments, created_at=str(at), **costs))
    return rows


class Replayed:
    """A warehouse, and the command."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.rules = folder / "rules.csv"
        self.truth = folder / "truth.csv"
        self.rules.write_text(RULES)
        self.truth.write_text(TRUTH)

    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        """The exit code of a replay."""
        self.warehouse.disconnect()
        for name, value in self.warehouse.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DBT_PROFILES_DIR", str(self.warehouse.profiles))
        monkeypatch.setenv("DBT_TARGET_PATH", str(self.warehouse.target_path))
        monkeypatch.setenv("DBT_LOG_PATH", str(self.warehouse.target_path / "logs"))
        monkeypatch.chdir(ROOT)
        return main(["backtest", "--rules", str(self.rules), *arguments])

    def state(self) -> dict[str, object]:
        """Everything that the warehouse holds, by table."""
        return {
            f"{schema}.{name}": self.warehouse.query(f"select count(*) from {schema}.{name}")
            for schema, name, kind in self.warehouse.relations()
            if kind == "BASE TABLE"
        }


@pytest.fixture(scope="module", params=ENGINES)
def replayed(
    request: pytest.FixtureRequest, module_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Replayed:
    """The warehouse of the log above, on each engine."""
    warehouse = module_warehouse(request.param)
    warehouse.load(log())
    warehouse.run(select="+service_health +hourly_engagement +error_analysis")
    return Replayed(warehouse, tmp_path_factory.mktemp("backtest"))


def tables(said: str) -> list[dict[str, list[str]]]:
    """The tables that were printed: the words of each line behind its rule."""
    found = []
    for block in said.split("\n\n"):
        lines = [re.split(r" {2,}", line.strip()) for line in block.splitlines() if line.startswith("  ")]
        if lines and lines[0][0] == "rule":
            found.append({line[0]: line[1:] for line in lines[1:]})
    return found


def test_a_replay_counts_what_was_caught_missed_and_false(
    replayed: Replayed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = replayed.state()
    assert replayed.run(monkeypatch, "--truth", str(replayed.truth)) == 0
    said = capsys.readouterr().out
    assert "Replayed 2 rules" in said
    assert "over 0.5 days, 2026-03-02 00:15 UTC to 2026-03-02 11:55 UTC." in said
    assert "3 incidents (1 of outage, 2 of rate_limit_storm)" in said
    fired, worth, naive = tables(said)
    # from 02:10 (10 of 15) the fourth window is 02:25; it is over when two windows were ok: 02:55 and 03:00
    assert fired["failing"] == ["page", "3", "185.1", "50 min", "50 min", "0.0%"]
    # 15 of 15 from 02:15 to 02:45; two windows more
    assert fired["refused"] == ["ticket", "4", "246.9", "40 min", "40 min", "0.0%"]
    # rule: breaching, caught, missed, aftermaths, false, a day, in 30 days, to detect, after the breach
    assert worth["failing"] == ["2", "1", "1", "1", "1", "2.06", "61.7", "25 / 25 min", "+10 min"]
    assert worth["refused"] == ["2", "2", "0", "1", "1", "2.06", "61.7", "15 / 15 min", "+0 min"]
    # naively the first window that is beyond opens it, five minutes before a whole window is
    assert naive["failing"] == ["2", "2", "0", "1", "1", "2.06", "61.7", "10 / 10 min", "-5 min"]
    assert [line.split()[-1] for line in said.splitlines() if line.startswith("  2026-03-02")] == [
        *("true", "true", "true"),
        *("false", "false"),
        *("aftermath", "aftermath"),
    ]
    # failures, what they cost, and of how many that is known
    assert [
        re.split(r" {2,}", line.strip())[6:-1] for line in said.splitlines() if line.startswith("  2026-03-02")
    ] == [
        *(["45", "unknown", "0"], ["45", "unknown", "0"]),
        ["15", "0.76", "15"],
        *(["45", "2.28", "45"],) * 4,
    ]
    assert replayed.state() == before


def test_a_replay_judges_the_range_that_it_is_given(
    replayed: Replayed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replayed.run(monkeypatch, "--from", "2026-03-02 03:30", "--to", "2026-03-02T07:00Z") == 0
    said = capsys.readouterr().out
    assert "2026-03-02 03:30 UTC to 2026-03-02 07:00 UTC" in said
    (fired,) = tables(said)
    assert fired["failing"][1] == "1"
    assert fired["refused"][1] == "2"
    assert "alarm" not in said
    # the incident of 02:00 is not wholly within the range any more, and that of 08:00 lies behind it
    arguments = ("--from", "2026-03-02 02:30", "--to", "2026-03-02 07:00", "--truth", str(replayed.truth))
    assert replayed.run(monkeypatch, *arguments) == 0
    said = capsys.readouterr().out
    assert "2 of them are not wholly in the range" in said
    assert tables(said)[1]["refused"][:5] == ["1", "1", "0", "0", "1"]


def test_a_range_before_the_log_begins_where_the_log_does(
    replayed: Replayed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replayed.run(monkeypatch, "--from", "2026-01-01") == 0
    said = capsys.readouterr().out
    assert "2026-03-02 00:15 UTC to 2026-03-02 11:55 UTC" in said
    assert "Not from 2026-01-01 00:00 UTC: the generations begin at 2026-03-02 00:00 UTC" in said
    assert replayed.run(monkeypatch, "--from", "2026-03-03") == 2
    assert "There is nothing to replay" in capsys.readouterr().err


def test_a_rule_that_makes_no_sense_is_named(
    replayed: Replayed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rules = tmp_path / "rules.csv"
    rules.write_text(RULES.replace("failing,failure_rate", "failing,failure_rates"))
    assert replayed.run(monkeypatch, "--rules", str(rules)) == 2
    said = capsys.readouterr().err
    assert "failing: metric is 'failure_rates'; it is one of failure_rate," in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind,started_at\nslow_hour,2026-03-02\n", "KeyError, 'ended_at'"),
        ("kind,started_at,ended_at\nslow_hour,soon,later\n", "ValueError"),
        ("kind,started_at,ended_at,intensity\nfailing,2026-03-02,2026-03-03,half\n", "could not convert"),
        (
            "kind,started_at,ended_at\nflood,2026-03-02,2026-03-03\n",
            "incidents of kind flood; known are rate_limit_storm",
        ),
    ],
)
def test_a_truth_that_cannot_be_read_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(text)
    with pytest.raises(Exception, match=re.escape(said)):
        read_truth(path)


def test_a_truth_may_say_how_bad_it_was(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(
        "kind,started_at,ended_at,intensity\n"
        "failing,2026-03-02,2026-03-02 01:00:00,0.150\n"
        "outage,2026-03-02 02:00,2026-03-02 03:00,\n"
    )
    failing, outage = read_truth(path)
    assert failing == Truth("failing", DAY, DAY + HOUR, 0.15)
    assert outage.intensity is None
    assert failing.concerns(rule("failure_rate", ">", 0.05))
    assert failing.concerns(rule("error_budget_burn", ">", 6))
    assert not failing.concerns(rule("rate_limit_error_count", ">", 10))


def test_a_warehouse_that_was_never_built_is_reported(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert Replayed(duckdb_warehouse, tmp_path).run(monkeypatch) == 2
    assert f"There is no table {SCHEMA}_marts.fct_generations to replay" in capsys.readouterr().err


def test_the_rules_of_the_seed_find_the_incidents_of_a_simulated_log(
    new_warehouse: NewWarehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # as busy as the log of `make backtest`; the truth beside the log is found
    log_file = tmp_path / "log.parquet"
    simulate(["--rows", "200000", "--days", "6", "--incidents", "3", "--out", str(log_file), "--quiet"])
    warehouse = new_warehouse("duckdb")
    warehouse.log = str(log_file)
    warehouse.run(select="+service_health +hourly_engagement +error_analysis")
    replayed = Replayed(warehouse, tmp_path)
    replayed.rules.write_text((ROOT / "seeds" / "alert_rules.csv").read_text())
    assert replayed.run(monkeypatch, "--all") == 0
    _, worth, naive = tables(capsys.readouterr().out)
    for rule in ("high_failure_rate", "provider_rate_limits", "slow_generations", "hourly_cost_jump"):
        breaching, caught, missed = map(int, worth[rule][:3])
        assert breaching >= 2, rule
        assert (caught, missed) == (breaching, 0), rule
        assert int(worth[rule][4]) == 0, rule
    assert int(naive["high_failure_rate"][4]) > 3
    # nothing is known of the weeks before
    assert worth["no_traffic"][0] == worth["cost_over_usual"][0] == "0"


# The verdict, worked out by hand


def generation(minute: float, **changes: object) -> Row:
    """One row of the fact, some minutes after the day began."""
    return {
        "created_at": DAY + minute * MINUTE,
        "is_success": True,
        "error_category": None,
        "duration_ms": 10_000,
        "total_cost_usd": Decimal("0.05"),
    } | changes


def rule(metric: str, comparison: str, threshold: float, **changes: object) -> Row:
    return {
        "metric": metric,
        "comparison": comparison,
        "threshold": threshold,
        "window_minutes": 15,
        "second_window_minutes": None,
        "objective": None,
    } | changes


def breach_of(of: Row, rows: list[Row], begin: float, end: float, known_from: dt.datetime = DAY) -> float | None:
    """The minute of the day at which an incident has breached a rule for a whole window."""
    truth = Truth("outage", DAY + begin * MINUTE, DAY + end * MINUTE)
    found = breach(
        of, truth, lambda first, last: [row for row in rows if first <= row["created_at"] < last], known_from
    )
    return None if found is None else (found - DAY) / MINUTE


def test_a_breach_lasts_a_whole_window_within_the_incident() -> None:
    half = [generation(minute, is_success=minute % 2 == 0) for minute in range(120)]
    assert breach_of(rule("failure_rate", ">", 0.4), half, 31, 60) == 50
    assert breach_of(rule("failure_rate", ">", 0.4), half, 30, 45) == 45
    assert breach_of(rule("failure_rate", ">", 0.4), half, 31, 49) is None
    assert breach_of(rule("failure_rate", ">", 0.6), half, 0, 120) is None


@pytest.mark.parametrize(
    ("metric", "changes", "value"),
    [
        ("rate_limit_error_count", {"is_success": False, "error_category": "rate_limit"}, 15),
        ("quota_or_billing_error_count", {"is_success": False, "error_category": "quota"}, 15),
        ("failure_rate", {"is_success": False}, 1),
        ("p95_duration_ms", {"duration_ms": 40_000}, 40_000),
        ("cost_change_ratio", {"total_cost_usd": Decimal("0.15")}, 2),
    ],
)
def test_each_metric_of_a_whole_window(metric: str, changes: Row, value: float) -> None:
    rows = [generation(minute, **(changes if 60 <= minute < 90 else {})) for minute in range(120)]
    # the first whole window of the incident is the one in which the metric is at its full value
    assert breach_of(rule(metric, ">=", value * (1 - 1e-9)), rows, 60, 90) == 75
    assert breach_of(rule(metric, ">", value * (1 + 1e-9)), rows, 60, 90) is None


def test_a_budget_burns_in_both_windows() -> None:
    of = rule("error_budget_burn", ">=", 10, window_minutes=60, second_window_minutes=5, objective=Decimal("0.95"))
    rows = [generation(minute, is_success=minute >= 40) for minute in range(120)]
    # half of the 70 minutes' last hour fails, and then none of the last five
    assert breach_of(of, rows, 0, 120) is None
    rows = [generation(minute, is_success=minute < 40) for minute in range(120)]
    assert breach_of(of, rows, 0, 120) == 70


def test_the_usual_is_the_median_of_other_weeks_that_are_known() -> None:
    week = 7 * 24 * 60
    now = 4 * week
    rows = [
        generation(now - back * week + minute, total_cost_usd=Decimal(cost) / 100)
        for back, cost in ((0, 30), (1, 10), (2, 10), (3, 90), (4, 10))
        for minute in range(60)
    ]
    of = rule("cost_over_usual_ratio", ">=", 3)
    assert breach_of(of, rows, now + 15, now + 45) == now + 30
    # two weeks, of 10 and 10; one week is too little to know what is usual
    assert breach_of(of, rows, now + 15, now + 45, DAY + (now - 2 * week) * MINUTE) == now + 30
    assert breach_of(of, rows, now + 15, now + 45, DAY + (now - week) * MINUTE) is None
    none = [row for row in rows if row["created_at"] < DAY + now * MINUTE]
    assert breach_of(rule("traffic_over_usual_ratio", "<=", 0.1), none, now + 15, now + 45) == now + 30


def alarm(first: float, opened: float, last: float) -> Alarm:
    return Alarm(*(DAY + minute * MINUTE for minute in (first, opened, last)))


def test_caught_in_time_or_missed() -> None:
    storm = Truth("rate_limit_storm", DAY, DAY + 60 * MINUTE)
    breaches = {storm: DAY + 15 * MINUTE}
    of = rule("failure_rate", ">", 0.05)
    in_time = judge(of, [alarm(5, 30, 70)], [storm], breaches)
    assert (in_time.breaching, in_time.caught, in_time.minutes_to_detect) == (1, 1, [30])
    assert in_time.minutes_after_breach == [15]
    # one window after the breach is in time, and five minutes more are not; but false it is not either
    late = judge(of, [alarm(5, 35, 70)], [storm], breaches)
    assert (late.caught, late.missed, late.false) == (0, [storm], [])
    # it was open already
    assert judge(of, [alarm(-30, -10, 20)], [storm], breaches).minutes_to_detect == [0]
    # what does not breach the rule's threshold needs not be caught
    assert judge(of, [], [storm], {storm: None}).breaching == 0


def test_false_alarms_and_aftermaths() -> None:
    outage = Truth("outage", DAY, DAY + 30 * MINUTE)
    hour = {"window_minutes": 60}
    jump = rule("cost_change_ratio", ">=", 0.5, **hour)
    # the hour before the window still lacks what the outage took
    assert len(judge(jump, [alarm(120, 120, 145)], [outage], {}).aftermaths) == 1
    assert len(judge(jump, [alarm(150, 150, 155)], [outage], {}).false) == 1
    usual = rule("cost_over_usual_ratio", ">=", 2, **hour)
    assert len(judge(usual, [alarm(85, 85, 85)], [outage], {}).aftermaths) == 1
    assert len(judge(usual, [alarm(90, 90, 95)], [outage], {}).false) == 1


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-06-30", "2026-07-01 00:00"),
        ("2026-06-30 00:00", "2026-06-30 00:00"),
        ("2026-06-30T12:30", "2026-06-30 12:30"),
    ],
)
def test_a_range_that_ends_with_a_day_holds_the_day(text: str, end: str) -> None:
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    assert parser.parse_args(["--to", text]).end == dt.datetime.fromisoformat(end)
