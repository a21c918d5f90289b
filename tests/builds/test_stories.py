"""Stories that nobody has written down: a log that changes in any way, and runs of any kind in between. Whatever has
happened, a daily run makes of it what a full build makes of the same log.

Hypothesis makes them up, shrinks one that fails to a few steps, and prints it as a program that can be pasted below, as
a named test. `make stories` tries hundreds.
"""

import datetime as dt
import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from factory import ENGINES, NewWarehouse, examples
from faults import Run, killed_before
from logs import sound_row, user
from warehouses import Marts, Outcome, Row, Warehouse, assert_equal_marts

_SALT = "one salt for both warehouses"
_MONDAY = dt.datetime(2026, 3, 2)
_DAY = dt.timedelta(days=1)

# The times at which an edge is likely to be wrong, and two others.
_TIMES = ("00:00:00", "23:59:59.999999", "09:05:00", "09:04:59.999999", "10:00:00", "12:34:56", "17:00:01")
_PAUSES = {"minutes": 1 / 20, "an hour": 1, "a day": 24, "eight days": 8 * 24, "forty days": 40 * 24}
_VALUES = {
    "user_id": [user(1), user(2), user(3), user(4), user(5), None],
    "job_id": ["one", "two", None],
    "style": ["anime", "Anime ", "pop_art", None],
    "difficulty": [1, 3, 11, None],
    "duration_ms": [900, 12_345, 61_000, -1, None],
    "costs": ['{"vision":0.01,"image":0.02,"total":0.04}', '{"total":0.5}', '{"total":-1}', "{"],
    "tokens": ['{"vision_input":300,"image_output":0}', '{"input":440,"output":1056}', None],
    "success": ["true", "true", "false", None],
    "error_message": [None, "Request timed out.", "Rate limit reached", "the printer is on fire"],
}
_DETAILS = {
    "scene": ["A dragon in a castle", "rain", None],
    "photo_size": ["1048576", "700", "-1", None],
    "timings": ['{"vision":120,"image":7000}', "soon", None],
    "model": ["gpt-image-1", "dall-e-3", None],
}
_PARTS = (
    "+int_log_window",
    "+int_log_rows",
    "+generation_log_issues",
    "+fct_generations",
    "int_log_days int_log_window",
    "int_style_spellings fct_generations",
    "fct_generations+",
    "int_log_rows+",
    "style_performance",
    "int_user_days daily_engagement hourly_engagement",
    "dim_users",
    "tag:daily",
    "+style_performance",
    "path:models/marts",
)
_EXCLUDED = ("daily_engagement", "fct_generations", "int_user_days+", "path:models/marts", "tag:daily", "stg_*")
# A run that is refused is so before the first model: by a hook, or as dbt makes its schemas.
_REFUSED = ("operation generation_warehouse-on-run-start-", "in macro create_schema")

_KINDS = st.sampled_from(["hourly", "hourly", "daily", "plain"])
_NUMBERS = st.integers(0, 9)
# Days before the newest, a time of day, and what decides the values.
_ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, len(_TIMES) - 1), st.integers(0, 99)), max_size=6)


