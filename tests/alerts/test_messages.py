"""What is said, to people and on the terminal."""

import subprocess
import sys
from decimal import Decimal

import pytest

from factory import NewWarehouse
from project import ROOT
from scene import OPENED, Scene
from warehouse.__main__ import main
from warehouse.alerts.messages import in_units, message
from warehouse.words import in_hours

# What is said


INCIDENT = {
    "incident_key": "key",
    "rule_name": "rule",
    "severity": "page",
    "metric": "failure_rate",
    "comparison": ">",
    "threshold": 0.05,
    "first_firing_at": OPENED,
    "opened_at": OPENED,
    "last_firing_at": OPENED,
    "resolved_at": None,
    "resolution": None,
    "duration_minutes": 1500,
    "worst_value": 0.5,
    "affected_generation_count": 1,
    "affected_users": 1,
    "lost_cost_usd": 0,
    "affected_failure_count": 1,
    "costed_failure_count": 1,
    "window_minutes": 60,
    "longer_window_minutes": None,
    "second_window_minutes": None,
    "runbook": None,
    "observed_value": None,
    "sample_size": None,
    "seen_minutes": None,
    "evidence": None,
    "witness_count": None,
    "affected_witness_count": None,
}


@pytest.mark.parametrize(
    ("metric", "comparison", "threshold", "second", "told"),
    [
        ("failure_rate", ">", 0.125, None, "More than 12.5% of the generations of 1 h fail."),
        (
            "p95_duration_ms",
            ">",
            30000,
            None,
            "The slowest 5% of the successful generations of 1 h take more than 30 s.",
        ),
        (
            "rate_limit_error_count",
            ">=",
            5,
            None,
            "The provider refuses generations because of its rate limit: at least 5 in 1 h.",
        ),
        (
            "quota_or_billing_error_count",
            ">",
            0,
            None,
            "Generations fail for quota or billing, which no retry cures: more than 0 in 1 h.",
        ),
        ("cost_change_ratio", ">=", 0.5, None, "The cost of 1 h has changed against as long before: at least +50%."),
        (
            "cost_over_usual_ratio",
            ">",
            2.0,
            None,
            "The cost of 1 h is more than 2 times the usual of this time of the week.",
        ),
        (
            "traffic_over_usual_ratio",
            "<=",
            0.1,
            None,
            "The generations of 1 h are at most 10% of the usual at this time of the week.",
        ),
        (
            "error_budget_burn",
            ">=",
            14.4,
            5,
            "Failures use up the error budget at least 14.4 times as fast as the objective allows, over 1 h and 5 min.",
        ),
        ("silent_minutes", ">=", 60, None, "No generation is logged, for at least 1 h."),
        ("something_new", "<", 1234.5678, None, "something_new is less than 1,234.568, over 1 h."),
    ],
)
def test_each_metric_is_put_in_words(
    metric: str, comparison: str, threshold: float, second: int | None, told: str
) -> None:
    changes = {"metric": metric, "comparison": comparison, "threshold": threshold, "second_window_minutes": second}
    assert message(INCIDENT | changes, "opened").body.splitlines()[0] == told


def test_a_rule_of_two_windows_says_both() -> None:
    lines = message(INCIDENT | {"window_minutes": 15, "longer_window_minutes": 60}, "opened").body.splitlines()
    assert lines[0] == "More than 5% of the generations of 15 min or 1 h fail."


@pytest.mark.parametrize(
    ("changes", "sure"),
    [
        (
            {"metric": "failure_rate", "observed_value": 7 / 9, "sample_size": 9, "threshold": 0.05, "evidence": 6.1},
            "7 of 9 generations failed in the 15 min up to 2026-03-02 10:00 UTC, at 5 of 6 users; "
            "by chance that would happen less than once in 440 such windows if 5% failed",
        ),
        (
            {"metric": "p95_duration_ms", "observed_value": 41_000, "sample_size": 9, "threshold": 3e4, "evidence": 5},
            "5 of 6 users had to wait longer; "
            "by chance that would happen less than once in 140 such windows if 5% took longer than 30 s",
        ),
        (
            {"metric": "rate_limit_error_count", "observed_value": 8, "sample_size": 9, "threshold": 3, "evidence": 13},
            "8 of 9 generations in the 15 min up to 2026-03-02 10:00 UTC, at 5 of 6 users; "
            "by chance that would happen less than once in 440,000 such windows if all was as usual",
        ),
        (
            {"metric": "cost_change_ratio", "affected_witness_count": None, "evidence": 5000, "threshold": 0.5},
            "by chance that would happen less than once in a million such windows if it was at its limit",
        ),
    ],
)
def test_the_evidence_is_put_in_words(changes: dict, sure: str) -> None:
    seen = {"seen_minutes": 15, "witness_count": 6, "affected_witness_count": 5} | changes
    assert f"How sure: {sure}" in message(INCIDENT | seen, "opened").body.splitlines()


