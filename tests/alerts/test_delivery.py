"""Who is told of an incident, how often, and what happens where a target fails."""

import datetime as dt

import pytest

from scene import NOTIFICATIONS, OPENED, PROGRESS, Scene, command, key_of
from warehouses import SCHEMA

# What is told, to whom, and how often


def test_an_incident_is_sent_once_when_it_opens_and_once_when_it_resolves(scene: Scene) -> None:
    key = scene.open()
    scene.judge()
    assert [scene.run(), scene.run()] == [1, 1]
    (opened,) = scene.receiver.taken()
    assert opened.body["title"] == "[PAGE] failure_rate is firing"
    assert opened.body["type"] == "failure"
    assert opened.body["message"].splitlines() == [
        "More than 5% of the generations of 15 min fail.",
        "Since: 2026-03-02 09:55 UTC, for 20 min",
        "How bad: 18.3% up to 2026-03-02 10:00 UTC (sample: 1,312), 24.1% at worst; the limit is 5%",
        "Whom it hits: 312 generations of 87 users; 312 failed, cost known of 12: 4.13 USD",
        "What to do: Ask the provider.",
        f"Incident: {key}",
    ]
    scene.resolve(key)
    assert [scene.run(), scene.run()] == [0, 0]
    _, resolved = scene.receiver.taken()
    assert resolved.body["title"] == "[PAGE] failure_rate is resolved"
    assert resolved.body["type"] == "success"
    assert resolved.body["message"].splitlines() == [
        "It is within its limit again.",
        "More than 5% of the generations of 15 min fail.",
        "When: 2026-03-02 09:55 UTC to 2026-03-02 11:00 UTC, 1 h 5 min",
        "How bad: 18.3% up to 2026-03-02 10:00 UTC (sample: 1,312), 24.1% at worst; the limit is 5%",
        "Whom it hits: 312 generations of 87 users; 312 failed, cost known of 12: 4.13 USD",
        f"Incident: {key}",
    ]
    rows = scene.told()
    assert [(row["event"], row["status"], row["attempt_count"], row["last_error"]) for row in rows] == [
        ("opened", "sent", 1, None),
        ("resolved", "sent", 1, None),
    ]
    assert {row["incident_key"] for row in rows} == {key}
    assert all(row["recorded_at"] <= row["sent_at"] and row["claimed_until"] is None for row in rows)


def test_what_was_over_before_the_first_run_is_skipped_and_what_passes_later_is_sent_in_full(scene: Scene) -> None:
    scene.resolve(scene.open("old"))
    assert scene.run() == 0
    assert scene.receiver.titles() == []
    assert scene.statuses() == [("opened", "skipped", 0), ("resolved", "skipped", 0)]
    scene.resolve(scene.open("passing"))
    scene.open("lasting", severity="ticket")
    assert scene.run() == 1
    assert scene.receiver.titles() == [
        "[TICKET] lasting is firing",
        "[PAGE] passing fired, and is over",
        "[PAGE] passing is resolved",
    ]


def test_a_first_run_without_any_incident_counts_as_the_first(scene: Scene) -> None:
    assert scene.run() == 0
    scene.resolve(scene.open("passing"))
    assert scene.run() == 0
    assert scene.receiver.titles() == ["[PAGE] passing fired, and is over", "[PAGE] passing is resolved"]


def test_a_new_target_hears_of_what_is_open_then_or_opens_later(scene: Scene) -> None:
    scene.resolve(scene.open("over"))
    scene.open("first")
    scene.run()
    scene.set(ALERT_URLS=f"{scene.receiver.url('a')}, {scene.receiver.url('b')}")
    scene.run()
    assert scene.receiver.titles("b") == ["[PAGE] first is firing"]
    scene.open("second")
    scene.run()
    assert (
        scene.receiver.titles("a")
        == scene.receiver.titles("b")
        == [
            "[PAGE] first is firing",
            "[PAGE] second is firing",
        ]
    )


