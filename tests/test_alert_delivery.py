"""Who is told of incidents: once, in order, whatever fails, and without giving a secret away."""

import datetime as dt
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
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
from logs import failed_row, sound_row
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
        """Settings of the environment."""
        for name, value in settings.items():
            self._environment.setenv(name, value)

    def insert(self, table: str, **values: object) -> None:
        """A row of one of the tables."""
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
        """The incident is over."""
        self.warehouse.execute(
            f"update {SCHEMA}_marts.incidents set resolved_at = '{at}', resolution = '{resolution}', "
            f"duration_minutes = 65 where incident_key = '{key}'"
        )

    def judge(self, rule: str = "failure_rate", at: dt.datetime = OPENED, outcome: str = "firing") -> None:
        """A rule was judged."""
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
        """What alert_notifications holds, in order."""
        return sorted(self.warehouse.mart("alert_notifications"), key=lambda row: row["notification_id"])

    def statuses(self) -> list[tuple]:
        """The most telling columns of it."""
        return [(row["event"], row["status"], row["attempt_count"]) for row in self.told()]

    def let_leases_run_out(self) -> None:
        """As if the runs that were killed had been so an hour ago."""
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
    assert (
        scene.receiver.titles("a")
        == scene.receiver.titles("b")
        == [
            "[PAGE] first is firing",
            "[PAGE] second is firing",
        ]
    )


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


