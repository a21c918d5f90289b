"""What the page holds: sums by day, from the marts. Nothing is divided here, so that any period can be."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from warehouse.alerts.messages import condition, in_units
from warehouse.database import Row, Transaction
from warehouse.errors import NeverBuiltError

QUERIES = Path(__file__).parent / "queries"
# The prefix of the schema in the files of the queries.
_WRITTEN_SCHEMA = "warehouse_marts."
# Made by the first run of the alerts, not by the hourly and daily ones.
_MARTS_OF_ALERTS = ("incidents", "alert_evaluations")
_QUERIES_OF_ALERTS = ("incidents", "judged")
MOST_STYLES = 24
_MOST_MESSAGES = 50
_MOST_INCIDENTS = 200
_TWO_WEEKS = dt.timedelta(days=14)
# Printable, and nothing that JSON or HTML would have to escape.
_DIGITS = "".join(chr(code) for code in range(33, 127) if chr(code) not in "\"&'<>\\")
_HALF = len(_DIGITS) // 2

Data = dict[str, object]


class Marts:
    """The queries, in one transaction."""

    def __init__(self, transaction: Transaction, schema: str, day_count: int) -> None:
        """Look at the clock; the page's days follow from it."""
        self._transaction = transaction
        self._schema = f"{schema}_marts."
        if not transaction.exists(f"{schema}_marts", "warehouse_clock"):
            raise NeverBuiltError(
                f"There is no table {schema}_marts.warehouse_clock that may be read here. Run `make build`, or the "
                "first daily build after an upgrade; a role needs usage of the schema and select on its tables."
            )
        self._has_alerts = all(transaction.exists(f"{schema}_marts", name) for name in _MARTS_OF_ALERTS)
        self.clock = self.rows("clock")[0]
        self.last_date: dt.date | None = self.clock["as_of"] and self.clock["as_of"].date()
        if self.last_date:
            first_date = self.last_date - dt.timedelta(days=day_count - 1)
            self.first_date = max(first_date, self.clock["first_activity_date"] or self.last_date)

    def rows(self, name: str, **parameters: object) -> list[Row]:
        """The rows that a query gives."""
        if name in _QUERIES_OF_ALERTS and not self._has_alerts:
            return []
        sql = (QUERIES / f"{name}.sql").read_text().replace(_WRITTEN_SCHEMA, self._schema)
        return [
            {column: _plain(value) if name != "clock" else value for column, value in row.items()}
            for row in self._transaction.rows(sql, **parameters)
        ]

    def of_days(self, name: str, **parameters: object) -> list[Row]:
        """The rows of the page's days."""
        return self.rows(name, first_date=self.first_date, **parameters)

    def place(self, day: str) -> int:
        """Which of the page's days it is."""
        return (dt.date.fromisoformat(day[:10]) - self.first_date).days

    @property
    def day_count(self) -> int:
        """How many days the page has."""
        return (self.last_date - self.first_date).days + 1


def key_data(marts: Marts) -> Data:
    """What the four numbers of a period are made of."""
    days = marts.of_days("days", last_date=marts.last_date) if marts.last_date else []
    cohorts = marts.rows("retention", first_cohort_date=marts.first_date - _TWO_WEEKS) if marts.last_date else []
    return {
        "clock": {name: _plain(value) for name, value in marts.clock.items()},
        "first_date": marts.first_date.isoformat() if marts.last_date else None,
        "days": {name: [day[name] for day in days] for name in (days[0] if days else {}) if name != "activity_date"},
        "retention": cohorts,
    }


def page_data(marts: Marts, style_count: int = MOST_STYLES) -> Data:
    """All that the page shows; on both engines the same. The most frequent styles have numbers of their own."""
    data = key_data(marts)
    if not data["days"]:
        return data
    kept = {"kept_styles": style_count}
    styles = _by_day(marts, marts.of_days("styles", **kept), ("style",))
    estimates = _add_durations(styles, marts, marts.of_days("durations", **kept))
    errors = _by_day(
        marts,
        marts.of_days("errors", kept_messages=_MOST_MESSAGES),
        ("error_category", "error_signature", "is_retryable"),
    )
    messages = marts.of_days("message_counts")[0]["message_count"]
    judged = marts.rows("judged")
    incidents = marts.of_days("incidents", kept_incidents=_MOST_INCIDENTS)
    steps = _by_day(marts, marts.of_days("steps"), ("step",))
    return data | {
        "styles": styles,
        "other_style_count": max(0, marts.of_days("style_counts")[0]["style_count"] - style_count),
        "digits": _DIGITS,
        "bucket_estimates": estimates,
        "hours": _hours(marts),
        "errors": errors,
        "other_message_count": max(0, messages - _MOST_MESSAGES),
        "judged": judged[0] if judged else {"judged_from": None, "judged_to": None},
        "incidents": [_told(incident) for incident in incidents],
        "hidden_incident_count": incidents[0]["incident_count"] - len(incidents) if incidents else 0,
        "issues": _by_day(
            marts, marts.of_days("issues", last_date=marts.last_date), ("issue", "disposition"), undated="undated_count"
        ),
        "spenders": _sorted(marts.rows("spenders"), "value_tier"),
        "stages": _sorted(marts.rows("stages"), "lifecycle_stage"),
        "scenes": _by_day(marts, marts.of_days("scenes"), ("scene_type",)),
        "photo_sizes": _by_day(marts, marts.of_days("photo_sizes"), ("photo_size_band",)),
        # in the order in which a generation takes them
        "steps": sorted(steps, key=lambda step: ("vision", "image", "storage").index(step["step"])),
    }


