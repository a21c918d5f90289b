"""What people read, in plain words: the same for every target and for the terminal."""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

from warehouse.database import Row
from warehouse.words import at, counted, in_hours

# The conditions of the rules, as one would say them. {limit} is the comparison and the threshold in words.
_CONDITIONS = {
    "failure_rate": "{Limit} of the generations of {window} fail.",
    "p95_duration_ms": "The slowest 5% of the successful generations of {window} take {limit}.",
    "rate_limit_error_count": "The provider refuses generations because of its rate limit: {limit} in {window}.",
    "quota_or_billing_error_count": "Generations fail for quota or billing, which no retry cures: {limit} in {window}.",
    "cost_change_ratio": "The cost of {window} has changed against as long before: {limit}.",
    "cost_over_usual_ratio": "The cost of {window} is {limit} the usual of this time of the week.",
    "traffic_over_usual_ratio": "The generations of {window} are {limit} of the usual at this time of the week.",
    "silent_minutes": "No generation is logged, for {limit}.",
    "set_aside_row_count": "Rows of the log are set aside that were not a day before: {limit}.",
    "minutes_since_run": "No run of the warehouse has come to its end, for {limit}.",
    "error_budget_burn": "Failures use up the error budget {limit} as fast as the objective allows, over {window}.",
}
# What the evidence speaks against, as one would say it.
_IF_CHANCE = {
    "failure_rate": "if {limit} failed",
    "p95_duration_ms": "if 5% took longer than {limit}",
    "rate_limit_error_count": "if all was as usual",
    "quota_or_billing_error_count": "if all was as usual",
    "silent_minutes": "even if half as many users came as usual",
    "set_aside_row_count": "if it was twice as on other days",
    "error_budget_burn": "if the budget burned {limit} too fast",
}
# What counts for a metric, of how many of its sample; and what happens to its users.
_HITS = {
    "failure_rate": ("{hits} of {sample} generations failed", "at {affected} of {users}"),
    "p95_duration_ms": (None, "{affected} of {users} had to wait longer"),
    "rate_limit_error_count": ("{value} of {sample} generations", "at {affected} of {users}"),
    "quota_or_billing_error_count": ("{value} of {sample} generations", "at {affected} of {users}"),
    "error_budget_burn": (None, "{affected} of {users} had a failure"),
}
_COMPARISONS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}


def _short(number: float, digits: int) -> str:
    text = f"{number:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: float) -> str:
    return f"{_short(100 * value, 1)}%"


def _change(value: float) -> str:
    return ("+" if value >= 0 else "") + _percent(value)


def _times(value: float) -> str:
    return f"{_short(value, 1)} times"


_UNITS: dict[str, Callable[[float], str]] = {
    "failure_rate": _percent,
    "p95_duration_ms": lambda value: f"{_short(value / 1000, 1)} s",
    "rate_limit_error_count": lambda value: _short(value, 0),
    "quota_or_billing_error_count": lambda value: _short(value, 0),
    "cost_change_ratio": _change,
    "cost_over_usual_ratio": _times,
    "traffic_over_usual_ratio": _percent,
    "silent_minutes": lambda value: in_hours(round(value)),
    "set_aside_row_count": lambda value: _short(value, 0),
    "minutes_since_run": lambda value: in_hours(round(value)),
    "error_budget_burn": _times,
}


def in_units(metric: str, value: float | None) -> str:
    """A metric's value as people read it."""
    return "unknown" if value is None else _UNITS.get(metric, lambda number: _short(number, 3))(float(value))


@dataclass(frozen=True)
class Message:
    """What one target hears of one incident."""

    incident_key: str
    event: str
    title: str
    body: str
    severity: str
    happened_at: dt.datetime


def message(incident: Row, event: str, reminder_number: int = 0) -> Message:
    """What to say of an incident: a row of `incidents`, with what its rule says and how it was judged last."""
    is_over = incident["resolved_at"] is not None
    if event == "resolved":
        state = {"ok": "is resolved", "no_data": "is closed: no data", "rule_disabled": "is closed: switched off"}.get(
            incident["resolution"], "is resolved"
        )
    elif is_over:
        state = "fired, and is over"
    elif event == "reminder":
        state = f"is still firing (reminder {reminder_number})"
    else:
        state = "is firing"
    return Message(
        incident_key=incident["incident_key"],
        event=event,
        title=f"[{incident['severity'].upper()}] {incident['rule_name']} {state}",
        body="\n".join(_lines(incident, event, is_over)),
        severity=incident["severity"],
        happened_at=incident["resolved_at"] if event == "resolved" else incident["opened_at"],
    )


