"""Who is told of incidents: once, in order, whatever fails, and without giving a secret away."""

import datetime as dt
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import apprise.apprise
import pytest
import requests

from alerts.__main__ import main
from alerts.ledger import Ledger
from alerts.messages import in_hours, in_units, message
from alerts.settings import ConfigurationError, Settings, scrub, split_urls
from alerts.targets import AppriseTarget
from alerts.to_datadog import DatadogTarget
from conftest import ENGINES, NewWarehouse
from logs import sound_row
from receiver import Receiver, receiving
from warehouses import ROOT, SCHEMA, Row, Warehouse

OPENED = dt.datetime(2026, 3, 2, 10, 0)
INCIDENT_TYPES = {
    "incident_key": "text",
    "rule_name": "text",
    "severity": "text",
    "metric": "text",
    "comparison": "text",
    "threshold": "double precision",
    "first_firing_at": "timestamp",
    "opened_at": "timestamp",
    "last_firing_at": "timestamp",
    "resolved_at": "timestamp",
    "resolution": "text",
    "duration_minutes": "bigint",
    "worst_value": "double precision",
    "affected_generation_count": "bigint",
    "affected_users": "bigint",
    "lost_cost_usd": "numeric(18, 6)",
}
TABLES = {
    f"{SCHEMA}_marts.incidents": INCIDENT_TYPES,
    f"{SCHEMA}_marts.alert_evaluations": {
        "rule_name": "text",
        "window_end": "timestamp",
        "observed_value": "double precision",
        "sample_size": "bigint",
        "outcome": "text",
    },
    f"{SCHEMA}_seeds.alert_rules": {
        "rule_name": "text",
        "window_minutes": "integer",
        "second_window_minutes": "integer",
        "runbook": "text",
    },
    f"{SCHEMA}_marts.hourly_engagement": {
        "activity_hour": "timestamp",
        "generation_count": "bigint",
        "success_count": "bigint",
        "total_cost_usd": "numeric(18, 6)",
        "is_complete": "boolean",
    },
    f"{SCHEMA}_marts.user_retention": {
        "cohort_grain": "text",
        "cohort_date": "date",
        "period_number": "integer",
        "retention_rate": "double precision",
        "is_complete": "boolean",
    },
}
NOTIFICATIONS = f"{SCHEMA}_marts.alert_notifications"
POINTS = f"{SCHEMA}_internal.datadog_points"


def key_of(rule: str, opened_at: dt.datetime) -> str:
    return hashlib.md5(f"{rule}{opened_at}".encode()).hexdigest()


