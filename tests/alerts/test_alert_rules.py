"""Alerts are judged as plain Python judges them, once, whatever happens to the log, the rules and the runs later."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import astuple, fields, replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from alert_oracle import FIVE_MINUTES, Journal, Rule, Weeks, five_minutes
from factory import ENGINES, NewWarehouse, examples
from faults import Run, Statement, die
from logs import failed_row, sound_row, user
from oracle import Generation, Oracle
from project import JOURNALS
from warehouses import SCHEMA, Marts, Outcome, Row, Warehouse, assert_equal_marts, by_grain

pytestmark = pytest.mark.mainly_on("postgres")

_SALT = "one salt for all warehouses"
_STAGING = "stg_generation_logs stg_generation_log_times"
_ALERTS = f"{_STAGING} int_alert_window int_alert_generations alert_evaluations int_incident_users incidents"
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
    warehouse.run(select="path:models/state path:seeds")
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
    ("silent_minutes", [5, 15, 60], ">= >"),
    ("error_budget_burn", [2, 1], ">= >"),
]
_MESSAGES = ["Rate limit reached", "You exceeded your current quota", "Request timed out.", None]


class Story:
    """A log as it grows, with its rules and clocks, made up from a seed."""

    def __init__(self, seed: int) -> None:
        """Begin near a midnight, the turn of a month among them."""
        self.random = Random(seed)
        self._looks = Random(seed)
        self.clock = self.random.choice([dt.datetime(2026, 2, 28, 22), dt.datetime(2026, 3, 4, 1)])
        self.clock += self.random.randint(0, 179) * _MINUTE
        self.log: list[Row] = []
        self._number = 0

    def rules(self) -> list[Rule]:
        """One of each metric and a second of some. The first looks back furthest, so no other has the log read anew."""
        made = [Rule("longest", "cost_change_ratio", 60, threshold=0.5, fire_after_windows=3)]
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
                    minimum_sample=self.random.choice([None, 0, 1, 2, 4]),
                    longer_window_minutes=self.random.choice([None, 95, 120]),
                    minimum_evidence=self.random.choice([None, 0.0, 0.3, 1.0, 2.0]),
                    fire_after_windows=self.random.choice([1, None, 2, 3]),
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
            "costs": self.random.choice(['{"total":0.04}', '{"total":0.02}', '{"total":0}', "{"]),
            "style": self._looks.choice(["anime", "anime", "pixel art", "comic", None]),
            "difficulty": self._looks.choice(["1", "3", "5", None]),
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
            # which of two rows at the same time counts, is for the engine to say
            is_there = any((row["id"], row["created_at"]) == (again["id"], str(at)) for row in self.log)
            self.log.append(dict(again) if is_there or at > until else self.row(at) | {"id": again["id"]})


def _understood(warehouse: Warehouse, log: list[Row], as_of: dt.datetime | None = None) -> Oracle:
    """The log as it should be understood."""
    return Oracle({tuple(row.values()): row for row in log}.values(), warehouse.user_key, as_of=as_of)


def _before(warehouse: Warehouse, log: list[Row]) -> Callable[[dt.datetime], list[Generation]]:
    """The generations before a time."""
    return lambda end: _understood(warehouse, log, end - dt.timedelta(microseconds=1)).generations


_SEEDS = st.integers(0, 2**32)
# a story in which incidents reopen, one of them after the run that saw it end
_WITH_REOPENINGS = 37


@pytest.fixture(scope="module", params=ENGINES)
def shared(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Warehouse:
    """A warehouse for one example after the other."""
    return module_warehouse(request.param)


@settings(
    max_examples=examples(2),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=_SEEDS)
@example(seed=_WITH_REOPENINGS)
def test_random_logs_are_judged_as_plain_python_judges_them(shared: Warehouse, seed: int) -> None:
    story = Story(seed)
    rules = story.rules()
    shared.empty(_SALT)
    _begin(shared, rules)
    journal = Journal(first=6 * _HOUR)
    weeks = Weeks()
    if story.random.random() < 0.7:
        for week in range(1, 5):
            story.arrive(story.clock - 7 * week * _DAY - 5 * _HOUR, story.clock - 7 * week * _DAY + 6 * _HOUR, 25)
    story.arrive(story.clock - 6 * _HOUR, story.clock, 40)
    if story.random.random() < 0.7:
        shared.load(story.log)
        shared.run(exclude="tag:alerts tag:firing")
        known = _understood(shared, story.log)
        weeks = Weeks(known.service_health(), known.hourly_engagement(), known.error_analysis())
    reopened_later = 0
    for number in range(3):
        if number:
            before, story.clock = story.clock, story.clock + story.random.choice([7, 20, 45, 300, 26 * 60]) * _MINUTE
            story.arrive(before - _HOUR, story.clock, 20)
        if story.random.random() < 0.2:
            at = story.random.randrange(1, len(rules))
            rules[at] = replace(rules[at], is_enabled=not rules[at].is_enabled)
            _set_rules(shared, rules)
        shared.load(story.log)
        as_of = story.clock + story.random.randint(0, 40) * _MINUTE if story.random.random() < 0.5 else None
        _alert(shared, alert_first_hours=6, **({"as_of": str(as_of)} if as_of else {}))
        clock = as_of or _understood(shared, story.log).as_of
        story.clock = max(story.clock, clock)
        before_it = dict(journal.incidents)
        journal.run(_before(shared, list(story.log)), clock, rules, weeks)
        reopened_later += sum(
            bool(row["resolved_at"]) and journal.incidents[key]["reopened_count"] > row["reopened_count"]
            for key, row in before_it.items()
        )
    assert len(journal.evaluations) > 500
    if seed == _WITH_REOPENINGS:
        assert sum(row["reopened_count"] > 0 for row in journal.incidents.values()) >= 3
        assert reopened_later >= 1
    assert_equal_marts(_journals(shared), _expected(journal))


# What is judged once stays


_FAILURES = Rule("failures", threshold=0.5, comparison=">=", fire_after_windows=2, resolve_after_windows=2)


def test_late_rows_change_no_window_that_was_judged(warehouse: Warehouse) -> None:
    _begin(warehouse, [_FAILURES])
    log = _rows(4, _NOON, number=0, failed=1) + _rows(1, _NOON + 30 * _MINUTE, number=10)
    warehouse.load(log)
    _alert(warehouse)
    before = warehouse.mart("alert_evaluations")
    assert len(before) == 288
    assert max(row["window_end"] for row in before) == _NOON + 20 * _MINUTE
    late = _rows(9, _NOON + 14 * _MINUTE, number=20, failed=9)
    in_time = _rows(2, _NOON + 21 * _MINUTE, number=30, failed=1)
    warehouse.load(log + late + in_time + _rows(1, _NOON + 40 * _MINUTE, number=40))
    _alert(warehouse)
    after = warehouse.mart("alert_evaluations")
    assert [row for row in after if row["window_end"] <= _NOON + 20 * _MINUTE] == before
    newer = {row["window_end"]: row for row in after if row not in before}
    # what was not there when its own five minutes were judged is in no later window either
    assert {end: (row["sample_size"], row["outcome"]) for end, row in newer.items()} == {
        _NOON + 25 * _MINUTE: (2, "firing"),
        _NOON + 30 * _MINUTE: (2, "firing"),
    }


def test_an_incident_says_of_how_many_of_its_failures_the_cost_is_known(warehouse: Warehouse) -> None:
    _begin(warehouse, [_FAILURES])
    log = _rows(5, _NOON, number=0, failed=4, costs='{"vision":0,"image":0,"total":0}')
    warehouse.load(log + _rows(1, _NOON + 20 * _MINUTE, number=10))
    _alert(warehouse)
    found = lambda: [  # noqa: E731
        (row["lost_cost_usd"], row["costed_failure_count"], row["affected_failure_count"])
        for row in warehouse.mart("incidents")
    ]
    assert found() == [(0, 0, 4)]
    log += _rows(3, _NOON + 21 * _MINUTE, number=20, failed=2, costs='{"total":0.02}')
    warehouse.load(log + _rows(1, _NOON + 40 * _MINUTE, number=30))
    _alert(warehouse)
    assert found() == [(Decimal("0.04"), 2, 6)]


def test_an_incident_that_reopens_in_a_later_run_goes_on_and_counts_each_generation_once(warehouse: Warehouse) -> None:
    rule = Rule("failures", window_minutes=5, threshold=0.5, comparison=">=")
    _begin(warehouse, [rule])
    journal, log = Journal(), []
    # it fires, is ok for long enough for two runs to see it end, fires 60 minutes after its end; then 65 minutes after
    for number, (minutes, failed) in enumerate([(0, 3), (5, 0), (40, 0), (65, 2), (70, 0), (135, 4), (140, 0)]):
        at = _NOON + minutes * _MINUTE
        log += _rows(4, at, number=10 * number, failed=failed)
        warehouse.load(log)
        clock = at + 15 * _MINUTE
        _alert(warehouse, as_of=str(clock))
        journal.run(_before(warehouse, list(log)), clock, [rule])
        assert_equal_marts(_journals(warehouse), _expected(journal))
    found = sorted(warehouse.mart("incidents"), key=lambda row: row["opened_at"])
    assert [(row["reopened_count"], row["affected_generation_count"], row["duration_minutes"]) for row in found] == [
        (1, 5, 70),
        (0, 4, 5),
    ]


@pytest.mark.parametrize("is_held_far_back", [False, True])
def test_an_incident_that_is_open_at_an_upgrade_goes_on(warehouse: Warehouse, is_held_far_back: bool) -> None:
    _begin(
        warehouse,
        [
            Rule("over", window_minutes=5, threshold=0.5, comparison=">="),
            Rule("open", "rate_limit_error_count", 60, threshold=1, comparison=">="),
        ],
    )
    log = _rows(4, _NOON - 30 * _MINUTE, number=0, failed=3) + _rows(4, _NOON - 24 * _MINUTE, number=10)
    warehouse.load(log)
    _alert(warehouse, as_of=str(_NOON + 15 * _MINUTE))
    before = {row["rule_name"]: row for row in warehouse.mart("incidents")}
    assert before.keys() == {"over", "open"}
    for table, gone in {
        f"{SCHEMA}_marts.incidents": ("reopened_count", "explanation"),
        f"{SCHEMA}_intermediate.int_alert_generations": ("style", "difficulty", "error_signature"),
    }.items():
        schema, name = table.split(".")
        columns = warehouse.query(
            "select column_name from information_schema.columns "
            f"where table_schema = '{schema}' and table_name = '{name}' order by ordinal_position"
        )
        kept = ", ".join(column for (column,) in columns if column not in gone)
        warehouse.execute(f"create table {SCHEMA}_internal.as_before as select {kept} from {table}")
        warehouse.execute(f"drop table {table}")
        warehouse.execute(f"create table {table} as select * from {SCHEMA}_internal.as_before")
        warehouse.execute(f"drop table {SCHEMA}_internal.as_before")
    if not is_held_far_back:
        # as far as a later run of the release before has it, which needs no hour before the incident
        warehouse.execute(
            f"update {SCHEMA}_internal.alert_progress set generations_from = timestamp '{_NOON - 55 * _MINUTE}'"
        )
    warehouse.load(log + _rows(4, _NOON + 10 * _MINUTE, number=20, failed=3))
    _alert(warehouse, as_of=str(_NOON + 30 * _MINUTE))
    found = {(row["rule_name"], row["opened_at"]): row for row in warehouse.mart("incidents")}
    at = [(name, before[name]["opened_at"]) for name in ("over", "open")]
    assert found.keys() == {*at, ("over", _NOON + 15 * _MINUTE)}
    # that it is over has been said, so it does not reopen
    assert found[at[0]] == before["over"] | {"reopened_count": None, "explanation": None}
    assert found[at[1]]["affected_generation_count"] == 6
    assert found[at[1]]["reopened_count"] == 0
    why = '6 of 6 extra failures are "Rate limit reached"'
    assert found[at[1]]["explanation"] == (None if is_held_far_back else why)


def test_a_longer_window_has_the_log_read_again(warehouse: Warehouse) -> None:
    _begin(warehouse, [_FAILURES])
    log = _rows(3, _NOON - 5 * _HOUR, number=0) + _rows(1, _NOON, number=10)
    warehouse.load(log)
    _alert(warehouse, alert_first_hours=1)
    _set_rules(warehouse, [_FAILURES, replace(_FAILURES, rule_name="longer", window_minutes=360)])
    warehouse.load(log + _rows(1, _NOON + 5 * _MINUTE, number=20))
    _alert(warehouse)
    judged = _journals(warehouse)["alert_evaluations"]
    assert judged["longer", _NOON - 5 * _MINUTE]["sample_size"] == 3
    assert judged["failures", _NOON - 5 * _MINUTE]["sample_size"] == 0


def test_a_run_repeated_judges_nothing_and_windows_missed_in_a_pause_are_judged(warehouse: Warehouse) -> None:
    _begin(warehouse, [_FAILURES])
    warehouse.load(_rows(2, _NOON, number=0))
    _alert(warehouse)
    before = _journals(warehouse)
    _alert(warehouse)
    assert_equal_marts(_journals(warehouse), before)
    _alert(warehouse, as_of=str(_NOON + 50 * _HOUR))
    ends = sorted(row["window_end"] for row in warehouse.mart("alert_evaluations"))
    first, last = _NOON - 10 * _MINUTE - 24 * _HOUR + FIVE_MINUTES, _NOON + 50 * _HOUR - 10 * _MINUTE
    assert ends == [first + place * FIVE_MINUTES for place in range((last - first) // FIVE_MINUTES + 1)]
    # a clock that goes back judges nothing
    _alert(warehouse)
    assert len(warehouse.mart("alert_evaluations")) == len(ends)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("alert_evaluations", marks=pytest.mark.thorough),
        pytest.param("int_incident_users", marks=pytest.mark.thorough),
        "incidents",
    ],
)
def test_a_run_killed_after_a_journal_is_written_is_made_good_by_the_next(warehouse: Warehouse, model: str) -> None:
    rules = [_FAILURES, replace(_FAILURES, rule_name="costs", metric="cost_change_ratio", comparison="<")]
    _begin(warehouse, rules)
    journal = Journal()
    log: list[Row] = []
    for number, minutes in enumerate([0, 20, 60 * 24 * 4]):
        # in the last run failures open an incident and end it days before the run after the killed one
        log += _rows(4, _NOON + minutes * _MINUTE, number=100 * number, failed=3)
        log += _rows(4, _NOON + minutes * _MINUTE + 6 * _MINUTE, number=100 * number + 50, failed=3 * (number < 2))
    for number, clock in enumerate([_NOON + 30 * _MINUTE, _NOON + 5 * _DAY, _NOON + 8 * _DAY]):
        known = [row for row in log if row["created_at"] <= str(clock)]
        warehouse.load(known)
        variables = {"as_of": str(clock)}
        if number == 1:
            watch = _killed_after(model)
            assert Run(warehouse, watch, select=_ALERTS, variables=variables).wait() is None, "it was to be killed"
        else:
            _alert(warehouse, **variables)
            journal.run(_before(warehouse, known), clock, rules)
    assert len(journal.incidents) >= 2
    assert_equal_marts(_journals(warehouse), _expected(journal))


def _killed_after(model: str) -> Callable[[Statement], None]:
    """Die as soon as a model, whichever way it is made, is permanent."""

    def watch(statement: Statement) -> None:
        if statement.model == model and statement.is_done and statement.is_commit:
            die()

    return watch


def test_a_full_refresh_leaves_the_journals(warehouse: Warehouse) -> None:
    log = _rows(9, _NOON - 3 * _HOUR, number=0, failed=9) + _rows(9, _NOON, number=50)
    _begin(warehouse, [replace(_FAILURES, fire_after_windows=1)])
    warehouse.load(log)
    warehouse.run(exclude="tag:firing resource_type:seed")
    before = {name: warehouse.mart(name) for name in [*JOURNALS, "int_incident_users"]}
    assert all(before.values())
    warehouse.load(log[9:])
    refused = warehouse.attempt(exclude="tag:firing resource_type:seed", full_refresh=True)
    assert not refused.success
    assert not {"alert_evaluations", "incidents", "int_incident_users"} & set(refused.text.replace(":", "").split())
    warehouse.run(exclude="tag:firing resource_type:seed", full_refresh=True, variables={"lose_history": True})
    after = {name: warehouse.mart(name) for name in before}
    assert after == before
    replaced = {name for (name,) in warehouse.query(f"select model from {SCHEMA}_internal.replacements")}
    assert "service_health" in replaced
    assert not replaced & before.keys()


# Logs with little in them


def test_an_empty_log_judges_nothing(warehouse: Warehouse) -> None:
    _begin(warehouse, [_FAILURES])
    _alert(warehouse)
    assert _journals(warehouse) == {"alert_evaluations": {}, "incidents": {}}


def test_of_a_log_of_one_row_a_day_of_windows_is_judged(warehouse: Warehouse) -> None:
    _begin(warehouse, [_FAILURES, replace(_FAILURES, rule_name="small", minimum_sample=2)])
    warehouse.load(_rows(1, _NOON + 3 * _MINUTE, number=0, failed=1))
    _alert(warehouse, as_of=str(_NOON + 20 * _MINUTE))
    judged = _journals(warehouse)["alert_evaluations"]
    assert len(judged) == 2 * 288
    assert {(name, end): row["outcome"] for (name, end), row in judged.items() if row["sample_size"]} == {
        ("failures", _NOON + 5 * _MINUTE): "firing",
        ("failures", _NOON + 10 * _MINUTE): "firing",
        ("small", _NOON + 5 * _MINUTE): "insufficient_data",
        ("small", _NOON + 10 * _MINUTE): "insufficient_data",
    }


def test_alerts_need_no_other_model(warehouse: Warehouse) -> None:
    warehouse.load(_rows(4, _NOON, number=0, failed=3))
    outcome = warehouse.run(selector="alerts", tests=True)
    assert set(outcome.statuses.values()) <= {"success", "pass"}
    built = {name for schema, name, _ in warehouse.relations() if "internal" not in schema}
    seeds = {"alert_rules", "document_keys", "error_categories", "error_patterns", "lasting_styles", "scene_patterns"}
    assert built == {*_ALERTS.split(), "alert_notifications"} | seeds
    assert len(warehouse.mart("alert_evaluations")) == 12 * 288


def test_a_refresh_leaves_alone_what_it_reads_the_log_through(warehouse: Warehouse) -> None:
    warehouse.load(_rows(4, _NOON, number=0, failed=3))
    warehouse.run(selector="alerts")
    warehouse.load(_rows(4, _NOON, number=0, failed=3) + _rows(4, _NOON + 30 * _MINUTE, number=4))
    outcome = warehouse.run(selector="alerts_refresh", tests=True)
    assert set(outcome.statuses.values()) <= {"success", "pass"}
    models = {name for name in outcome.statuses if name in {*_ALERTS.split(), "alert_rules", "error_patterns"}}
    assert models == {*_ALERTS.split(), "alert_rules"} - set(_STAGING.split())
    assert len(warehouse.mart("alert_evaluations")) == 12 * (288 + 6)


# A live log


def test_by_the_wall_clock_an_outage_fires_and_silence_ends_no_other_incident(warehouse: Warehouse) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    rules = [
        Rule("outage", "traffic_over_usual_ratio", 15, comparison="<=", threshold=0.1, minimum_sample=3),
        Rule(
            "limits",
            "rate_limit_error_count",
            15,
            comparison=">=",
            threshold=1,
            minimum_sample=0,
            resolve_after_windows=2,
        ),
    ]
    _begin(warehouse, rules)
    log = []
    for week in range(5):
        for slot in range(60):
            at = now - week * 7 * _DAY - 5 * slot * _MINUTE
            if week or slot > 12:
                log += _rows(2, at, number=len(log), failed=(not week) and slot in (14, 15))
    warehouse.load(log)
    warehouse.run(exclude="tag:firing resource_type:seed", variables={"as_of": "now"})
    found = {row["rule_name"]: row for row in warehouse.mart("incidents")}
    assert found.keys() == {"outage", "limits"}
    assert found["outage"]["resolved_at"] is None
    assert found["outage"]["worst_value"] == 0
    assert (found["outage"]["affected_generation_count"], found["outage"]["affected_users"]) == (0, 0)
    # nothing was seen to be within its limit
    assert found["limits"]["resolved_at"] is None
    assert found["limits"]["affected_generation_count"] == 2
    assert found["limits"]["last_firing_at"] < now - 45 * _MINUTE


# The warehouse itself


def test_a_late_run_and_a_rise_of_rows_that_are_set_aside_are_noticed(warehouse: Warehouse) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    rules = [
        Rule("late", "minutes_since_run", 5, comparison=">=", threshold=180),
        Rule("odd", "set_aside_row_count", 5, comparison=">=", threshold=3, minimum_evidence=None),
    ]
    _begin(warehouse, rules)
    _alert(warehouse, as_of=str(now - 7 * _DAY))
    # before the first run nothing is known
    assert {row["outcome"] for row in warehouse.mart("alert_evaluations")} == {"insufficient_data"}
    began = now - 6 * _DAY
    odd = [row | {"id": None} for row in _rows(5, began - _HOUR, number=100)]
    log = _rows(20, began - _HOUR, number=0)
    clocks = [began + hours * _HOUR for hours in (0, 25, 50, 75)]
    for more, clock in zip((2, 2, 5, 5), clocks, strict=True):
        warehouse.load(log + odd[:more])
        variables = {"as_of": str(clock)}
        warehouse.run(select="+warehouse_clock", exclude="tag:alerts resource_type:seed", variables=variables)
        _alert(warehouse, **variables)
    warehouse.execute(f"update {SCHEMA}_marts.warehouse_clock set built_at = timestamp '{now - 5 * _HOUR}'")
    _alert(warehouse, as_of="now")
    judged = _journals(warehouse)["alert_evaluations"]

    def seen(rule: str, clock: dt.datetime) -> tuple[object, ...]:
        row = judged[rule, five_minutes(clock - 10 * _MINUTE)]
        return row["outcome"], row["observed_value"], row["sample_size"]

    # the first day; two rows as the day before; three more; and still the same
    assert [seen("odd", clock) for clock in clocks] == [
        ("ok", 0, 2),
        ("ok", 0, 2),
        ("firing", 3, 5),
        ("ok", 0, 5),
    ]
    outcome, minutes, _ = seen("late", now)
    assert outcome == "firing"
    assert 280 < minutes <= 290
    earlier, minutes, _ = seen("late", now - 3 * _HOUR)
    assert (earlier, minutes) == ("ok", pytest.approx((five_minutes(now - 190 * _MINUTE) - now) / _MINUTE + 300))
    assert judged["late", five_minutes(now - 10 * _MINUTE)]["witness_count"] is None


# The rules themselves


def test_each_rule_that_makes_no_sense_is_named_and_nothing_is_judged(duckdb_warehouse: Warehouse) -> None:
    warehouse = duckdb_warehouse
    burn = Rule("burn", "error_budget_burn", 60, 5, ">=", 14.4, objective=Decimal("0.95"))
    bad = {
        "metric is 'feelings'; it is one of failure_rate, p95_duration_ms": {"metric": "feelings"},
        "comparison is '='; it is one of >, >=, <, <=": {"comparison": "="},
        "severity is 'panic'; it is one of page, ticket": {"severity": "panic"},
        "threshold is '5.0'; for failure_rate it lies between 0 and 1": {"threshold": 5.0},
        "threshold is '-0.1'; for failure_rate": {"threshold": -0.1},
        "threshold is 'nan'": {"threshold": "nan"},
        "threshold is missing": {"threshold": None},
        "window_minutes is '7'; it is a multiple of 5 from 5 to 1440": {"window_minutes": 7},
        "window_minutes is '0'": {"window_minutes": 0},
        "minimum_sample is '-1'; it is a whole number from 0": {"minimum_sample": -1},
        "minimum_evidence is '-1.0'; it is a number of nats from 0 to 1000": {"minimum_evidence": -1.0},
        "longer_window_minutes is '61'; it is a multiple of 5 from 5 to 1440": {"longer_window_minutes": 61},
        "longer_window_minutes is 15; it is longer than window_minutes, 15": {"longer_window_minutes": 15},
        "fire_after_windows is '0'; it is a whole number from 1 to 288": {"fire_after_windows": 0},
        "resolve_after_windows is missing": {"resolve_after_windows": None},
        "second_window_minutes is '5'; only error_budget_burn has one": {"second_window_minutes": 5},
        "objective is '0.900000'; only error_budget_burn has one": {"objective": Decimal("0.9")},
        "is_enabled is missing": {"is_enabled": None},
        "runbook is missing": {"runbook": ""},
    }
    rules = {
        text: replace(_FAILURES, rule_name=f"bad_{place}", **changes)
        for place, (text, changes) in enumerate(bad.items())
    }
    rules |= {
        "second_window_minutes is missing": replace(burn, rule_name="bad_burn_1", second_window_minutes=None),
        "second_window_minutes is 60; it is shorter than window_minutes, 60": replace(
            burn, rule_name="bad_burn_2", second_window_minutes=60
        ),
        "objective is missing; error_budget_burn needs": replace(burn, rule_name="bad_burn_3", objective=None),
        "objective is '1.000000'": replace(burn, rule_name="bad_burn_4", objective=Decimal(1)),
        "rule_name is 'Bad Name'": replace(_FAILURES, rule_name="Bad Name"),
        # one that is switched off is checked as well
        "metric is 'moods'": replace(_FAILURES, rule_name="bad_disabled", metric="moods", is_enabled=False),
    }
    _begin(warehouse, [*rules.values(), _FAILURES, _FAILURES, burn])
    warehouse.load(_rows(4, _NOON, number=0))
    refused = warehouse.attempt(select=f"{_ALERTS} each_alert_rule_makes_sense", tests=True)
    assert not refused.success
    lines = refused.text.splitlines()
    for text, rule in rules.items():
        assert any(f"{rule.rule_name}: {text}" in line for line in lines), (rule.rule_name, text, refused.text)
    assert any("failures: the name is there twice" in line for line in lines)
    assert not any("  burn:" in line for line in lines)
    assert "alert_evaluations" not in {name for _, name, _ in warehouse.relations()}


def test_the_rules_of_the_seed_make_sense_and_word_the_seed_s_four(duckdb_warehouse: Warehouse) -> None:
    duckdb_warehouse.load(_rows(1, _NOON, number=0))
    duckdb_warehouse.run(selector="alerts")
    worded = duckdb_warehouse.query(
        f"select metric, comparison, threshold, window_minutes from {SCHEMA}_seeds.alert_rules where metric in "
        "('failure_rate', 'p95_duration_ms', 'cost_change_ratio', 'rate_limit_error_count') order by metric"
    )
    assert worded[:3] == [
        ("cost_change_ratio", ">=", 0.5, 60),
        ("failure_rate", ">", 0.05, 15),
        ("p95_duration_ms", ">", 30_000, 15),
    ]
    assert worded[3][0] == "rate_limit_error_count"


# The selectors


def test_what_fires_fails_no_build_but_the_alerts_and_says_so_in_plain_words(warehouse: Warehouse) -> None:
    _begin(
        warehouse,
        [
            replace(_FAILURES, rule_name="awake", runbook="Wake up."),
            replace(_FAILURES, rule_name="tomorrow", severity="ticket"),
        ],
    )
    warehouse.load(_rows(8, _NOON, number=0, failed=6) + _rows(1, _NOON + 22 * _MINUTE, number=50))
    warehouse.run(select=_STAGING)
    refreshed = warehouse.run(select="tag:alerts", exclude="tag:firing resource_type:seed", tests=True)
    assert not {"no_page_is_firing", "no_ticket_is_firing"} & refreshed.statuses.keys()
    told = warehouse.attempt("test", selector="alerts", log_file=True)
    assert told.statuses["no_page_is_firing"] == "fail"
    assert told.statuses["no_ticket_is_firing"] == "warn"
    said = (warehouse.target_path / "logs" / "dbt.log").read_text()
    assert f"PAGE: awake has been firing since {_NOON + FIVE_MINUTES} UTC, for 5 minutes: failure_rate was 0.75" in said
    assert f"in the 15 minutes up to {_NOON + 2 * FIVE_MINUTES} UTC (sample: 8)" in said
    assert "it fires where this is >= 0.5. It hits 6 generations of 3 users." in said
    assert "Wake up." in said
    assert "TICKET: tomorrow" in said
    warehouse.run()
    hourly = warehouse.run(selector="hourly", tests=True)
    # by which a run that does not come is noticed
    assert {"service_health", "warehouse_clock"} <= hourly.statuses.keys()
    assert (
        not {"alert_evaluations", "incidents", "incidents_has_one_row_per_grain", "alert_rules"}
        & hourly.statuses.keys()
    )
    daily = warehouse.run(selector="daily", tests=True)
    assert {"alert_evaluations", "incidents", "incidents_has_one_row_per_grain"} <= daily.statuses.keys()
    assert "no_page_is_firing" not in daily.statuses