def _lines(incident: Row, event: str, is_over: bool) -> list[str]:
    lines = []
    if event == "resolved":
        lines.append(_end(incident["resolution"]))
    lines.append(condition(incident))
    if is_over:
        lines.append(
            f"When: {at(incident['first_firing_at'])} to {at(incident['resolved_at'])}, "
            f"{in_hours(incident['duration_minutes'])}"
        )
    else:
        lines.append(f"Since: {at(incident['first_firing_at'])}, for {in_hours(incident['duration_minutes'])}")
    if incident.get("reopened_count"):
        lines.append(f"Reopened: {counted(incident['reopened_count'], 'time')}, within an hour of its end")
    lines.append(_extent(incident))
    # that no run came is no chance
    if incident["evidence"] and incident["metric"] != "minutes_since_run":
        lines.append(f"How sure: {_evidence(incident)}")
    if incident["affected_generation_count"]:
        lines.append(
            f"Whom it hits: {counted(incident['affected_generation_count'], 'generation')} of "
            f"{counted(incident['affected_users'], 'user')}; {_loss(incident)}"
        )
    if incident.get("explanation"):
        lines.append(f"Why: {incident['explanation']}")
    if incident["runbook"] and event != "resolved":
        lines.append(f"What to do: {incident['runbook']}")
    return [*lines, f"Incident: {incident['incident_key']}"]


def _loss(incident: Row) -> str:
    """What the failures cost. The application records no cost of most, so nothing known is not nothing lost."""
    failures, costed = incident["affected_failure_count"], incident["costed_failure_count"]
    cost = f"{incident['lost_cost_usd'] or 0:,.2f} USD"
    if failures is None or costed is None:
        # it began before failures were counted
        return f"what failed of them has cost {cost if incident['lost_cost_usd'] else 'an unknown amount'}"
    if not failures:
        return "none of them failed"
    if not costed:
        return f"{failures:,} failed, cost unknown"
    return f"{failures:,} failed, " + (
        f"which has cost {cost}" if costed == failures else f"cost known of {costed:,}: {cost}"
    )


def _end(resolution: str | None) -> str:
    if resolution == "no_data":
        return "Closed because there was too little data to judge by for a day. That is not to say that all is well."
    if resolution == "rule_disabled":
        return "Closed because the rule was switched off."
    return "It is within its limit again."


def condition(incident: Row) -> str:
    """The rule's condition in words."""
    metric = incident["metric"]
    comparison = _COMPARISONS.get(incident["comparison"], incident["comparison"])
    limit = f"{comparison} {in_units(metric, incident['threshold'])}"
    sentence = _CONDITIONS.get(metric, f"{metric} is {{limit}}, over {{window}}.")
    return sentence.format(limit=limit, Limit=limit[:1].upper() + limit[1:], window=_window(incident))


def _window(incident: Row) -> str:
    longer = incident["longer_window_minutes"]
    lengths = [incident["window_minutes"], longer or incident["second_window_minutes"]]
    return (" or " if longer else " and ").join(in_hours(minutes) for minutes in lengths if minutes) or "its window"


def _evidence(incident: Row) -> str:
    """What was seen when it fired last, and how rarely chance would show it."""
    metric, sample = incident["metric"], incident["sample_size"]
    seen, at_users = _HITS.get(metric, (None, None))
    parts = []
    if seen and incident["observed_value"] is not None:
        hits = f"{round(incident['observed_value'] * sample):,}" if metric == "failure_rate" else ""
        value = in_units(metric, incident["observed_value"])
        parts.append(
            seen.format(hits=hits, value=value, sample=f"{sample:,}")
            + f" in the {in_hours(incident['seen_minutes'])} up to {at(incident['last_firing_at'])}"
        )
    if at_users and incident["affected_witness_count"] is not None:
        users = counted(incident["witness_count"], "user")
        parts.append(at_users.format(affected=f"{incident['affected_witness_count']:,}", users=users))
    against = _IF_CHANCE.get(metric, "if it was at its limit").format(limit=in_units(metric, incident["threshold"]))
    parts_said = ", ".join(parts)
    chance = (
        f"by chance that would happen less than once in {_times_rarer(incident['evidence'])} such windows {against}"
    )
    return f"{parts_said}; {chance}" if parts_said else chance


def _times_rarer(evidence: float) -> str:
    """e to the evidence, rounded down to two digits."""
    times = math.floor(math.exp(min(evidence, 14)))
    if times > 1_000_000:
        return "a million"
    unit = 10 ** max(len(str(times)) - 2, 0)
    return f"{times // unit * unit:,}"


def _extent(incident: Row) -> str:
    metric = incident["metric"]
    worst = f"{in_units(metric, incident['worst_value'])} at worst"
    if incident["observed_value"] is None:
        return f"How bad: {worst}; the limit is {in_units(metric, incident['threshold'])}"
    return (
        f"How bad: {in_units(metric, incident['observed_value'])} up to {at(incident['last_firing_at'])} "
        f"(sample: {incident['sample_size']:,}), {worst}; the limit is {in_units(metric, incident['threshold'])}"
    )