@pytest.mark.parametrize("evidence", [None, 0.0])
def test_where_nothing_was_weighed_nothing_is_said_of_it(evidence: float | None) -> None:
    assert "How sure" not in message(INCIDENT | {"evidence": evidence}, "opened").body


@pytest.mark.parametrize(
    ("resolution", "title", "first"),
    [
        ("ok", "[PAGE] rule is resolved", "It is within its limit again."),
        (
            "no_data",
            "[PAGE] rule is closed: no data",
            "Closed because there was too little data to judge by for a day. That is not to say that all is well.",
        ),
        ("rule_disabled", "[PAGE] rule is closed: switched off", "Closed because the rule was switched off."),
    ],
)
def test_how_an_incident_ended_is_said(resolution: str, title: str, first: str) -> None:
    told = message(INCIDENT | {"resolution": resolution, "resolved_at": OPENED}, "resolved")
    assert (told.title, told.body.splitlines()[0]) == (title, first)


def test_why_and_how_often_it_reopened_are_said_where_they_are_known() -> None:
    known = {"explanation": '3 of 4 extra failures are "Rate limit reached"', "reopened_count": 2}
    lines = message(INCIDENT | known, "opened").body.splitlines()
    assert lines[2] == "Reopened: 2 times, within an hour of its end"
    assert lines[5] == 'Why: 3 of 4 extra failures are "Rate limit reached"'
    for nothing in ({"explanation": None, "reopened_count": None}, {"explanation": None, "reopened_count": 0}, {}):
        body = message(INCIDENT | nothing, "opened").body
        assert "Why:" not in body
        assert "Reopened:" not in body


def test_one_generation_of_one_user_and_times_are_put_in_words() -> None:
    lines = message(INCIDENT, "opened").body.splitlines()
    assert "Whom it hits: 1 generation of 1 user; 1 failed, which has cost 0.00 USD" in lines
    assert "Since: 2026-03-02 10:00 UTC, for 1 d 1 h" in lines
    assert [in_hours(minutes) for minutes in (0, 59, 60, 61, 1441)] == [
        "0 min",
        "59 min",
        "1 h",
        "1 h 1 min",
        "1 d 1 min",
    ]
    assert in_units("failure_rate", 0.0456) == "4.6%"
    assert in_units("cost_change_ratio", -0.25) == "-25%"
    assert in_units("rate_limit_error_count", 12000.0) == "12,000"
    assert in_units("p95_duration_ms", None) == "unknown"


@pytest.mark.parametrize(
    ("cost", "failures", "costed", "told"),
    [
        ("0", 30, 0, "30 failed, cost unknown"),
        ("1.234", 30, 12, "30 failed, cost known of 12: 1.23 USD"),
        ("0", 30, 12, "30 failed, cost known of 12: 0.00 USD"),
        ("1234.5", 1030, 1030, "1,030 failed, which has cost 1,234.50 USD"),
        ("0", 0, 0, "none of them failed"),
        # from before failures were counted
        ("0", None, None, "what failed of them has cost an unknown amount"),
        ("1.234", None, None, "what failed of them has cost 1.23 USD"),
    ],
)
def test_what_failures_cost_is_said_only_as_far_as_it_is_known(
    cost: str, failures: int | None, costed: int | None, told: str
) -> None:
    changes = {
        "affected_generation_count": 2000,
        "affected_users": 87,
        "lost_cost_usd": Decimal(cost),
        "affected_failure_count": failures,
        "costed_failure_count": costed,
    }
    lines = message(INCIDENT | changes, "opened").body.splitlines()
    assert f"Whom it hits: 2,000 generations of 87 users; {told}" in lines


# The terminal


def test_a_quiet_system_says_so(duckdb_scene: Scene, capsys: pytest.CaptureFixture) -> None:
    duckdb_scene.set(ALERT_URLS="")
    assert duckdb_scene.run() == 0
    assert capsys.readouterr().out.splitlines() == [
        "Nothing was judged yet: the log has no usable row.",
        "Nobody is notified: neither ALERT_URLS nor DATADOG_API_KEY is set.",
    ]
    for rule, outcome in (("a", "ok"), ("b", "ok"), ("c", "insufficient_data")):
        duckdb_scene.judge(rule, outcome=outcome)
    assert duckdb_scene.run() == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "Nothing fires. 3 rules, judged up to 2026-03-02 10:00 UTC: "
        "2 within their limits, 1 with too little data to judge by."
    )


def test_alerts_that_were_never_built_are_reported(
    new_warehouse: NewWarehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    warehouse = new_warehouse("duckdb")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["alerts", "--no-refresh"]) == 2
    assert capsys.readouterr().err == (
        "BROKEN: There is no table warehouse_marts.incidents: the alerts were never built here. "
        "Run: dbt build --selector alerts\n"
    )


def test_the_help_explains_exit_codes_and_settings() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "warehouse", "alerts", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for word in ("exit codes:", "ALERT_URLS", "ALERT_REMINDER_HOURS", "DATADOG_API_KEY", "DATADOG_SITE", "--as-of"):
        assert word in said