def test_a_url_that_is_named_twice_is_sent_once(duckdb_scene: Scene) -> None:
    duckdb_scene.set(ALERT_URLS=f"{duckdb_scene.receiver.url('a')}\n{duckdb_scene.receiver.url('a')}")
    duckdb_scene.open()
    duckdb_scene.run()
    assert len(duckdb_scene.receiver.taken()) == 1


def test_a_rule_without_a_runbook_and_an_incident_without_a_judgement_are_sent(duckdb_scene: Scene) -> None:
    duckdb_scene.open("removed", affected_generation_count=0, worst_value=None)
    duckdb_scene.run()
    assert duckdb_scene.receiver.taken()[0].body["message"].splitlines() == [
        "More than 5% of the generations of its window fail.",
        "Since: 2026-03-02 09:55 UTC, for 20 min",
        "How bad: unknown at worst; the limit is 5%",
        f"Incident: {key_of('removed', OPENED)}",
    ]


# Incidents that reopen


def test_an_incident_that_reopens_in_its_quiet_hour_is_sent_once(scene: Scene) -> None:
    key = scene.open()
    assert scene.run() == 1
    scene.resolve(key, quiet=55)
    assert scene.run() == 0
    scene.reopen(key)
    assert scene.run() == 1
    end = OPENED + dt.timedelta(hours=3)
    scene.resolve(key, at=end, quiet=55)
    assert scene.run() == 0
    assert scene.statuses() == [("opened", "sent", 1)]
    scene.know_until(end + dt.timedelta(minutes=60))
    assert [scene.run(), scene.run()] == [0, 0]
    assert scene.statuses() == [("opened", "sent", 1), ("resolved", "sent", 1)]
    assert scene.receiver.titles() == ["[PAGE] failure_rate is firing", "[PAGE] failure_rate is resolved"]
    resolved = scene.receiver.taken()[-1].body["message"].splitlines()
    assert "Reopened: 1 time, within an hour of its end" in resolved


@pytest.mark.parametrize("resolution", ["no_data", "rule_disabled"])
def test_what_cannot_reopen_is_over_at_once(scene: Scene, resolution: str) -> None:
    key = scene.open()
    scene.run()
    scene.resolve(key, resolution=resolution, quiet=0)
    assert scene.run() == 0
    assert scene.statuses() == [("opened", "sent", 1), ("resolved", "sent", 1)]


def test_a_new_target_hears_of_what_may_still_reopen(duckdb_scene: Scene) -> None:
    key = duckdb_scene.open()
    duckdb_scene.resolve(key, quiet=55)
    assert duckdb_scene.run() == 0
    assert duckdb_scene.receiver.titles() == ["[PAGE] failure_rate fired, and is over"]
    duckdb_scene.reopen(key)
    assert duckdb_scene.run() == 1
    duckdb_scene.resolve(key)
    assert duckdb_scene.run() == 0
    assert duckdb_scene.statuses() == [("opened", "sent", 1), ("resolved", "sent", 1)]


def test_while_nothing_is_known_of_how_far_the_incidents_are_made_none_is_said_to_be_over(duckdb_scene: Scene) -> None:
    key = duckdb_scene.open()
    duckdb_scene.run()
    duckdb_scene.resolve(key)
    duckdb_scene.warehouse.execute(f"delete from {PROGRESS}")
    assert duckdb_scene.run() == 0
    assert duckdb_scene.statuses() == [("opened", "sent", 1)]