class Scene:
    """A warehouse with tables of incidents made by hand, somebody who listens, and the command."""

    def __init__(self, warehouse: Warehouse, receiver: Receiver, environment: pytest.MonkeyPatch) -> None:
        self.warehouse = warehouse
        self.receiver = receiver
        self._environment = environment
        for name in [name for name in os.environ if name.startswith(("ALERT_", "DATADOG_", "DD_"))]:
            environment.delenv(name)
        environment.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
        self.set(ALERT_RETRY_SECONDS="0.01", ALERT_URLS=receiver.url("a"), **warehouse.environment())
        for table in (*TABLES, NOTIFICATIONS, POINTS, f"{SCHEMA}_internal.alert_targets"):
            warehouse.execute(f"delete from {table}")
        self.insert("alert_rules", rule_name="failure_rate", window_minutes=15, runbook="Ask the provider.")

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self._environment.setenv(name, value)

    def insert(self, table: str, **values: object) -> None:
        place = next(name for name in TABLES if name.endswith(f".{table}"))
        texts = ["null" if value is None else f"'{value}'" for value in values.values()]
        self.warehouse.execute(f"insert into {place} ({', '.join(values)}) values ({', '.join(texts)})")

    def open(self, rule: str = "failure_rate", at: dt.datetime = OPENED, **changes: object) -> str:
        """An incident that is open; its key."""
        first = at - dt.timedelta(minutes=5)
        incident = {
            "incident_key": key_of(rule, at),
            "rule_name": rule,
            "severity": "page",
            "metric": "failure_rate",
            "comparison": ">",
            "threshold": 0.05,
            "first_firing_at": first,
            "opened_at": at,
            "last_firing_at": at,
            "duration_minutes": 20,
            "worst_value": 0.241,
            "affected_generation_count": 312,
            "affected_users": 87,
            "lost_cost_usd": 4.126,
        } | changes
        self.insert("incidents", **incident)
        return incident["incident_key"]

    def resolve(self, key: str, at: dt.datetime = OPENED + dt.timedelta(hours=1), resolution: str = "ok") -> None:
        self.warehouse.execute(
            f"update {SCHEMA}_marts.incidents set resolved_at = '{at}', resolution = '{resolution}', duration_minutes = 65 "
            f"where incident_key = '{key}'"
        )

    def judge(self, rule: str = "failure_rate", at: dt.datetime = OPENED, outcome: str = "firing") -> None:
        self.insert(
            "alert_evaluations", rule_name=rule, window_end=at, observed_value=0.183, sample_size=1312, outcome=outcome
        )

    def run(self, *arguments: str) -> int:
        """The command, in this process. Its exit code."""
        self.warehouse.disconnect()
        return main(["--no-refresh", *arguments])

    def fork(self, before: Callable[[], object] = lambda: None) -> int:
        """The command in another process, of which `before` changes something first. Its id."""
        self.warehouse.disconnect()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if not process:
            code = 99
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                # the threads that apprise keeps for its next message have not come along
                apprise.apprise._shared_executor = None
                before()
                code = main(["--no-refresh"])
            finally:
                os._exit(code)
        return process

    def told(self) -> list[Row]:
        return sorted(self.warehouse.mart("alert_notifications"), key=lambda row: row["notification_id"])

    def statuses(self) -> list[tuple]:
        return [(row["event"], row["status"], row["attempt_count"]) for row in self.told()]

    def let_leases_run_out(self) -> None:
        for table in (NOTIFICATIONS, POINTS):
            self.warehouse.execute(
                f"update {table} set claimed_until = claimed_until - interval '1' hour where status = 'sending'"
            )