class Story(RuleBasedStateMachine):
    """A log, what the log has forgotten, and a warehouse of it."""

    warehouse: Warehouse
    scratch: Warehouse

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.log: list[Row] = []
        self.removed: list[Row] = []
        # rows that the log has forgotten as it may: the marts keep them
        self.expired: list[Row] = []
        self.first_whole = _MONDAY
        self.now = _MONDAY
        self.has_details = False
        self.is_right = True
        self._number = 0
        self._retention = 90
        # the oldest day that has changed since a daily run
        self._oldest_change: dt.datetime | None = None
        self._newest_built: dt.datetime | None = None

    # the log

    @initialize(
        retention=st.sampled_from([90, 90, 12, 5]),
        days=st.integers(0, 12),
        rows=st.lists(st.tuples(st.integers(0, 12), st.integers(0, len(_TIMES) - 1), st.integers(0, 99)), max_size=20),
        is_busy=st.booleans(),
    )
    def begin(self, retention: int, days: int, rows: list[tuple[int, int, int]], *, is_busy: bool) -> None:
        """A log of some days, of which one may have many rows."""
        self.warehouse.empty(_SALT)
        self._retention = retention
        self.now = _MONDAY + days * _DAY + dt.timedelta(hours=13)
        self.log = [self._row(_MONDAY + dt.timedelta(hours=8), 1), self._row(self.now, 2)]
        self._write(rows)
        if is_busy:
            busy = self._day(2)
            self.log += [
                self._row(min(busy + number * dt.timedelta(minutes=9), self.now), number) for number in range(26)
            ]
        self.first_whole = _MONDAY

    @rule(rows=_ROWS)
    def write(self, rows: list[tuple[int, int, int]]) -> None:
        """New rows, also late ones."""
        self._write(rows)

    @rule(place=_NUMBERS, seconds=st.sampled_from([None, 0, 1, 3_600, 86_400]), values=st.integers(0, 99))
    def repeat(self, place: int, seconds: int | None, values: int) -> None:
        """A row once more, or a version of it, at once or later."""
        rows = [row for row in self._rows_that_may_change() if row["id"]]
        if rows:
            row = rows[place % len(rows)]
            if seconds is None:
                self._add(dict(row))
            else:
                at = min(_time(row) + dt.timedelta(seconds=seconds), max(self.now, _time(row)))
                self._add(self._row(at, values) | {"id": row["id"]})

    @rule(kind=st.sampled_from(["no id", "an id that is none", "no time", "no date", "the future"]))
    def write_something_odd(self, kind: str) -> None:
        """A row that cannot be counted."""
        changes = {
            "no id": {"id": None},
            "an id that is none": {"id": "twelve"},
            "no time": {"created_at": None},
            "no date": {"created_at": "2026-02-30 10:00:00"},
            "the future": {"created_at": "2099-05-01 00:00:00"},
        }
        self._add(self._row(self.now, 3) | changes[kind])

    @rule(place=_NUMBERS, column=st.sampled_from([*_VALUES, "created_at", "id", *_DETAILS]), value=_NUMBERS)
    def change(self, place: int, column: str, value: int) -> None:
        """A row is written again where it is, with another value in one column."""
        rows = self._rows_that_may_change()
        if not rows or (column in _DETAILS and not self.has_details):
            return
        row = rows[place % len(rows)]
        if column == "created_at":
            changed = {"created_at": str(self._moment(value, value))}
        elif column == "id":
            self._number += 1
            changed = {"id": sound_row(self._number)["id"]} if value % 3 else {"id": None}
        else:
            values = (_VALUES | _DETAILS)[column]
            changed = {column: values[value % len(values)]}
        self._remove([row])
        self.removed.pop()
        self._add(row | changed)

    @rule(places=st.lists(_NUMBERS, min_size=1, max_size=3))
    def remove(self, places: list[int]) -> None:
        """The application deletes rows."""
        for place in places:
            rows = self._rows_that_may_change()
            if rows:
                self._remove([rows[place % len(rows)]])

    @rule(back=_NUMBERS)
    def lose_a_day(self, back: int) -> None:
        """A day's file is missing."""
        day = self._day(back)
        self._remove([row for row in self._rows_that_may_change() if day <= _time(row) < day + _DAY])

    @rule()
    def put_back(self) -> None:
        """What was removed is there again, where it can still be noticed."""
        for row in self.removed:
            if not _time(row) or _time(row) >= self._since():
                self._add(row)
        self.removed = []

    @precondition(lambda self: not self.expired)
    @rule(hours=st.sampled_from([1, 14, 30]))
    def withdraw(self, hours: int) -> None:
        """The newest rows are gone, and the clock goes back."""
        until = max(self.now - dt.timedelta(hours=hours), self._since() + _DAY)
        # a log that ends before the lookback is taken for another one
        since = max(self._since(), _midnight(self._newest_built or self.now) - 3 * _DAY)
        left = [row for row in self.log if (time := _time(row)) and since <= time <= until and row["id"]]
        if left and until < self.now:
            self._remove([row for row in self._rows_that_may_change(also_newest=True) if _time(row) > until])
            self.now = until

    @precondition(lambda self: not self.expired and not self.has_details)
    @rule()
    def write_more_columns(self) -> None:
        """The log gets the columns that it need not have."""
        self.has_details = True
        self._oldest_change = min(map(_midnight, filter(None, map(_time, self.log))))
        self._add(self._row(self.now, 5))

    @rule(pause=st.sampled_from(list(_PAUSES)), values=st.integers(0, 99))
    def wait(self, pause: str, values: int) -> None:
        """Time passes, and then there is a row."""
        self._let_time_pass_to(self.now + dt.timedelta(hours=_PAUSES[pause]))
        self._add(self._row(self.now, values))

    @rule(days=st.integers(0, 9), hours=st.sampled_from([0, 11]))
    def forget(self, days: int, hours: int) -> None:
        """The log forgets its oldest rows, after a daily run."""
        self.run("plain")
        if self._is_anything_kept_back():
            self.run("plain")
        cut = self._day(days) + dt.timedelta(hours=hours)
        rows = [row for row in self.log if (time := _time(row)) and time < cut]
        # a log of nothing is taken for another one
        is_any_left = any(_time(row) and row["id"] for row in self.log if row not in rows)
        if rows and is_any_left and cut < _midnight(self.now):
            self.log = [row for row in self.log if row not in rows]
            self.expired += rows
            self.removed = []
            self.first_whole = cut if cut == _midnight(cut) else _midnight(cut) + _DAY

    # the runs

    @rule(kind=_KINDS)
    def run(self, kind: str) -> None:
        """A run as it should be."""
        self._load()
        if kind == "plain":
            self.warehouse.run(variables=self._variables())
        else:
            self.warehouse.run(selector=kind, variables=self._variables())
        if kind != "hourly":
            self._oldest_change, self._newest_built = None, self.now

    @rule(part=st.sampled_from(_PARTS), full_refresh=st.booleans())
    def run_a_part(self, part: str, *, full_refresh: bool) -> None:
        """A part of the models, which may be refused."""
        self._load()
        self._attempt(select=part, exclude="tag:alerts", full_refresh=full_refresh)

    @rule(part=st.sampled_from(_EXCLUDED))
    def run_without(self, part: str) -> None:
        """All but a part of the models, which may be refused."""
        self._load()
        self._attempt(exclude=f"tag:alerts {part}")

    @rule()
    def rebuild(self) -> None:
        """A full refresh, which is refused where it would lose history."""
        self._load()
        self._attempt(full_refresh=True, exclude="tag:alerts")

    @rule(kind=_KINDS, statement=st.integers(1, 400))
    def run_and_be_killed(self, kind: str, statement: int) -> None:
        """A run is killed before one of its statements, or ends."""
        self._load()
        options = {"exclude": "tag:alerts"} if kind == "plain" else {"selector": kind}
        outcome = Run(
            self.warehouse, killed_before(statement), variables=self._variables(), tests=kind == "hourly", **options
        ).wait()
        assert outcome is None or outcome.success, outcome.text

    @rule(hours=st.sampled_from([-60, -24, -1, 0, 5, 48]), kind=_KINDS)
    def run_as_of(self, hours: int, kind: str) -> None:
        """The clock is set, to before the newest row or after it."""
        as_of = self.now + dt.timedelta(hours=hours)
        if hours > 0:
            if self.expired:
                return
            self._let_time_pass_to(as_of, is_real=False)
        self._load()
        options = {} if kind == "plain" else {"selector": kind}
        self._attempt(variables={"as_of": str(as_of)}, **options)

    @rule(
        variables=st.sampled_from(
            [
                {"as_of": "now"},
                {"as_of": "2030-01-01"},
                {"lookback_days": 0},
                {"lookback_days": 10},
                {"lookback_days": -1},
                {"log_retention_days": 0},
                {"backfill_from": "2026-03-03"},
                {"backfill_from": "2020-01-01"},
                {"backfill_from": "2031-01-01"},
                {"backfill_from": "yesterday"},
            ]
        ),
        kind=_KINDS,
    )
    def run_with(self, variables: dict[str, object], kind: str) -> None:
        """A variable is set for once, to something that makes sense or to something that does not."""
        self._load()
        options = {} if kind == "plain" else {"selector": kind}
        self._attempt(variables=variables, **options)

    @precondition(lambda self: not self.expired)
    @rule(days=st.sampled_from([5, 12, 90]))
    def keep(self, days: int) -> None:
        """The retention is lowered or raised."""
        if days < self._retention:
            self._run_if_a_change_would_be_out_of_reach(self.now, days)
        self._retention = days

    def teardown(self) -> None:
        """The end of every story."""
        if self.log and self.is_right:
            self.end()

    def end(self) -> None:
        """A daily run, and a second one where days are kept back, give what a full build gives."""
        self.run("plain")
        if self._is_anything_kept_back():
            self.run("plain")
        marts = self.warehouse.marts()
        self.scratch.empty(_SALT)
        self.scratch.load(self.expired + self.log)
        self.scratch.run(variables=self._variables())
        others = self.scratch.marts()
        _leave_out_wishes_of_trimmed_days(marts, others)
        assert_equal_marts(marts, others)

    # what the steps are made of

    def _load(self) -> None:
        self.warehouse.load(self.log)
        self._newest_built = max(self._newest_built or self.now, self.now)

    def _row(self, at: dt.datetime, values: int) -> Row:
        self._number += 1
        random = Random(values)
        columns = _VALUES | (_DETAILS if self.has_details else {})
        chosen = {column: random.choice(values) for column, values in columns.items()}
        return sound_row(self._number, created_at=str(at)) | chosen

    def _day(self, back: int) -> dt.datetime:
        """The midnight so many days before the newest, not before what may change."""
        return max(_midnight(self.now) - back * _DAY, self._since())

    def _since(self) -> dt.datetime:
        """The first day in which a change is noticed by the next daily run: the log holds it, and the fact does."""
        return max(self.first_whole, _midnight(self.now) - (min(self._retention, 90) - 1) * _DAY)

    def _moment(self, back: int, time: int) -> dt.datetime:
        at = dt.datetime.combine(self._day(back), dt.time.fromisoformat(_TIMES[time % len(_TIMES)]))
        return min(at, self.now)

    def _write(self, rows: list[tuple[int, int, int]]) -> None:
        for back, time, values in rows:
            self._add(self._row(self._moment(back, time), values))

    def _add(self, row: Row) -> None:
        self.log = [*self.log, row]
        self._note_change(row)

    def _note_change(self, row: Row) -> None:
        if time := _time(row):
            self._oldest_change = min(self._oldest_change or time, _midnight(time))

    def _rows_that_may_change(self, *, also_newest: bool = False) -> list[Row]:
        """Not those of the first day, without which the log would seem to be cut; nor the newest, without which it
        would seem to be another; nor versions of what is forgotten."""
        first = min(map(_midnight, filter(None, map(_time, self.log))))
        newest = max((time for row in self.log if (time := _time(row)) and row["id"]), default=first)
        forgotten = {row["id"] for row in self.expired}
        return [
            row
            for row in self.log
            if (time := _time(row))
            and time >= max(self._since(), first + _DAY)
            and (time < newest or also_newest)
            and row["id"] not in forgotten
        ]

    def _remove(self, rows: list[Row]) -> None:
        for row in rows:
            self._note_change(row)
            place = next(place for place, each in enumerate(self.log) if each is row)
            self.log = self.log[:place] + self.log[place + 1 :]
            self.removed.append(row)

    def _let_time_pass_to(self, time: dt.datetime, *, is_real: bool = True) -> None:
        self._run_if_a_change_would_be_out_of_reach(time, self._retention)
        if is_real:
            self.now = time

    def _run_if_a_change_would_be_out_of_reach(self, time: dt.datetime, retention: int) -> None:
        if self._oldest_change and self._oldest_change <= _midnight(time) - (min(retention, 90) - 1) * _DAY:
            self.run("plain")
            if self._is_anything_kept_back():
                self.run("plain")

    def _is_anything_kept_back(self) -> bool:
        schema = self.warehouse.schema_of("int_log_days")
        return self.warehouse.query(f"select count(*) from {schema}.int_log_days where is_held_back")[0][0] > 0

    def _variables(self) -> dict[str, object]:
        return {
            "log_retention_days": self._retention,
            # what cannot be counted may be most of a small log
            "max_set_aside_share": 1,
            # a run that was killed holds nobody up
            "wait_for_other_run_seconds": 60,
        }

    def _attempt(self, variables: dict[str, object] | None = None, **options: object) -> Outcome:
        outcome = self.warehouse.attempt(variables=self._variables() | (variables or {}), **options)
        is_refused = any(place in outcome.text for place in _REFUSED) and "still at work" not in outcome.text
        if not outcome.success and not is_refused:
            self.is_right = False
            raise AssertionError(f"a run that is neither made nor refused:\n{outcome.text}")
        return outcome


