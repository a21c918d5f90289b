"""The table alert_notifications: what is to be sent to whom is recorded before anything is sent, and each message
belongs to one run at a time. Every method is one short transaction; the clock is the database's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from warehouse.alerts.incidents import incidents
from warehouse.alerts.leases import CLAIM, IS_DUE, NOW
from warehouse.alerts.messages import Message, message
from warehouse.database import Database, Row, Transaction

# For so long after it was recorded, a message that cannot be delivered is tried again.
GIVE_UP_HOURS = 24

# For so long an incident that ended as ok may reopen (macros/alerts/window.sql), and nobody hears that it is over.
QUIET_MINUTES = 60

# A target hears of an incident's events in this order.
_ORDER = "recorded_at, case event when 'opened' then 1 when 'reminder' then 2 else 3 end, notification_id"


class Listener(Protocol):
    """As much of a target as the table knows."""

    name: str
    hears_reminders: bool


@dataclass(frozen=True)
class Claim:
    """A message that is this run's to send."""

    notification_id: int
    attempt: int
    message: Message


class Ledger:
    """Who was notified of what."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        """A run that is killed keeps its messages for `lease_seconds`; then another run sends them."""
        self._database = database
        self._lease_seconds = lease_seconds
        self._table = f"{database.schema}_marts.alert_notifications"
        self._targets = f"{database.schema}_internal.alert_targets"

    def record(self, listeners: Iterable[Listener], reminder_hours: float | None) -> None:
        """Write down what is to be sent, each event once however many runs do it."""
        listeners = list(listeners)
        with self._database.transaction() as transaction:
            for listener in listeners:
                self._record_events(transaction, listener.name)
                if reminder_hours and listener.hears_reminders:
                    self._record_reminders(transaction, listener.name, reminder_hours)
            self._skip_outdated_reminders(transaction)
            self._give_up_on_strangers(transaction, [listener.name for listener in listeners])

    def _record_events(self, transaction: Transaction, target: str) -> None:
        """A new target hears of what is open. What was over before is written down as skipped, and so is known. What
        ended as ok may reopen: that it is over is written down when it no longer can, as far as incidents are made."""
        is_new = bool(
            transaction.rows(
                f"insert into {self._targets} (target, first_seen_at) values (%(target)s, {NOW}) "
                "on conflict do nothing returning target",
                target=target,
            )
        )
        is_final = f"""coalesce(
            resolution in ('no_data', 'rule_disabled')
            or resolved_at <= (
                select incidents_until - interval '{QUIET_MINUTES}' minute
                from {self._database.schema}_internal.alert_progress
            ),
            false
        )"""
        over = f"case when {is_new} and is_over then"
        transaction.execute(
            f"""
            insert into {self._table} (incident_key, event, target, status, last_error, recorded_at)
            select
                incident_key,
                event,
                %(target)s,
                {over} 'skipped' else 'pending' end,
                {over} 'it was over when this target was first seen' end,
                {NOW}
            from (
                select incident_key, 'opened' as event, opened_at as happened_at, {is_final} as is_over
                from {self._database.schema}_marts.incidents
                union all
                select incident_key, 'resolved' as event, resolved_at as happened_at, true as is_over
                from {self._database.schema}_marts.incidents
                where {is_final}
            ) as events
            where not exists (
                select 1 from {self._table} as known
                where known.incident_key = events.incident_key
                    and known.event = events.event
                    and known.target = %(target)s
            )
            order by happened_at, incident_key, event
            on conflict do nothing
            """,
            target=target,
        )

    def _record_reminders(self, transaction: Transaction, target: str, reminder_hours: float) -> None:
        """One for each full period since the target heard that the incident is open, and only the newest of those that
        were missed."""
        transaction.execute(
            f"""
            insert into {self._table} (incident_key, event, reminder_number, target, status, recorded_at)
            select opened.incident_key, 'reminder', opened.periods, opened.target, 'pending', {NOW}
            from (
                select
                    incident_key,
                    target,
                    cast(floor(extract(epoch from {NOW} - sent_at) / (3600 * %(hours)s)) as integer) as periods
                from {self._table}
                where event = 'opened' and status = 'sent' and target = %(target)s
            ) as opened
            inner join {self._database.schema}_marts.incidents as incidents
                on opened.incident_key = incidents.incident_key and incidents.resolved_at is null
            where opened.periods > 0
                and not exists (
                    select 1 from {self._table} as known
                    where known.incident_key = opened.incident_key
                        and known.event = 'reminder'
                        and known.target = opened.target
                        and known.reminder_number >= opened.periods
                )
            order by opened.incident_key
            on conflict do nothing
            """,
            target=target,
            hours=reminder_hours,
        )

    def _skip_outdated_reminders(self, transaction: Transaction) -> None:
        """A reminder that could not be sent is of no use once the next one is due, or the incident has ended."""
        transaction.execute(
            f"""
            update {self._table}
            set status = 'skipped', last_error = 'it was outdated before it could be sent'
            where event = 'reminder'
                and status = 'pending'
                and (
                    exists (
                        select 1 from {self._table} as later
                        where later.incident_key = {self._table}.incident_key
                            and later.target = {self._table}.target
                            and later.event = 'reminder'
                            and later.reminder_number > {self._table}.reminder_number
                    )
                    or exists (
                        select 1 from {self._database.schema}_marts.incidents as incidents
                        where incidents.incident_key = {self._table}.incident_key
                            and incidents.resolved_at is not null
                    )
                )
            """
        )

    def _give_up_on_strangers(self, transaction: Transaction, names: list[str]) -> None:
        """Nobody sends to a target that is no longer named."""
        waiting = transaction.rows(
            f"""
            select notification_id, target from {self._table}
            where {IS_DUE} and recorded_at < {NOW} - interval '{GIVE_UP_HOURS}' hour
            """
        )
        for each in waiting:
            if each["target"] not in names:
                transaction.execute(
                    f"update {self._table} set status = 'failed', claimed_until = null, "
                    "last_error = 'the target is no longer named' where notification_id = %(id)s",
                    id=each["notification_id"],
                )

    def claim(self, target: str, leaving_out: Iterable[str] = ()) -> Claim | None:
        """The next message for a target, from now on this run's for a while. None where there is none, or another run
        is sending to it: two would mix up the order. Incidents may be left out, by their keys."""
        leaving_out = set(leaving_out)
        return self._claim(target, lambda row: row["incident_key"] not in leaving_out)

    def claim_again(self, claim: Claim, target: str) -> Claim | None:
        """The same message once more, unless another run has taken it meanwhile."""
        return self._claim(target, lambda row: row["notification_id"] == claim.notification_id)

    def _claim(self, target: str, is_wanted: Callable[[Row], bool]) -> Claim | None:
        with self._database.transaction() as transaction:
            if self._is_busy(transaction, target):
                return None
            due = transaction.rows(
                f"select * from {self._table} where target = %(target)s and {IS_DUE} order by {_ORDER}", target=target
            )
            for row in filter(is_wanted, due):
                told = self._message(transaction, row)
                if told is not None:
                    return Claim(row["notification_id"], self._mark(transaction, row["notification_id"]), told)
        return None

    def is_busy(self, target: str) -> bool:
        """Is another run sending to this target, or was one killed at it a moment ago?"""
        with self._database.transaction() as transaction:
            return self._is_busy(transaction, target)

    def _is_busy(self, transaction: Transaction, target: str) -> bool:
        return bool(
            transaction.rows(
                f"select 1 from {self._table} "
                f"where target = %(target)s and status = 'sending' and claimed_until >= {NOW}",
                target=target,
            )
        )

    def _message(self, transaction: Transaction, row: Row) -> Message | None:
        """What to say now; what is said is as new as can be."""
        found = incidents(
            transaction, self._database.schema, "incidents.incident_key = %(key)s", key=row["incident_key"]
        )
        if found:
            return message(found[0], row["event"], row["reminder_number"])
        transaction.execute(
            f"update {self._table} set status = 'failed', claimed_until = null, "
            "last_error = 'the incident is no longer in the table incidents' where notification_id = %(id)s",
            id=row["notification_id"],
        )
        return None

    def _mark(self, transaction: Transaction, notification_id: int) -> int:
        return transaction.rows(
            f"update {self._table} set {CLAIM} where notification_id = %(id)s returning attempt_count",
            id=notification_id,
            lease=round(self._lease_seconds),
        )[0]["attempt_count"]

    def sent(self, claim: Claim) -> None:
        """The target has taken it."""
        self._finish(claim, f"status = 'sent', sent_at = {NOW}, last_error = null")

    def not_sent(self, claim: Claim, error: str) -> None:
        """The target has not; it is tried again until it is given up."""
        self._finish(
            claim,
            f"status = case when recorded_at < {NOW} - interval '{GIVE_UP_HOURS}' hour then 'failed' else 'pending' "
            "end, last_error = %(error)s",
            error=error,
        )

    def _finish(self, claim: Claim, change: str, **parameters: object) -> None:
        """Whoever has it by now, if this run was held up for longer than it had it, is not disturbed."""
        with self._database.transaction() as transaction:
            transaction.execute(
                f"update {self._table} set {change}, claimed_until = null "
                "where notification_id = %(id)s and status = 'sending' and attempt_count = %(attempt)s",
                id=claim.notification_id,
                attempt=claim.attempt,
                **parameters,
            )