# Targets that fail


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [([500], 2), (["reset"], 2), (["hang"], 2), ([500, 429], 3), (["reset", 503], 3)],
    ids=str,
)
def test_a_target_that_fails_is_tried_again_at_once(duckdb_scene: Scene, answers: list, attempts: int) -> None:
    duckdb_scene.set(ALERT_TIMEOUT_SECONDS="0.3")
    duckdb_scene.receiver.answers["a"] += answers
    duckdb_scene.open()
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == ["[PAGE] failure_rate is firing"]
    assert duckdb_scene.statuses() == [("opened", "sent", attempts)]
    assert duckdb_scene.told()[0]["last_error"] is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (500, "it answered with HTTP 500"),
        ("hang", "it did not answer in time"),
        ("reset", "it broke off the connection"),
    ],
    ids=str,
)
def test_a_target_that_is_down_is_left_for_the_next_run_and_stops_no_other(
    duckdb_scene: Scene, answer: int | str, error: str, capsys: pytest.CaptureFixture
) -> None:
    duckdb_scene.set(
        ALERT_TIMEOUT_SECONDS="0.3",
        ALERT_URLS=f"{duckdb_scene.receiver.url('dead')} {duckdb_scene.receiver.url('live')}",
    )
    duckdb_scene.receiver.answers["dead"] += [answer] * 20
    key = duckdb_scene.open()
    assert duckdb_scene.run() == 2
    assert error in capsys.readouterr().err
    assert duckdb_scene.receiver.titles() == ["[PAGE] failure_rate is firing"]
    dead, live = duckdb_scene.told()
    assert (dead["status"], dead["attempt_count"], dead["last_error"]) == ("pending", 3, error)
    assert (live["status"], live["attempt_count"], live["last_error"]) == ("sent", 1, None)
    duckdb_scene.resolve(key)
    assert duckdb_scene.run() == 2
    duckdb_scene.receiver.answers.clear()
    assert duckdb_scene.run() == 0
    assert duckdb_scene.receiver.titles("dead") == [
        "[PAGE] failure_rate fired, and is over",
        "[PAGE] failure_rate is resolved",
    ]
    assert len(duckdb_scene.receiver.taken("live")) == 2
    assert {row["status"] for row in duckdb_scene.told()} == {"sent"}


def test_an_answer_that_never_ends_does_not_keep_the_command_from_ending(duckdb_scene: Scene) -> None:
    duckdb_scene.set(ALERT_TIMEOUT_SECONDS="0.2")
    duckdb_scene.receiver.answers["a"] += ["trickle"] * 3
    duckdb_scene.open()
    duckdb_scene.warehouse.disconnect()
    run = command("--no-refresh")
    _, error = run.communicate(timeout=30)
    assert run.returncode == 2
    assert error.startswith("BROKEN: json-")
    assert error.endswith("it did not answer in time. It is kept in alert_notifications and tried again.\n")


def test_nobody_listening_is_reported(duckdb_scene: Scene, capsys: pytest.CaptureFixture) -> None:
    duckdb_scene.set(ALERT_URLS="json://127.0.0.1:1/x")
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    assert "it refused the connection" in capsys.readouterr().err


def test_one_message_that_is_refused_does_not_hold_up_those_of_other_incidents(duckdb_scene: Scene) -> None:
    duckdb_scene.receiver.answers["a"] += [400, 400, 400]
    duckdb_scene.open("refused", OPENED)
    duckdb_scene.open("taken", OPENED + dt.timedelta(minutes=5))
    assert duckdb_scene.run() == 2
    assert duckdb_scene.receiver.titles() == ["[PAGE] taken is firing"]
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == ["[PAGE] taken is firing", "[PAGE] refused is firing"]


def test_a_message_is_given_up_after_a_day(duckdb_scene: Scene) -> None:
    duckdb_scene.receiver.answers["a"] += [500] * 100
    duckdb_scene.open()
    for hours, status in ((23, "pending"), (2, "failed")):
        duckdb_scene.run()
        duckdb_scene.warehouse.execute(
            f"update {NOTIFICATIONS} set recorded_at = recorded_at - interval '{hours}' hour"
        )
        assert duckdb_scene.run() == 2
        assert duckdb_scene.told()[0]["status"] == status
    duckdb_scene.receiver.answers.clear()
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.taken() == []