def _leave_out_wishes_of_trimmed_days(*both: Marts) -> None:
    """Where the fact's first day was made again after the day before it had been trimmed, nobody knows which of its
    attempts went on with a wish of that day."""
    first = min((row["activity_date"] for row in both[0]["fct_generations"].values()), default=None)
    wishes = [marts["wish_outcomes"] for marts in both]
    if first and any(day < first for each in wishes for day, _ in each):
        for each in wishes:
            for key in [key for key in each if key[0] in (first - _DAY, first)]:
                del each[key]


def _midnight(time: dt.datetime) -> dt.datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _time(row: Row) -> dt.datetime | None:
    """When the log says a row was made, where that is a time that counts."""
    try:
        time = dt.datetime.fromisoformat(row["created_at"])
    except (TypeError, ValueError):
        return None
    return time if time.year < 2099 else None


@pytest.fixture(scope="module", params=ENGINES)
def new_story(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Callable[[], Story]:
    """Makes stories of an engine, one after the other in the same two warehouses."""
    pair = module_warehouse(request.param), module_warehouse(request.param)
    for warehouse in pair:
        # a run that is to be killed has nothing left to parse
        warehouse.load([sound_row(1)])
        warehouse.run()

    class _Story(Story):
        warehouse, scratch = pair

    return _Story


# `make stories` looks for the smallest story that fails; a failure of the tests is told as it is.
_IS_LONG_SEARCH = float(os.environ.get("WAREHOUSE_TEST_EXAMPLES", "1")) > 1


def test_after_any_story_a_daily_run_gives_what_a_full_build_gives(new_story: Callable[[], Story]) -> None:
    run_state_machine_as_test(
        new_story,
        settings=settings(
            max_examples=examples(6),
            stateful_step_count=10,
            deadline=None,
            database=None,
            derandomize=not _IS_LONG_SEARCH,
            phases=[Phase.generate, Phase.shrink] if _IS_LONG_SEARCH else [Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