def command(*arguments: str) -> subprocess.Popen:
    """The command as cron runs it."""
    return subprocess.Popen(
        [sys.executable, "-m", "alerts", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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
    scene.receiver.wait_for_arrival()
    scene.let_leases_run_out()
    scene.receiver.delay_seconds = 0
    assert scene.run() == 1
    assert scene.statuses() == [("opened", "sent", 2)]
    sent_at = scene.told()[0]["sent_at"]
    scene.warehouse.disconnect()
    assert wait(process) == 1
    assert scene.statuses() == [("opened", "sent", 2)]
    assert scene.told()[0]["sent_at"] == sent_at


def test_a_target_to_which_another_run_is_sending_is_left_to_it(
    duckdb_scene: Scene, capsys: pytest.CaptureFixture
) -> None:
    """Two runs that send to one target would mix up its order."""
    duckdb_scene.receiver.answers["a"] += [500] * 4
    duckdb_scene.open("first")
    duckdb_scene.open("second")
    assert duckdb_scene.run() == 2
    duckdb_scene.receiver.forget()
    duckdb_scene.warehouse.execute(
        f"update {NOTIFICATIONS} set status = 'sending', claimed_until = timezone('UTC', now()) + interval '1' minute "
        f"where notification_id = (select min(notification_id) from {NOTIFICATIONS})"
    )
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.taken() == []
    assert "0 messages sent; another run is sending to it" in capsys.readouterr().out
    duckdb_scene.let_leases_run_out()
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == ["[PAGE] first is firing", "[PAGE] second is firing"]


HOLDER = (
    "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(float(sys.argv[2]))"
)


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
    duckdb_scene.receiver.delay_seconds = 1
    process = duckdb_scene.fork()
    duckdb_scene.receiver.wait_for_arrival()
    assert duckdb_scene.statuses() == [("opened", "sending", 1)]
    duckdb_scene.warehouse.disconnect()
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


# Secrets


URLS = (
    "json://jane:hunter2secret@127.0.0.1:{port}/hook_token_in_path/x?-api=query_token_1&+X-Key=header_token_2",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#channel_of_mine",
    "pagerduty://integrationkeyABC123@apikeyDEF456",
    "mailto://somebody:mailpassword9@example.org:1/?smtp=127.0.0.1&to=boss@example.org",
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/XIiajkdnlazkcOXrIdevi7FR",
)
WORDS = (
    "jane",
    "hunter2secret",
    "hook_token_in_path",
    "query_token_1",
    "header_token_2",
    "T1JJ3T3L2",
    "TIiajkdnlazkcOXrIdevi7FQ",
    "XIiajkdnlazkcOXrIdevi7FR",
    "integrationkeyABC123",
    "apikeyDEF456",
    "mailpassword9",
    "boss@example.org",
    "somebody",
    "datadogkey777",
)


def assert_no_secret(text: str) -> None:
    __tracebackhide__ = True
    assert [word for word in WORDS if word in text] == []


def test_secrets_are_nowhere_to_be_read(
    duckdb_scene: Scene,
    capfd: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every target fails, each in another way, and apprise and its like log all that they can."""
    caplog.set_level(0)
    urls = " ".join(URLS).format(port=duckdb_scene.receiver.port)
    duckdb_scene.set(
        ALERT_URLS=urls, DATADOG_API_KEY="datadogkey777", DATADOG_HOST="http://127.0.0.1:1", ALERT_TIMEOUT_SECONDS="0.5"
    )

    def fail(_: object, method: str, url: str, **named: object) -> None:
        if "127.0.0.1" in url:
            return original(_, method, url, **named)
        raise requests.ConnectionError(f"Connection refused: {url} {named}")

    original = requests.Session.request
    monkeypatch.setattr(requests.Session, "request", fail)
    duckdb_scene.receiver.answers["hook_token_in_path/x"] += [500] * 3
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    rows = duckdb_scene.told()
    assert_no_secret(said.out + said.err + caplog.text + repr(rows) + repr(Settings.of(os.environ)))
    assert [row["target"].partition("-")[0] for row in rows] == [
        "json",
        "slack",
        "pagerduty",
        "mailto",
        "slack",
        "datadog",
    ]
    assert {row["status"] for row in rows} == {"pending"}
    assert rows[0]["last_error"] == "it answered with HTTP 500"
    assert rows[1]["last_error"] == "it refused the connection"
    assert len({row["target"] for row in rows}) == 6
    database = duckdb_scene.warehouse.database
    duckdb_scene.warehouse.disconnect()
    for path in database.parent.glob(f"{database.name}*"):
        assert [word for word in WORDS if word.encode() in path.read_bytes()] == []


def test_an_unexpected_error_gives_no_secret_away(
    duckdb_scene: Scene, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = URLS[0].format(port=duckdb_scene.receiver.port)
    duckdb_scene.set(ALERT_URLS=url)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"something about {url} or hunter2secret")

    monkeypatch.setattr(Ledger, "record", fail)
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert said.err.startswith("BROKEN: Unexpected RuntimeError in fail, line ")
    assert said.err.endswith(": something about *** or ***\n")


def test_whatever_a_plugin_raises_is_a_failure_of_its_target_only(
    duckdb_scene: Scene, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError(f"no {URLS[0]}")

    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert duckdb_scene.told()[0]["last_error"] == "apprise failed at it (KeyError)"


def test_the_password_of_the_database_is_not_told(duckdb_scene: Scene, capfd: pytest.CaptureFixture) -> None:
    duckdb_scene.set(WAREHOUSE_TARGET="prod", PGHOST="127.0.0.1", PGPORT="1", PGPASSWORD="hunter2secret")
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert said.err.startswith("BROKEN: The database cannot be reached: ")
    assert "Connection refused" in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slack://T1JJ3T3L2", "(slack://…)"),
        ("nonsense://jane:hunter2secret@host/x", "(of no known scheme)"),
        ("hunter2secret", "(of no known scheme)"),
        ("https://example.org/hook_token_in_path", "(https://…)"),
        ("mailto://", "(mailto://…)"),
        ("jane://hunter2secret", "(of no known scheme)"),
    ],
    ids=["too short", "unknown", "no URL", "a page", "empty", "a secret as a scheme"],
)
def test_a_url_that_cannot_be_used_is_named_by_its_place_and_stops_no_other(
    duckdb_scene: Scene, text: str, told: str, capfd: pytest.CaptureFixture
) -> None:
    receiver = duckdb_scene.receiver
    duckdb_scene.set(ALERT_URLS=f"{receiver.url('a')} {text} {receiver.url('b')}")
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert f"the URL in place 2 of 3 {told} is none" in said.err
    assert len(receiver.taken("a")) == len(receiver.taken("b")) == 1


def test_a_target_keeps_its_name_and_only_the_warehouse_can_tell_whose_it_is(duckdb_scene: Scene) -> None:
    url = URLS[1]
    name = AppriseTarget(url, "key", 1).name
    assert name == AppriseTarget(url, "key", 1).name
    assert name.startswith("slack-")
    assert len(name) == len("slack-") + 6
    assert name != AppriseTarget(url, "another key", 1).name
    assert name != AppriseTarget(url.replace("7FQ", "7FS"), "key", 1).name


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", ()),
        (" \n , ", ()),
        ("json://a,json://b", ("json://a", "json://b")),
        ("json://a, json://b\n\tjson://c,", ("json://a", "json://b", "json://c")),
        ("mailto://u:p@h?to=a@x.org,b@x.org,json://b", ("mailto://u:p@h?to=a@x.org,b@x.org", "json://b")),
        ("json://a json://a", ("json://a",)),
        ("json://a b", ("json://a", "b")),
    ],
)
def test_urls_are_separated_by_spaces_lines_and_commas(text: str, urls: tuple[str, ...]) -> None:
    assert split_urls(text) == urls


def test_what_comes_from_elsewhere_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_URLS", "json://us:p%40ss%21word@host.example.org/tok%20en?x=abc&to=me")
    monkeypatch.setenv("DATADOG_API_KEY", "dd")
    monkeypatch.setenv("PGPASSWORD", "pg-pass")
    clean = scrub("p@ss!word p%40ss%21word host.example.org tok en tok%20en dd pg-pass; it failed,\n x is me")
    assert clean == "*** *** *** *** *** *** ***; it failed, x is me"
    assert len(scrub("long " * 1000)) == 500


@pytest.mark.parametrize(
    "settings",
    [
        {"ALERT_REMINDER_HOURS": "soon"},
        {"ALERT_REMINDER_HOURS": "0"},
        {"ALERT_TIMEOUT_SECONDS": "-1"},
        {"ALERT_WAIT_SECONDS": "nan"},
        {"ALERT_RETRY_SECONDS": "inf"},
        {"DATADOG_SITE": "https://datadoghq.eu/"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_used_is_named(settings: Mapping[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        Settings.of(settings)


def test_an_incident_keeps_its_key_where_services_merge_by_one(duckdb_scene: Scene) -> None:
    """PagerDuty is told which incident is meant, and that it is over; what the URL says itself goes first."""
    key = duckdb_scene.open()
    posts = []

    def answer(url: str, **named: object) -> mock.Mock:
        posts.append(named["data"])
        return mock.Mock(status_code=202, content=b"{}")

    with mock.patch("requests.post", answer):
        duckdb_scene.set(ALERT_URLS=f"{URLS[2]} {URLS[2]}/?dedup=mine&action=trigger")
        duckdb_scene.run()
        duckdb_scene.resolve(key)
        duckdb_scene.run()
    ours = [post for post in posts if f'"dedup_key": "{key}"' in post]
    assert ['"event_action": "trigger"' in post for post in ours] == [True, False]
    assert '"event_action": "resolve"' in ours[1]
    theirs = [post for post in posts if '"dedup_key": "mine"' in post]
    assert ['"event_action": "trigger"' in post for post in theirs] == [True, True]
    assert len(posts) == 4


# Datadog


def in_utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def epoch(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=dt.UTC).timestamp())


@pytest.fixture
def datadog_scene(scene: Scene) -> Scene:
    scene.receiver.answers.clear()
    scene.set(ALERT_URLS="", DATADOG_API_KEY="datadogkey777", DATADOG_HOST=f"http://127.0.0.1:{scene.receiver.port}")
    return scene


def hour(scene: Scene, end: dt.datetime, *, is_complete: bool = True, generations: int = 200) -> None:
    scene.insert(
        "hourly_engagement",
        activity_hour=end - dt.timedelta(hours=1),
        generation_count=generations,
        success_count=generations * 9 // 10,
        total_cost_usd=generations / 20,
        is_complete=is_complete,
    )


def test_datadog_hears_of_an_incident_as_events_that_share_its_key(datadog_scene: Scene) -> None:
    opened = in_utc().replace(microsecond=0) - dt.timedelta(hours=2)
    key = datadog_scene.open(at=opened)
    assert [datadog_scene.run(), datadog_scene.run()] == [1, 1]
    datadog_scene.resolve(key, at=opened + dt.timedelta(hours=1))
    assert [datadog_scene.run(), datadog_scene.run()] == [0, 0]
    first, second = datadog_scene.receiver.taken("api/v1/events")
    assert first.headers["DD-API-KEY"] == second.headers["DD-API-KEY"] == "datadogkey777"
    assert "datadogkey777" not in repr([first.body, second.body])
    assert first.body | {"text": ""} == {
        "title": "[PAGE] failure_rate is firing",
        "text": "",
        "aggregation_key": key,
        "alert_type": "error",
        "priority": "normal",
        "date_happened": epoch(opened),
        "tags": ["source:generation-warehouse", "severity:page", "event:opened"],
    }
    assert "What to do: Ask the provider." in first.body["text"]
    assert second.body["alert_type"] == "success"
    assert second.body["aggregation_key"] == key
    assert [row["target"] for row in datadog_scene.told()] == ["datadog", "datadog"]


def test_an_event_of_long_ago_has_no_date_and_no_reminders_follow(datadog_scene: Scene) -> None:
    datadog_scene.set(ALERT_REMINDER_HOURS="1")
    datadog_scene.open(severity="ticket")
    datadog_scene.run()
    datadog_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '9' hour")
    datadog_scene.run()
    (event,) = datadog_scene.receiver.taken("api/v1/events")
    assert "date_happened" not in event.body
    assert event.body["alert_type"] == "warning"


def test_each_complete_hour_becomes_a_point_of_each_metric_once(datadog_scene: Scene) -> None:
    now = in_utc()
    ends = [now - dt.timedelta(minutes=minutes) for minutes in (170, 110, 50)]
    for end in ends:
        hour(datadog_scene, end)
    hour(datadog_scene, now + dt.timedelta(minutes=10), is_complete=False)
    for week, rate in (("2026-01-05", 0.5), ("2026-01-12", 0.25)):
        datadog_scene.insert(
            "user_retention",
            cohort_grain="week",
            cohort_date=week,
            period_number=1,
            retention_rate=rate,
            is_complete=True,
        )
    datadog_scene.insert(
        "user_retention", cohort_grain="week", cohort_date="2026-01-19", period_number=1, is_complete=False
    )
    assert [datadog_scene.run(), datadog_scene.run()] == [0, 0]
    (post,) = datadog_scene.receiver.taken("api/v1/series")
    assert post.headers["DD-API-KEY"] == "datadogkey777"
    assert post.body == {
        "series": [
            {
                "metric": f"generation_warehouse.{name}",
                "type": "gauge",
                "points": [[epoch(ends[-1]), value]],
                "tags": ["source:generation-warehouse"],
            }
            for name, value in (
                ("avg_cost_per_generation", 0.05),
                ("generations_per_hour", 200.0),
                ("retention_rate", 0.25),
                ("success_rate", 0.9),
            )
        ]
    }
    rows = datadog_scene.warehouse.query(f"select point_at, status, count(*) from {POINTS} group by 1, 2")
    assert rows == [(ends[-1], "sent", 4)]


def test_points_that_datadog_would_not_take_are_counted_and_not_sent(
    datadog_scene: Scene, capsys: pytest.CaptureFixture
) -> None:
    now = in_utc()
    hour(datadog_scene, now - dt.timedelta(minutes=300))
    assert datadog_scene.run() == 0
    assert "datadog: 0 metric points sent, 3 older than the hour it accepts" in capsys.readouterr().out
    for minutes in (120, 61, 59):
        hour(datadog_scene, now - dt.timedelta(minutes=minutes))
    # without a generation there is no rate
    hour(datadog_scene, now, generations=0)
    assert datadog_scene.run() == 0
    assert "datadog: 4 metric points sent, 6 older than the hour it accepts" in capsys.readouterr().out
    (post,) = datadog_scene.receiver.taken("api/v1/series")
    assert {point[0] for series in post.body["series"] for point in series["points"]} == {
        epoch(now - dt.timedelta(minutes=59)),
        epoch(now),
    }
    statuses = datadog_scene.warehouse.query(f"select status, count(*) from {POINTS} group by 1 order by 1")
    assert statuses == [("sent", 4), ("too_old", 9)]
    assert datadog_scene.run() == 0
    assert "datadog: 0 metric points sent, 0 older" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [500, 403, "reset", "no JSON", '{"errors": ["Forbidden datadogkey777"]}'], ids=str)
def test_datadog_that_fails_is_tried_again_and_told(
    datadog_scene: Scene, answer: int | str, capsys: pytest.CaptureFixture
) -> None:
    end = in_utc() - dt.timedelta(minutes=30)
    hour(datadog_scene, end)
    datadog_scene.receiver.answers["api/v1/series"] += [answer] * 3
    assert datadog_scene.run() == 2
    said = capsys.readouterr()
    assert "BROKEN: Datadog did not take the metrics: " in said.err
    assert_no_secret(said.out + said.err)
    rows = datadog_scene.warehouse.query(f"select status, attempt_count, last_error from {POINTS}")
    assert {row[:2] for row in rows} == {("pending", 3)}
    assert_no_secret(repr(rows))
    if answer in (500, "reset"):
        datadog_scene.receiver.forget()
        assert datadog_scene.run() == 0
        assert len(datadog_scene.receiver.taken("api/v1/series")) == 1
    else:
        datadog_scene.warehouse.execute(f"update {POINTS} set point_at = point_at - interval '2' hour")
        assert datadog_scene.run() == 0
        assert "3 older" in capsys.readouterr().out


def test_a_run_that_is_killed_while_it_sends_points_leaves_them_to_the_next(datadog_scene: Scene) -> None:
    hour(datadog_scene, in_utc() - dt.timedelta(minutes=30))
    assert wait(datadog_scene.fork(dying(DatadogTarget, "send_points", is_before=True))) == -signal.SIGKILL
    assert datadog_scene.run() == 0
    assert datadog_scene.receiver.taken() == []
    datadog_scene.let_leases_run_out()
    assert [datadog_scene.run(), datadog_scene.run()] == [0, 0]
    assert len(datadog_scene.receiver.taken()) == 1


def test_datadogs_site_comes_from_the_environment() -> None:
    assert Settings.of({}).datadog_host == "https://api.datadoghq.com"
    assert Settings.of({"DATADOG_SITE": "datadoghq.eu"}).datadog_host == "https://api.datadoghq.eu"


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
    "lost_cost_usd": None,
    "window_minutes": 60,
    "second_window_minutes": None,
    "runbook": None,
    "observed_value": None,
    "sample_size": None,
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
        ("something_new", "<", 1234.5678, None, "something_new is less than 1,234.568, over 1 h."),
    ],
)
def test_each_metric_is_told_in_words(
    metric: str, comparison: str, threshold: float, second: int | None, told: str
) -> None:
    changes = {"metric": metric, "comparison": comparison, "threshold": threshold, "second_window_minutes": second}
    assert message(INCIDENT | changes, "opened").body.splitlines()[0] == told


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
def test_how_an_incident_ended_is_told(resolution: str, title: str, first: str) -> None:
    told = message(INCIDENT | {"resolution": resolution, "resolved_at": OPENED}, "resolved")
    assert (told.title, told.body.splitlines()[0]) == (title, first)


def test_one_generation_of_one_user_and_times_are_told_as_such() -> None:
    lines = message(INCIDENT, "opened").body.splitlines()
    assert "Whom it hits: 1 generation of 1 user; what failed of them has cost 0.00 USD" in lines
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


# The terminal


def test_a_quiet_system_says_so(duckdb_scene: Scene, capsys: pytest.CaptureFixture) -> None:
    duckdb_scene.set(ALERT_URLS="")
    assert duckdb_scene.run() == 0
    assert capsys.readouterr().out.splitlines() == [
        "Nothing was judged yet: the log has no usable row.",
        "Nobody is told: neither ALERT_URLS nor DATADOG_API_KEY is set.",
    ]
    for rule, outcome in (("a", "ok"), ("b", "ok"), ("c", "insufficient_data")):
        duckdb_scene.judge(rule, outcome=outcome)
    assert duckdb_scene.run() == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "Nothing fires. 3 rules, judged up to 2026-03-02 10:00 UTC: "
        "2 within their limits, 1 with too little data to judge by."
    )


def test_alerts_that_were_never_built_are_told_as_such(
    new_warehouse: NewWarehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    warehouse = new_warehouse("duckdb")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["--no-refresh"]) == 2
    assert capsys.readouterr().err == (
        "BROKEN: There is no table warehouse_marts.incidents: the alerts were never built here. "
        "Run: dbt build --selector alerts\n"
    )


def test_the_help_explains_exit_codes_and_settings() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "alerts", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for word in ("exit codes:", "ALERT_URLS", "ALERT_REMINDER_HOURS", "DATADOG_API_KEY", "DATADOG_SITE", "--as-of"):
        assert word in said


# From the log to the message


def minute_by_minute(first: dt.datetime, minutes: int, failing: bool = False, number: int = 0) -> list[Row]:
    """Eight generations a minute: enough for every sample that the rules ask for."""
    return [
        (failed_row if failing else sound_row)(
            number + place,
            *(["429 Too Many Requests: rate limit exceeded"] if failing else []),
            created_at=str(first + dt.timedelta(seconds=7.5 * place)),
        )
        for place in range(8 * minutes)
    ]


CALM = minute_by_minute(OPENED - dt.timedelta(hours=5), 240)
STORM = CALM + minute_by_minute(OPENED - dt.timedelta(hours=1), 60, failing=True, number=4000)
AFTER = STORM + minute_by_minute(OPENED, 90, number=6000)


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


def test_a_storm_is_told_from_the_log_on_once_when_it_comes_and_once_when_it_is_over(
    live: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    assert main([]) == 0
    assert "Nothing fires. 9 rules, judged up to " in capfd.readouterr().out
    load(live, STORM, monkeypatch)
    assert main([]) == 1
    said = capfd.readouterr()
    assert said.err == ""
    assert "[PAGE] provider_rate_limits is firing\n  The provider refuses generations" in said.out
    told = {title for title in receiver.titles() if title.startswith("[PAGE]")}
    assert told == {f"{title} is firing" for title in STORM_TITLES}
    count = len(receiver.taken())
    assert count == len(set(receiver.titles()))
    assert main([]) == 1
    assert len(receiver.taken()) == count
    load(live, AFTER, monkeypatch)
    main([])
    assert {title for title in receiver.titles()[count:] if title.startswith("[PAGE]")} == {
        f"{title} is resolved" for title in STORM_TITLES
    }
    keys = {row["incident_key"] for row in live.mart("incidents")}
    assert {row["incident_key"] for row in live.mart("alert_notifications")} == keys


def test_whole_commands_that_overlap_tell_nothing_twice(
    live: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([]) == 0
    load(live, STORM, monkeypatch)
    runs = [command(), command()]
    said = [run.communicate(timeout=120) for run in runs]
    assert [error for _, error in said] == ["", ""]
    assert [run.returncode for run in runs] == [1, 1]
    titles = receiver.titles()
    assert len(titles) == len(set(titles))
    assert {f"{title} is firing" for title in STORM_TITLES} <= set(titles)


def test_where_dbt_fails_what_was_found_before_is_still_told(
    live: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    load(live, STORM, monkeypatch)
    receiver.answers["a"] += [500] * 6
    assert main([]) == 2
    assert receiver.taken() == []
    receiver.answers.clear()
    capfd.readouterr()
    if live.engine == "duckdb":
        monkeypatch.setenv("GENERATION_LOGS", "no/such/log.parquet")
        reason = "There is no log at 'no/such/log.parquet' (GENERATION_LOGS)"
    else:
        monkeypatch.setenv("GENERATION_LOGS_TABLE", "no_such_table")
        reason = 'relation "public.no_such_table" does not exist'
    assert main([]) == 2
    said = capfd.readouterr()
    assert said.err.startswith("BROKEN: dbt could not judge the rules, so what follows may be out of date. It says:\n")
    assert reason in said.err
    assert "[PAGE] high_failure_rate is firing" in said.out
    assert {f"{title} is firing" for title in STORM_TITLES} <= set(receiver.titles())
