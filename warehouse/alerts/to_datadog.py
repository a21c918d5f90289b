"""Datadog: four metrics, a point of each an hour, and the events of incidents, through its own library."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

import datadog
from datadog.api.exceptions import DatadogException

from warehouse.alerts.delivery import ATTEMPTS
from warehouse.alerts.leases import CLAIM, IS_DUE, NOW
from warehouse.alerts.messages import Message
from warehouse.alerts.targets import DeliveryError
from warehouse.database import Database, Row, Transaction
from warehouse.secrets import scrub

METRIC_PREFIX = "generation_warehouse"
TAGS = ("source:generation-warehouse",)
# Datadog drops points that are older, without a word, and dates no event further back.
OLDEST_POINT_MINUTES = 60
OLDEST_EVENT = dt.timedelta(hours=18)


class DatadogTarget:
    """Hears of incidents as events: those of one incident share its key as aggregation_key."""

    name = "datadog"
    hears_reminders = False

    def __init__(self, api_key: str, host: str, timeout_seconds: float) -> None:
        """Set the library up; it neither looks for a host's name in the network nor hides errors."""
        datadog.initialize(
            api_key=api_key,
            api_host=host,
            host_name=METRIC_PREFIX,
            hostname_from_config=False,
            return_raw_response=True,
            mute=False,
            timeout=timeout_seconds,
            max_retries=0,
        )

    def send(self, message: Message) -> None:
        """Post an event."""
        alert_type = "success" if message.event == "resolved" else "error" if message.severity == "page" else "warning"
        event = {
            "title": message.title,
            "text": message.body,
            "aggregation_key": message.incident_key,
            "alert_type": alert_type,
            "priority": "normal",
            "tags": [*TAGS, f"severity:{message.severity}", f"event:{message.event}"],
        }
        if dt.datetime.now(dt.UTC).replace(tzinfo=None) - message.happened_at < OLDEST_EVENT:
            event["date_happened"] = _epoch(message.happened_at)
        self._post(lambda: datadog.api.Event.create(attach_host_name=False, **event))

    def send_points(self, points: list[Row]) -> None:
        """Post points, all in one request."""
        series = [
            {
                "metric": point["metric"],
                "type": "gauge",
                "points": [(_epoch(point["point_at"]), point["value"])],
                "tags": list(TAGS),
            }
            for point in points
        ]
        self._post(lambda: datadog.api.Metric.send(metrics=series, attach_host_name=False))

    def _post(self, post: Callable[[], tuple[object, object]]) -> None:
        try:
            answer, response = post()
        except (DatadogException, ValueError) as error:
            raise DeliveryError(scrub(error)) from None
        if not response.ok:
            raise DeliveryError(scrub(f"it answered with HTTP {response.status_code}: {answer}"))


def _epoch(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=dt.UTC).timestamp())


@dataclass
class PointsOutcome:
    """What became of the points in this run."""

    sent: int = 0
    too_old: int = 0
    error: str | None = None


class Points:
    """The internal table datadog_points: each point is sent once, or written down as too old. A run that is killed
    between sending and writing that down leaves points to be sent again: Datadog keeps one value for a moment."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        """A run that is killed keeps its points for `lease_seconds`."""
        self._database = database
        self._lease_seconds = lease_seconds
        self._table = f"{database.schema}_internal.datadog_points"

    def deliver(self, target: DatadogTarget, retry_seconds: float) -> PointsOutcome:
        """Record the points of the hours that were completed since the last ones, and send those that Datadog takes."""
        outcome = PointsOutcome()
        with self._database.transaction() as transaction:
            self._record(transaction)
        for attempt in range(ATTEMPTS):
            time.sleep(retry_seconds * attempt)
            points, too_old = self._claim()
            outcome.too_old += too_old
            if not points:
                break
            try:
                target.send_points(points)
            except DeliveryError as error:
                self._finish(points, "status = 'pending', last_error = %(error)s", error=str(error))
                outcome.error = str(error)
            else:
                self._finish(points, f"status = 'sent', sent_at = {NOW}, last_error = null")
                outcome.sent += len(points)
                outcome.error = None
                break
        return outcome

    def _record(self, transaction: Transaction) -> None:
        """The first time, the newest complete hour; from then on every one."""
        marts = f"{self._database.schema}_marts"
        if not transaction.exists(marts, "hourly_engagement"):
            return
        cost = retention = "cast(null as double precision)"
        if transaction.has_column(marts, "hourly_engagement", "costed_generation_count"):
            cost = "cast(total_cost_usd as double precision) / nullif(costed_generation_count, 0)"
        if transaction.has_column(marts, "user_retention", "has_older_users"):
            retention = f"""(
                select retention_rate from {marts}.user_retention
                where cohort_grain = 'week' and period_number = 1 and is_complete and not has_older_users
                order by cohort_date desc limit 1
            )"""
        hour_end = "activity_hour + interval '1' hour"
        for name, value in {
            "generations_per_hour": "generation_count",
            "success_rate": "cast(success_count as double precision) / nullif(generation_count, 0)",
            "avg_cost_per_generation": cost,
            "retention_rate": retention,
        }.items():
            transaction.execute(
                f"""
                insert into {self._table} (metric, point_at, value, status, recorded_at)
                select %(metric)s, point_at, value, 'pending', {NOW}
                from (
                    select {hour_end} as point_at, {value} as value
                    from {marts}.hourly_engagement
                    where is_complete
                        and {hour_end} > coalesce(
                            (select max(point_at) from {self._table} where metric = %(metric)s),
                            (select max(activity_hour) from {marts}.hourly_engagement where is_complete)
                        )
                ) as points
                where value is not null
                order by point_at
                on conflict do nothing
                """,
                metric=f"{METRIC_PREFIX}.{name}",
            )

    def _claim(self) -> tuple[list[Row], int]:
        """The points that are now this run's to send, and how many have become too old."""
        too_old = f"point_at < {NOW} - interval '{OLDEST_POINT_MINUTES}' minute"
        with self._database.transaction() as transaction:
            lost = transaction.rows(
                f"update {self._table} set status = 'too_old', claimed_until = null "
                f"where {IS_DUE} and {too_old} returning metric"
            )
            points = transaction.rows(
                f"update {self._table} set {CLAIM} where {IS_DUE} returning metric, point_at, value, attempt_count",
                lease=round(self._lease_seconds),
            )
        return sorted(points, key=lambda point: (point["point_at"], point["metric"])), len(lost)

    def _finish(self, points: list[Row], change: str, **parameters: object) -> None:
        with self._database.transaction() as transaction:
            for point in points:
                transaction.execute(
                    f"""
                    update {self._table} set {change}, claimed_until = null
                    where metric = %(metric)s and point_at = %(point_at)s
                        and status = 'sending' and attempt_count = %(attempt)s
                    """,
                    metric=point["metric"],
                    point_at=point["point_at"],
                    attempt=point["attempt_count"],
                    **parameters,
                )
