"""Alerts are judged as plain Python judges them, once, whatever happens to the log, the rules and the runs later."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import astuple, fields, replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alert_oracle import Journal, Rule, five_minutes
from conftest import ENGINES, NewWarehouse, examples
from logs import failed_row, sound_row, user
from oracle import Oracle
from warehouses import JOURNALS, SCHEMA, Marts, Outcome, Row, Warehouse, assert_equal_marts, by_grain

_SALT = "one salt for all warehouses"
_ALERTS = "stg_generation_logs int_alert_window int_alert_generations alert_evaluations int_incident_users incidents"
_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)
_MINUTE = dt.timedelta(minutes=1)
_NOON = dt.datetime(2026, 3, 2, 12)


def _set_rules(warehouse: Warehouse, rules: Iterable[Rule]) -> None:
    """Put these rules in the place of the seed's."""

    def literal(value: object) -> str:
        return "null" if value is None else f"'{value}'"

    warehouse.execute(f"delete from {SCHEMA}_seeds.alert_rules")
    for rule in rules:
        columns = ", ".join(column.name for column in fields(rule))
        values = ", ".join(map(literal, astuple(rule)))
        warehouse.execute(f"insert into {SCHEMA}_seeds.alert_rules ({columns}) values ({values})")


def _begin(warehouse: Warehouse, rules: Iterable[Rule]) -> None:
    """Have the seeds, and these rules."""
    warehouse.load([])
    warehouse.run("seed")
    _set_rules(warehouse, rules)


def _alert(warehouse: Warehouse, **variables: object) -> Outcome:
    """Run the alerts without their seeds."""
    return warehouse.run(select=_ALERTS, variables=variables)


def _journals(warehouse: Warehouse) -> Marts:
    """What was judged, but for when."""
    found = {}
    for name in JOURNALS:
        rows = [{key: value for key, value in row.items() if key != "evaluated_at"} for row in warehouse.mart(name)]
        found[name] = by_grain(name, rows)
    return found


def _expected(journal: Journal) -> Marts:
    return {"alert_evaluations": journal.evaluations, "incidents": journal.incidents}


def _rows(count: int, at: dt.datetime, *, number: int, failed: int = 0, **changes: object) -> list[Row]:
    """So many rows at one time, some of them failures, of three users."""
    return [
        (
            failed_row(number + place, "Rate limit reached", created_at=str(at))
            if place < failed
            else sound_row(number + place, created_at=str(at))
        )
        | {"user_id": user(place % 3)}
        | changes
        for place in range(count)
    ]


# Random logs, rules and runs


_RULES = [
    ("failure_rate", [0.5, 0.0, 1.0], ">= > <="),
    ("p95_duration_ms", [12_345, 20_000, 900], "> >= <"),
    ("rate_limit_error_count", [1, 2], ">= >"),
    ("quota_or_billing_error_count", [1], ">="),
    ("cost_change_ratio", [0.5, 0.0, -0.5], ">= > <"),
    ("cost_over_usual_ratio", [1, 2], "> >="),
    ("traffic_over_usual_ratio", [0.5, 0, 1], "<= < >"),
    ("error_budget_burn", [2, 1], ">= >"),
]
_MESSAGES = ["Rate limit reached", "You exceeded your current quota", "Request timed out.", None]