def _by_day(marts: Marts, rows: Iterable[Row], key: tuple[str, ...], undated: str | None = None) -> list[Row]:
    """The rows of each key as one, with a list of each measure: a value for each of the page's days. The most frequent
    come first. `undated` names what the rows without a day add up to."""
    groups: dict[tuple, Row] = {}
    for row in rows:
        names = tuple(row[column] for column in key)
        measures = [column for column in row if column not in (*key, "activity_date")]
        if names not in groups:
            groups[names] = dict(zip(key, names, strict=True))
            groups[names] |= {column: [0] * marts.day_count for column in measures}
            groups[names] |= {undated: 0} if undated else {}
        if row["activity_date"] is None:
            groups[names][undated] += row[measures[0]]
            continue
        place = marts.place(row["activity_date"])
        if place < marts.day_count:
            for column in measures:
                groups[names][column][place] = row[column]
    return sorted(
        groups.values(),
        # what has no name is the rest
        key=lambda group: (
            any(group[column] is None for column in key),
            -sum(value or 0 for value in next(value for value in group.values() if isinstance(value, list))),
            *(str(group[column]) for column in key),
        ),
    )


def _add_durations(styles: list[Row], marts: Marts, rows: Iterable[Row]) -> dict[int, float]:
    """Add to each style how long its successes of each day took, as short texts. What a bucket stands for."""
    runs: dict[tuple, list[tuple[int, int]]] = {}
    estimates = {}
    for row in rows:
        estimates[row["bucket"]] = round(row["bucket_estimate_ms"], 3)
        runs.setdefault((row["style"], row["activity_date"]), []).append((row["bucket"], row["generation_count"]))
    for style in styles:
        style["durations"] = [""] * marts.day_count
    by_name = {style["style"]: style for style in styles}
    for (name, day), counts in runs.items():
        place = marts.place(day)
        if place < marts.day_count:
            by_name[name]["durations"][place] = _as_run(counts)
    return {bucket: estimates[bucket] for bucket in sorted(estimates)}


def _as_run(counts: list[tuple[int, int]]) -> str:
    """Counts by bucket as a text: the first bucket and 1, then the counts of it and those after it. After a count of 0
    comes how many buckets in a row have none."""
    text = [_number(counts[0][0] + 1)]
    following = counts[0][0]
    for bucket, count in counts:
        if bucket > following:
            text += [_number(0), _number(bucket - following)]
        text.append(_number(count))
        following = bucket + 1
    return "".join(text)


def _number(number: int) -> str:
    """A number in as few letters as its size allows: the lower half of the digits ends it."""
    text = ""
    while number >= _HALF:
        text += _DIGITS[_HALF + number % _HALF]
        number //= _HALF
    return text + _DIGITS[number]


def _hours(marts: Marts) -> list[int]:
    """The generations of every hour of the page's days."""
    hours = [0] * (24 * marts.day_count)
    for row in marts.of_days("hours"):
        place = 24 * marts.place(row["activity_hour"]) + int(row["activity_hour"][11:13])
        if place < len(hours):
            hours[place] = row["generation_count"]
    return hours


def _told(incident: Row) -> Row:
    """An incident, its values in the words and units of the alerts."""
    metric = incident["metric"]
    kept = ("incident_count", "comparison", "window_minutes", "metric", "threshold", "worst_value")
    return {name: value for name, value in incident.items() if name not in kept} | {
        "condition": condition(incident | {"second_window_minutes": None}),
        "limit": f"{incident['comparison']} {in_units(metric, incident['threshold'])}",
        "worst": in_units(metric, incident["worst_value"]),
    }


def _sorted(rows: list[Row], column: str) -> list[Row]:
    return sorted(rows, key=lambda row: str(row[column]))


def _plain(value: object) -> object:
    """A value as JSON has it; whole numbers without a point on both engines."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
