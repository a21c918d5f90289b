"""Tells every target what it is to hear: all of them at once, and each in order."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from warehouse.alerts.ledger import Claim, Ledger
from warehouse.alerts.targets import DeliveryError, Target
from warehouse.errors import DatabaseError

# How often a message is tried within one run. After it another incident's is tried once: the message may be at fault.
ATTEMPTS = 3


@dataclass
class Delivered:
    """What became of one target in this run."""

    target: str
    sent: int = 0
    error: str | None = None
    is_busy: bool = False


def deliver(targets: Iterable[Target], ledger: Ledger, retry_seconds: float) -> list[Delivered]:
    """Send what is due. A target that is down is left for the next run; the others do not wait for it."""
    targets = list(targets)
    if not targets:
        return []
    with ThreadPoolExecutor(max_workers=len(targets)) as threads:
        return list(threads.map(lambda target: _deliver_to(target, ledger, retry_seconds), targets))


def _deliver_to(target: Target, ledger: Ledger, retry_seconds: float) -> Delivered:
    outcome = Delivered(target.name)
    try:
        _send_what_is_due(target, ledger, retry_seconds, outcome)
    except DatabaseError as error:
        # what was sent and could not be written down is sent again by another run
        outcome.error = str(error)
    return outcome


def _send_what_is_due(target: Target, ledger: Ledger, retry_seconds: float, outcome: Delivered) -> None:
    failed: list[str] = []
    while len(failed) < 2:
        claim = ledger.claim(target.name, leaving_out=failed)
        if claim is None:
            outcome.is_busy = ledger.is_busy(target.name)
            return
        error = _send(target, ledger, claim)
        for attempt in range(1, 1 if failed else ATTEMPTS):
            if error is None:
                break
            time.sleep(retry_seconds * attempt)
            again = ledger.claim_again(claim, target.name)
            if again is None:
                break
            error = _send(target, ledger, again)
        if error is None:
            outcome.sent += 1
        else:
            outcome.error = error
            failed.append(claim.message.incident_key)


def _send(target: Target, ledger: Ledger, claim: Claim) -> str | None:
    """Send once and write down how it went. The error, if it did not."""
    try:
        target.send(claim.message)
    except DeliveryError as error:
        ledger.not_sent(claim, str(error))
        return str(error)
    ledger.sent(claim)
    return None