class Story:
    """A log as it grows, with its rules and clocks, made up from a seed."""

    def __init__(self, seed: int) -> None:
        """Begin near a midnight, the turn of a month among them."""
        self.random = Random(seed)
        self.clock = self.random.choice([dt.datetime(2026, 2, 28, 22), dt.datetime(2026, 3, 4, 1)])
        self.clock += self.random.randint(0, 179) * _MINUTE
        self.log: list[Row] = []
        self._number = 0

    def rules(self) -> list[Rule]:
        """One of each metric and a second of some."""
        made = []
        for metric, thresholds, comparisons in _RULES + self.random.sample(_RULES, 3):
            burns = metric == "error_budget_burn"
            made.append(
                Rule(
                    rule_name=f"rule_{len(made)}",
                    metric=metric,
                    window_minutes=self.random.choice([15, 60, 90] if burns else [5, 15, 60]),
                    second_window_minutes=self.random.choice([5, 10]) if burns else None,
                    comparison=self.random.choice(comparisons.split()),
                    threshold=float(self.random.choice(thresholds)),
                    minimum_sample=self.random.choice([0, 1, 2, 4]),
                    fire_after_windows=self.random.choice([1, 1, 2, 3]),
                    resolve_after_windows=self.random.choice([1, 2, 5]),
                    severity=self.random.choice(["page", "ticket"]),
                    objective=self.random.choice([Decimal("0.75"), Decimal("0.9")]) if burns else None,
                    is_enabled=self.random.random() < 0.95,
                )
            )
        return made

    def row(self, at: dt.datetime) -> Row:
        """A row with any values."""
        self._number += 1
        values = {
            "user_id": self.random.choice([user(1), user(2), user(3), None]),
            "duration_ms": self.random.choice([900, 12_345, 61_000, None]),
            "costs": self.random.choice(['{"total":0.04}', '{"total":0.02}', "{"]),
        }
        made = sound_row(self._number, created_at=str(at))
        if self.random.random() < 0.4:
            made = failed_row(self._number, self.random.choice(_MESSAGES), created_at=str(at))
        return made | values

    def arrive(self, since: dt.datetime, until: dt.datetime, most: int) -> None:
        """Bursts of rows between two times, some at an edge of five minutes; and rows of the log once more."""
        for _ in range(self.random.randint(0, most)):
            at = since + self.random.random() * (until - since)
            at = five_minutes(at) if self.random.random() < 0.3 else at.replace(microsecond=0)
            self.log += [self.row(max(at, since)) for _ in range(self.random.randint(1, 6))]
        for again in self.random.sample(self.log, min(3, len(self.log))):
            seconds = self.random.choice([None, 1, 900])
            at = dt.datetime.fromisoformat(again["created_at"]) + dt.timedelta(seconds=seconds or 0)
            self.log.append(dict(again) if not seconds or at > until else self.row(at) | {"id": again["id"]})

    def generations(self, warehouse: Warehouse, as_of: dt.datetime | None = None) -> Oracle:
        """The log as it should be understood."""
        return Oracle({tuple(row.values()): row for row in self.log}.values(), warehouse.user_key, as_of=as_of)


_SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module", params=ENGINES)
def shared(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Warehouse:
    """A warehouse for one example after the other."""
    return module_warehouse(request.param)


@settings(
    max_examples=examples(2),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=_SEEDS)
def test_random_logs_are_judged_as_plain_python_judges_them(shared: Warehouse, seed: int) -> None:
    story = Story(seed)
    rules = story.rules()
    shared.empty(_SALT)
    _begin(shared, rules)
    journal = Journal(first=6 * _HOUR)
    health: list[Row] = []
    if story.random.random() < 0.7:
        for week in range(1, 5):
            story.arrive(story.clock - 7 * week * _DAY - 5 * _HOUR, story.clock - 7 * week * _DAY + 6 * _HOUR, 25)
    story.arrive(story.clock - 6 * _HOUR, story.clock, 40)
    if story.random.random() < 0.7:
        shared.load(story.log)
        shared.run(exclude="tag:alerts tag:firing")
        health = story.generations(shared).service_health()
    for number in range(3):
        if number:
            before, story.clock = story.clock, story.clock + story.random.choice([7, 20, 45, 300, 26 * 60]) * _MINUTE
            story.arrive(before - _HOUR, story.clock, 20)
        if story.random.random() < 0.2:
            at = story.random.randrange(len(rules))
            rules[at] = replace(rules[at], is_enabled=not rules[at].is_enabled)
            _set_rules(shared, rules)
        shared.load(story.log)
        as_of = story.clock + story.random.randint(0, 40) * _MINUTE if story.random.random() < 0.5 else None
        _alert(shared, alert_first_hours=6, **({"as_of": str(as_of)} if as_of else {}))
        log = story.generations(shared, as_of)
        story.clock = max(story.clock, as_of or story.clock)
        journal.run(log.generations, as_of or log.as_of, rules, health)
    assert len(journal.evaluations) > 500
    assert_equal_marts(_journals(shared), _expected(journal))
