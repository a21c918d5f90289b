"""The command: python -m warehouse alerts."""

import argparse
import os
import sys
from dataclasses import dataclass, field

from warehouse.alerts.delivery import Delivered, deliver
from warehouse.alerts.incidents import check_built, incidents, newest_evaluations
from warehouse.alerts.ledger import Ledger
from warehouse.alerts.messages import message
from warehouse.alerts.refresh import refresh
from warehouse.alerts.settings import HELP, Settings
from warehouse.alerts.targets import Target, silence_logs, usable_targets
from warehouse.alerts.to_datadog import DatadogTarget, Points, PointsOutcome
from warehouse.database import Database, Row
from warehouse.errors import DbtError
from warehouse.words import at, counted

QUIET, FIRING, BROKEN = 0, 1, 2

DESCRIPTION = "Judge the alert rules on the newest windows, say what fires, and tell whom it concerns, once."
EPILOG = f"""\
exit codes:
  0  nothing fires
  1  something fires: at least one incident is open, page or ticket
  2  broken: a setting cannot be used, dbt failed, the database cannot be reached, or a target did not take its
     messages (they are kept, and tried again by the next run). It may well be that something fires besides.

{HELP}"""


@dataclass
class Run:
    """What one run has found, and what went wrong in it."""

    problems: list[str] = field(default_factory=list)
    firing: list[Row] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """As documented: broken goes before firing."""
        return BROKEN if self.problems else FIRING if self.firing else QUIET


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--as-of",
        metavar="TIME",
        help="the clock: now, on a live log, so that an outage can fire; a timestamp; or unset, the log's newest row",
    )
    parser.add_argument(
        "--no-refresh",
        action="store_true",
        help="judge nothing: send what other runs of dbt have found",
    )


def run(options: argparse.Namespace) -> int:
    """Refresh, report, record, send. The exit code."""
    silence_logs()
    found = Run()
    try:
        _run(found, options)
    finally:
        for problem in found.problems:
            print(f"BROKEN: {problem}", file=sys.stderr)
    return found.exit_code


def _run(run: Run, options: argparse.Namespace) -> None:
    settings = Settings.of(os.environ)
    database = Database(settings.wait_seconds)
    if not options.no_refresh:
        try:
            refresh(database, options.as_of)
        except DbtError as error:
            run.problems.append(f"dbt could not judge the rules, so what follows may be out of date. It says:\n{error}")

    # longer than it can take to send a message and to write down that it was sent
    lease_seconds = 3 * settings.timeout_seconds + database.longest_wait_seconds + 15
    with database.transaction() as transaction:
        check_built(transaction, database.schema)
        run.firing = incidents(transaction, database.schema, "incidents.resolved_at is null")
        judged = newest_evaluations(transaction, database.schema)
        key = transaction.rows(f"select target_key from {database.schema}_internal.alert_target_key")[0]["target_key"]
    print(_state(run.firing, judged), flush=True)

    targets: list[Target]
    targets, unusable = usable_targets(settings.urls, key, settings.timeout_seconds)
    run.problems += unusable
    to_datadog = None
    if settings.datadog_api_key:
        to_datadog = DatadogTarget(settings.datadog_api_key, settings.datadog_host, settings.timeout_seconds)
        targets.append(to_datadog)
    ledger = Ledger(database, lease_seconds)
    ledger.record(targets, settings.reminder_hours)
    delivered = deliver(targets, ledger, settings.retry_seconds)
    points = Points(database, lease_seconds).deliver(to_datadog, settings.retry_seconds) if to_datadog else None
    print(_told(delivered, points), flush=True)
    run.problems += [
        f"{each.target} did not take a message: {each.error}. It is kept in alert_notifications and tried again."
        for each in delivered
        if each.error
    ]
    if points and points.error:
        run.problems.append(f"Datadog did not take the metrics: {points.error}. They are tried again for an hour.")


def _state(firing: list[Row], judged: list[Row]) -> str:
    """What fires, and how far the rules are judged."""
    if not judged:
        return "Nothing was judged yet: the log has no usable row."
    blocks = []
    for incident in firing:
        told = message(incident, "opened")
        blocks.append("\n  ".join([told.title, *told.body.splitlines()]) + "\n")
    outcomes = [row["outcome"] for row in judged]
    parts = [
        f"{outcomes.count(outcome)} {words}"
        for outcome, words in (
            ("ok", "within their limits"),
            ("firing", "beyond"),
            ("insufficient_data", "with too little data to judge by"),
        )
        if outcomes.count(outcome)
    ]
    heading = f"{counted(len(firing), 'open incident')}." if firing else "Nothing fires."
    rules = f"{counted(len(judged), 'rule')}, judged up to {at(judged[0]['window_end'])}: {', '.join(parts)}."
    return "\n".join([*blocks, f"{heading} {rules}"])


def _told(delivered: list[Delivered], points: PointsOutcome | None) -> str:
    """Who got how much."""
    if not delivered:
        return "Nobody is notified: neither ALERT_URLS nor DATADOG_API_KEY is set."
    lines = []
    for each in delivered:
        line = f"{each.target}: {counted(each.sent, 'message')} sent"
        if each.is_busy:
            line += "; another run is sending to it, or was killed doing so a moment ago"
        if each.error:
            line += "; then it failed"
        lines.append(line)
    if points:
        lines.append(
            f"datadog: {counted(points.sent, 'metric point')} sent, {points.too_old} older than the hour it accepts"
        )
    return "\n".join(lines)
