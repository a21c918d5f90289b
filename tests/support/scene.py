"""Tables of incidents made by hand, somebody who listens, and the command that tells of them."""

import datetime as dt
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import apprise.apprise
import pytest

from project import ROOT
from receiver import Receiver
from warehouse.__main__ import main
from warehouses import SCHEMA, Row, Warehouse

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
    "affected_failure_count": "bigint",
    "costed_failure_count": "bigint",
    "reopened_count": "bigint",
    "explanation": "text",
}
TABLES = {
    f"{SCHEMA}_marts.incidents": INCIDENT_TYPES,
    f"{SCHEMA}_marts.alert_evaluations": {
        "rule_name": "text",
        "window_end": "timestamp",
        "observed_value": "double precision",
        "sample_size": "bigint",
        "outcome": "text",
        "window_minutes": "integer",
        "evidence": "double precision",
        "witness_count": "bigint",
        "affected_witness_count": "bigint",
    },
    f"{SCHEMA}_seeds.alert_rules": {
        "rule_name": "text",
        "window_minutes": "integer",
        "longer_window_minutes": "integer",
        "second_window_minutes": "integer",
        "runbook": "text",
    },
    f"{SCHEMA}_marts.hourly_engagement": {
        "activity_hour": "timestamp",
        "generation_count": "bigint",
        "success_count": "bigint",
        "total_cost_usd": "numeric(18, 6)",
        "costed_generation_count": "bigint",
        "is_complete": "boolean",
    },
    f"{SCHEMA}_marts.user_retention": {
        "cohort_grain": "text",
        "cohort_date": "date",
        "period_number": "integer",
        "retention_rate": "double precision",
        "has_older_users": "boolean",
        "is_complete": "boolean",
    },
}
NOTIFICATIONS = f"{SCHEMA}_marts.alert_notifications"
POINTS = f"{SCHEMA}_internal.datadog_points"
PROGRESS = f"{SCHEMA}_internal.alert_progress"


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
        for table in (*TABLES, NOTIFICATIONS, POINTS, f"{SCHEMA}_internal.alert_targets", PROGRESS):
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
            "affected_failure_count": 312,
            "costed_failure_count": 12,
            "reopened_count": 0,
        } | changes
        self.insert("incidents", **incident)
        return incident["incident_key"]

    def resolve(
        self, key: str, at: dt.datetime = OPENED + dt.timedelta(hours=1), resolution: str = "ok", quiet: int = 60
    ) -> None:
        """The incident is over, and the incidents are made up to so many minutes later."""
        self.know_until(at + dt.timedelta(minutes=quiet))
        self.warehouse.execute(
            f"update {SCHEMA}_marts.incidents set resolved_at = '{at}', resolution = '{resolution}', "
            f"duration_minutes = 65 where incident_key = '{key}'"
        )

    def reopen(self, key: str) -> None:
        """The incident fires again."""
        self.warehouse.execute(
            f"update {SCHEMA}_marts.incidents set resolved_at = null, resolution = null, "
            f"reopened_count = reopened_count + 1 where incident_key = '{key}'"
        )

    def know_until(self, at: dt.datetime) -> None:
        """So far the incidents are made."""
        self.warehouse.execute(f"delete from {PROGRESS}")
        self.warehouse.execute(f"insert into {PROGRESS} (is_only_row, incidents_until) values (true, '{at}')")

    def judge(self, rule: str = "failure_rate", at: dt.datetime = OPENED, outcome: str = "firing") -> None:
        """A rule was judged."""
        self.insert(
            "alert_evaluations", rule_name=rule, window_end=at, observed_value=0.183, sample_size=1312, outcome=outcome
        )

    def run(self, *arguments: str) -> int:
        """The command, in this process. Its exit code."""
        self.warehouse.disconnect()
        return main(["alerts", "--no-refresh", *arguments])

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
                code = main(["alerts", "--no-refresh"])
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


def command(*arguments: str) -> subprocess.Popen:
    """The command as cron runs it."""
    return subprocess.Popen(
        [sys.executable, "-m", "warehouse", "alerts", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def die(*_: object, **__: object) -> None:
    """What a kill at this point does."""
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


# What URLS and the environment of the tests hold, and nobody may read.
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
    """None of the secrets of these tests is in it."""
    __tracebackhide__ = True
    assert [word for word in WORDS if word in text] == []