def test_a_target_that_is_no_longer_named_is_given_up_after_a_day(duckdb_scene: Scene) -> None:
    duckdb_scene.receiver.answers["a"] += [500] * 100
    duckdb_scene.open()
    duckdb_scene.run()
    duckdb_scene.set(ALERT_URLS="")
    assert duckdb_scene.run() == 1
    assert duckdb_scene.told()[0]["status"] == "pending"
    duckdb_scene.warehouse.execute(f"update {NOTIFICATIONS} set recorded_at = recorded_at - interval '25' hour")
    assert duckdb_scene.run() == 1
    assert (duckdb_scene.told()[0]["status"], duckdb_scene.told()[0]["last_error"]) == (
        "failed",
        "the target is no longer named",
    )


def test_an_incident_that_is_gone_is_not_sent(duckdb_scene: Scene) -> None:
    duckdb_scene.receiver.answers["a"] += [500] * 3
    duckdb_scene.open("gone")
    duckdb_scene.run()
    duckdb_scene.warehouse.execute(f"delete from {SCHEMA}_marts.incidents")
    duckdb_scene.open("there")
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == ["[PAGE] there is firing"]
    assert duckdb_scene.told()[0]["last_error"] == "the incident is no longer in the table incidents"


# Reminders


def test_a_reminder_comes_once_a_period_while_the_incident_is_open(scene: Scene) -> None:
    scene.set(ALERT_REMINDER_HOURS="4")
    key = scene.open()

    def hours_pass(hours: float) -> list[str]:
        scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '{round(hours * 60)}' minute")
        before = len(scene.receiver.taken())
        assert [scene.run(), scene.run()] == [1, 1]
        return scene.receiver.titles()[before:]

    assert hours_pass(0) == ["[PAGE] failure_rate is firing"]
    assert hours_pass(3.9) == []
    assert hours_pass(0.2) == ["[PAGE] failure_rate is still firing (reminder 1)"]
    assert hours_pass(3) == []
    # after a pause there is one, not five
    assert hours_pass(20) == ["[PAGE] failure_rate is still firing (reminder 6)"]
    scene.resolve(key)
    scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '9' hour")
    assert scene.run() == 0
    assert scene.receiver.titles()[3:] == ["[PAGE] failure_rate is resolved"]


def test_a_reminder_that_could_not_be_sent_gives_way_to_newer_news(duckdb_scene: Scene) -> None:
    duckdb_scene.set(ALERT_REMINDER_HOURS="1")
    key = duckdb_scene.open()
    duckdb_scene.run()
    for _ in range(2):
        duckdb_scene.receiver.answers["a"] += [500] * 3
        duckdb_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '61' minute")
        assert duckdb_scene.run() == 2
    duckdb_scene.resolve(key)
    assert duckdb_scene.run() == 0
    assert duckdb_scene.receiver.titles() == ["[PAGE] failure_rate is firing", "[PAGE] failure_rate is resolved"]
    assert duckdb_scene.statuses() == [
        ("opened", "sent", 1),
        ("reminder", "skipped", 3),
        ("reminder", "skipped", 3),
        ("resolved", "sent", 1),
    ]


def test_nobody_is_reminded_of_an_incident_in_its_quiet_hour(duckdb_scene: Scene) -> None:
    duckdb_scene.set(ALERT_REMINDER_HOURS="1")
    key = duckdb_scene.open()
    duckdb_scene.run()
    duckdb_scene.receiver.answers["a"] += [500] * 3
    duckdb_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '61' minute")
    assert duckdb_scene.run() == 2
    # the first could not be sent, the second is not due
    duckdb_scene.resolve(key, quiet=30)
    duckdb_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '61' minute")
    assert duckdb_scene.run() == 0
    assert duckdb_scene.statuses() == [("opened", "sent", 1), ("reminder", "skipped", 3)]
    duckdb_scene.reopen(key)
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == [
        "[PAGE] failure_rate is firing",
        "[PAGE] failure_rate is still firing (reminder 2)",
    ]


def test_without_the_setting_nobody_is_reminded(duckdb_scene: Scene) -> None:
    duckdb_scene.open()
    duckdb_scene.run()
    duckdb_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '900' hour")
    duckdb_scene.run()
    assert len(duckdb_scene.receiver.taken()) == 1