def wait(process: int, seconds: float = 60) -> int:
    """The exit code of a forked process; -9 where it was killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise AssertionError(f"a run is still at work after {seconds} seconds")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


def with_tables(warehouse: Warehouse) -> Warehouse:
    """The tables that the project makes when a run starts, and those of the models made by hand."""
    warehouse.load([sound_row(1)])
    warehouse.run("seed")
    for table, columns in TABLES.items():
        warehouse.execute(f"drop table if exists {table}")
        warehouse.execute(f"create table {table} ({', '.join(f'{name} {type_}' for name, type_ in columns.items())})")
    return warehouse


@pytest.fixture(scope="module")
def prepared(module_warehouse: NewWarehouse) -> Callable[[str], Warehouse]:
    made: dict[str, Warehouse] = {}

    def of(engine: str) -> Warehouse:
        if engine not in made:
            made[engine] = with_tables(module_warehouse(engine))
        return made[engine]

    return of


@pytest.fixture
def duckdb_scene(
    prepared: Callable[[str], Warehouse], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """On DuckDB alone: for what does not depend on the engine."""
    receiver.forget()
    yield Scene(prepared("duckdb"), receiver, monkeypatch)
    receiver.delay_seconds = 0


@pytest.fixture(params=ENGINES)
def scene(
    request: pytest.FixtureRequest,
    prepared: Callable[[str], Warehouse],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    receiver.forget()
    yield Scene(prepared(request.param), receiver, monkeypatch)
    receiver.delay_seconds = 0


# What is told, to whom, and how often


def test_an_incident_is_told_once_when_it_opens_and_once_when_it_resolves(scene: Scene) -> None:
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
        "Whom it hits: 312 generations of 87 users; what failed of them has cost 4.13 USD",
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
        "Whom it hits: 312 generations of 87 users; what failed of them has cost 4.13 USD",
        f"Incident: {key}",
    ]
    rows = scene.told()
    assert [(row["event"], row["status"], row["attempt_count"], row["last_error"]) for row in rows] == [
        ("opened", "sent", 1, None),
        ("resolved", "sent", 1, None),
    ]
    assert {row["incident_key"] for row in rows} == {key}
    assert all(row["recorded_at"] <= row["sent_at"] and row["claimed_until"] is None for row in rows)


def test_what_was_over_before_the_first_run_is_skipped_and_what_passes_later_is_told_in_full(scene: Scene) -> None:
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
    assert scene.receiver.titles("a") == scene.receiver.titles("b") == [
        "[PAGE] first is firing",
        "[PAGE] second is firing",
    ]


def test_a_url_that_is_named_twice_is_told_once(duckdb_scene: Scene) -> None:
    duckdb_scene.set(ALERT_URLS=f"{duckdb_scene.receiver.url('a')}\n{duckdb_scene.receiver.url('a')}")
    duckdb_scene.open()
    duckdb_scene.run()
    assert len(duckdb_scene.receiver.taken()) == 1


def test_a_rule_without_a_runbook_and_an_incident_without_a_judgement_are_told(duckdb_scene: Scene) -> None:
    duckdb_scene.open("removed", affected_generation_count=0, worst_value=None)
    duckdb_scene.run()
    assert duckdb_scene.receiver.taken()[0].body["message"].splitlines() == [
        "More than 5% of the generations of its window fail.",
        "Since: 2026-03-02 09:55 UTC, for 20 min",
        "How bad: unknown at worst; the limit is 5%",
        f"Incident: {key_of('removed', OPENED)}",
    ]


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
        ALERT_TIMEOUT_SECONDS="0.3", ALERT_URLS=f"{duckdb_scene.receiver.url('dead')} {duckdb_scene.receiver.url('live')}"
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


def test_nobody_listening_is_told_as_such(duckdb_scene: Scene, capsys: pytest.CaptureFixture) -> None:
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


def test_an_incident_that_is_gone_is_not_told(duckdb_scene: Scene) -> None:
    duckdb_scene.receiver.answers["a"] += [500] * 3
    duckdb_scene.open("gone")
    duckdb_scene.run()
    duckdb_scene.warehouse.execute(f"delete from {SCHEMA}_marts.incidents")
    duckdb_scene.open("there")
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == ["[PAGE] there is firing"]
    assert duckdb_scene.told()[0]["last_error"] == "the incident is no longer in the table incidents"


# Runs that die, and runs that meet


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def dying(owner: type, name: str, *, is_before: bool) -> Callable[[], None]:
    """A change of a process: it dies when it comes to this method, or when it has done it."""

    def change() -> None:
        original = getattr(owner, name)

        def method(self: object, *arguments: object, **named: object) -> object:
            if is_before:
                die()
            original(self, *arguments, **named)
            return die()

        setattr(owner, name, method)

    return change


@pytest.mark.parametrize(
    ("change", "posts_before", "status"),
    [
        pytest.param(dying(Ledger, "record", is_before=True), 0, None, id="before it records"),
        pytest.param(dying(Ledger, "record", is_before=False), 0, "pending", id="between recording and claiming"),
        pytest.param(dying(AppriseTarget, "send", is_before=True), 0, "sending", id="between claiming and sending"),
        pytest.param(dying(Ledger, "sent", is_before=True), 1, "sending", id="between sending and writing that down"),
        pytest.param(dying(Ledger, "sent", is_before=False), 1, "sent", id="when all is written down"),
    ],
)
def test_a_run_that_is_killed_loses_nothing(
    scene: Scene, change: Callable[[], None], posts_before: int, status: str | None
) -> None:
    key = scene.open()
    assert wait(scene.fork(change)) == -signal.SIGKILL
    assert len(scene.receiver.taken()) == posts_before
    assert [row["status"] for row in scene.told()] == ([status] if status else [])
    if status == "sending":
        # until its time is over, it may be alive
        assert scene.run() == 1
        assert len(scene.receiver.taken()) == posts_before
        scene.let_leases_run_out()
    assert [scene.run(), scene.run()] == [1, 1]
    posts = scene.receiver.taken()
    assert len(posts) == 1 + (posts_before == 1 and status == "sending")
    assert all(f"Incident: {key}" in post.body["message"] for post in posts)
    assert [row["status"] for row in scene.told()] == ["sent"]


def test_runs_that_overlap_tell_nothing_twice(scene: Scene) -> None:
    scene.set(ALERT_URLS=f"{scene.receiver.url('a')} {scene.receiver.url('b')}")
    scene.receiver.delay_seconds = 0.05
    scene.run()
    rules = [f"rule_{number}" for number in range(6)]
    for rule in rules:
        scene.resolve(scene.open(rule))
    processes = [scene.fork() for _ in range(3)]
    assert [wait(process) for process in processes] == [0, 0, 0]
    # what one run has left to another that was sending
    scene.run()
    for path in ("a", "b"):
        titles = scene.receiver.titles(path)
        assert sorted(titles) == sorted(
            [f"[PAGE] {rule} fired, and is over" for rule in rules] + [f"[PAGE] {rule} is resolved" for rule in rules]
        )
        for rule in rules:
            assert titles.index(f"[PAGE] {rule} fired, and is over") < titles.index(f"[PAGE] {rule} is resolved")
    assert {(row["status"], row["attempt_count"]) for row in scene.told()} == {("sent", 1)}


def test_a_run_that_lost_its_message_to_another_leaves_the_books_alone(scene: Scene) -> None:
    """Held up for longer than its lease, it finds that another run has sent the message."""
    scene.open()
    scene.set(ALERT_TIMEOUT_SECONDS="5")
    scene.receiver.delay_seconds = 1
    process = scene.fork()
    for _ in range(200):
        time.sleep(0.02)
        if "sending" in [row["status"] for row in scene.told()]:
            break
        scene.warehouse.disconnect()
    scene.let_leases_run_out()
    scene.receiver.delay_seconds = 0
    assert scene.run() == 1
    assert scene.statuses() == [("opened", "sent", 2)]
    sent_at = scene.told()[0]["sent_at"]
    scene.warehouse.disconnect()
    assert wait(process) == 1
    assert scene.statuses() == [("opened", "sent", 2)]
    assert scene.told()[0]["sent_at"] == sent_at


HOLDER = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(float(sys.argv[2]))"


def holding(scene: Scene, seconds: float) -> subprocess.Popen:
    """Another process that has the DuckDB file for so long."""
    scene.warehouse.disconnect()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, os.environ["WAREHOUSE_DUCKDB"], str(seconds)], stdout=subprocess.PIPE
    )
    holder.stdout.readline()
    return holder


def test_the_file_that_another_process_has_is_waited_for(duckdb_scene: Scene) -> None:
    duckdb_scene.open()
    with holding(duckdb_scene, 1):
        assert duckdb_scene.run() == 1
    assert len(duckdb_scene.receiver.taken()) == 1


def test_the_wait_for_the_file_has_an_end(duckdb_scene: Scene, capsys: pytest.CaptureFixture) -> None:
    duckdb_scene.set(ALERT_WAIT_SECONDS="0.3")
    with holding(duckdb_scene, 60) as holder:
        assert duckdb_scene.run() == 2
        holder.kill()
    error = capsys.readouterr().err
    assert "BROKEN: Another process still has the database file after 0.3 seconds" in error
    assert str(holder.pid) in error


def test_the_file_is_free_while_a_message_is_on_its_way(duckdb_scene: Scene) -> None:
    duckdb_scene.open()
    duckdb_scene.set(ALERT_TIMEOUT_SECONDS="5", ALERT_WAIT_SECONDS="5")
    duckdb_scene.receiver.delay_seconds = 1.5
    process = duckdb_scene.fork()
    deadline = time.monotonic() + 1.4
    seen = []
    while time.monotonic() < deadline and "sending" not in seen:
        try:
            seen = [row["status"] for row in duckdb_scene.told()]
            duckdb_scene.warehouse.disconnect()
        except Exception:  # noqa: BLE001 - the other process has the file for a moment
            time.sleep(0.01)
    assert seen == ["sending"]
    assert wait(process) == 1


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


def test_without_the_setting_nobody_is_reminded(duckdb_scene: Scene) -> None:
    duckdb_scene.open()
    duckdb_scene.run()
    duckdb_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '900' hour")
    duckdb_scene.run()
    assert len(duckdb_scene.receiver.taken()) == 1
