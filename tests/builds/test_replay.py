"""What the log forgets, the marts keep; and what comes too late is named, and brought in."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from factory import ENGINES, NewWarehouse, examples
from logs import failed_row, sound_row, user
from project import TIME_COLUMNS
from warehouses import Marts, Row, Warehouse, assert_equal_marts

_SALT = "one salt for both warehouses"
_MONDAY = dt.datetime(2026, 3, 2)
_DAY = dt.timedelta(days=1)
_LOOKBACK = 3 * _DAY
_CHECK = "every_log_row_is_counted_set_aside_or_repeated"


def _midnight(time: dt.datetime) -> dt.datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _time(row: Row) -> dt.datetime | None:
    """When the log says a row was made, where that is a time that counts."""
    time = dt.datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
    return time if time and time.year < 2099 else None


@dataclass
class Arrival:
    """The log as it is before a run, and the run's variables."""

    log: list[Row]
    variables: dict[str, object] = field(default_factory=dict)
    has_lost_rows: bool = False
    # an hourly run leaves alone what has not changed, any other run rebuilds the lookback
    is_hourly: bool = False


_SPANS = [dt.timedelta(hours=hours) for hours in (0, 1, 1, 5, 24, 24, 50, 6 * 24, 31 * 24)]
_CHANGES = {
    "user_id": [user(1), user(2), user(3), user(4), user(5), user(5), None],
    "style": ["anime", "Anime ", "pop_art", None],
    "difficulty": [1, 3, 3, 11, None],
    "duration_ms": [900, 12_345, 61_000, -1, None],
    "costs": ['{"vision":0.01,"image":0.02,"total":0.04}', '{"total":0.5}', '{"total":-1}', "{"],
}
_OUTCOMES = [
    {"success": "true", "error_message": None},
    {"success": "true", "error_message": None},
    {"success": "false", "error_message": "Request timed out."},
    {"success": "false", "error_message": "Rate limit reached"},
    {"success": None, "error_message": None},
]


class Story:
    """A log as it grows, made up from a seed."""

    def __init__(self, seed: int) -> None:
        """Begin on a Monday, at any hour."""
        self.random = Random(seed)
        self.log: list[Row] = []
        self.has_lost_rows = False
        self.clock = _MONDAY + self.random.randint(0, 30) * dt.timedelta(hours=1)
        self._number = 0

    def moment(self, first: dt.datetime, last: dt.datetime) -> dt.datetime:
        """A time between the two, and as often one at an edge of a day, an hour or five minutes."""
        edges = [_midnight(last), _midnight(last) - dt.timedelta(microseconds=1), last.replace(minute=0), last, first]
        edges = [edge for edge in edges if first <= edge <= last]
        if edges and self.random.random() < 0.4:
            return self.random.choice(edges)
        return first + dt.timedelta(seconds=self.random.randint(0, max(0, int((last - first).total_seconds()))))

    def rows(self, first: dt.datetime, last: dt.datetime, most: int) -> list[Row]:
        """So many rows at most between two times."""
        return [self.row(self.moment(first, last)) for _ in range(self.random.randint(0, most))]

    def row(self, at: dt.datetime | None, **changes: object) -> Row:
        """A row, with any values."""
        self._number += 1
        return sound_row(self._number, created_at=str(at) if at else None) | self._values() | changes

    def _values(self) -> Row:
        values = {column: self.random.choice(values) for column, values in _CHANGES.items()}
        return values | self.random.choice(_OUTCOMES)

    def repeats(self, since: dt.datetime) -> list[Row]:
        """Rows of the log once more, and newer versions of them, of that day or of the next."""
        recent = [row for row in self.log if row["id"] and (time := _time(row)) and time >= since]
        repeated = []
        for row in self.random.choices(recent, k=self.random.randint(0, 3)) if recent else []:
            seconds = self.random.choice([None, 0, 1, 3_600, 86_400])
            if seconds is None:
                repeated.append(dict(row))
            else:
                at = min(_time(row) + dt.timedelta(seconds=seconds), max(self.clock, _time(row)))
                repeated.append(self.row(at, id=row["id"]))
        return repeated

    def oddities(self, since: dt.datetime) -> list[Row]:
        """Rows that cannot be counted."""
        odd = [
            self.row(self.moment(since, self.clock), id=None),
            self.row(None),
            self.row(dt.datetime(2099, 5, 1)),
        ]
        return self.random.sample(odd, self.random.randint(0, 2))

    def change(self, since: dt.datetime) -> None:
        """A row of the log is written anew where it stands, as when an attempt ends."""
        places = [place for place, row in enumerate(self.log) if (time := _time(row)) and time >= since]
        if places:
            place = self.random.choice(places)
            self.log[place] = self.log[place] | self._values()

    def lose(self, first: dt.datetime, last: dt.datetime) -> None:
        """The log's rows between two times, the second one left out, are gone."""
        self.log = [row for row in self.log if not (time := _time(row)) or not first <= time < last]
        self.has_lost_rows = True

    def newest(self, *, before: dt.datetime | None = None) -> dt.datetime | None:
        """The time of the newest row that can be counted."""
        times = [time for row in self.log if row["id"] and (time := _time(row)) and (not before or time < before)]
        return max(times, default=None)


def _built(warehouse: Warehouse, arrival: Arrival) -> Marts:
    warehouse.load(arrival.log)
    if arrival.is_hourly:
        warehouse.run(selector="hourly", variables=arrival.variables)
        warehouse.run(select="tag:daily", variables=arrival.variables)
    else:
        warehouse.run(variables=arrival.variables)
    return warehouse.marts()


_SEEDS = st.integers(0, 2**32)


def _random_logs(count: int) -> settings:
    return settings(
        max_examples=examples(count),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module", params=ENGINES)
def pair(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> tuple[Warehouse, Warehouse]:
    """Two warehouses of an engine, for one example after the other."""
    return module_warehouse(request.param), module_warehouse(request.param)


@dataclass
class Forgetting:
    """A log that loses its oldest rows while it grows, and the same log as if it had lost none."""

    arrivals: list[Arrival]
    complete: Arrival


def forgetting_log(seed: int) -> Forgetting:
    """At every cut something of the newest day that is built is left; rows come for days that the log holds whole."""
    story = Story(seed)
    variables = {"log_retention_days": story.random.choice([5, 12, 90])}
    first, story.clock = story.clock, story.clock + 8 * _DAY
    story.log = [story.row(first), story.row(story.clock), *story.rows(first, story.clock, 25)]
    complete = list(story.log)
    arrivals = [Arrival(complete, variables)]
    first_whole = _midnight(first)
    for _ in range(story.random.choice([2, 2, 3])):
        built = _midnight(story.newest())
        cut = story.moment(max(first_whole, built - 9 * _DAY), built)
        story.lose(dt.datetime.min, cut)
        first_whole = cut if cut == _midnight(cut) else _midnight(cut) + _DAY
        since = max(first_whole, built - _LOOKBACK)
        before, story.clock = story.clock, story.clock + story.random.choice(_SPANS)
        rows = story.rows(before, story.clock, 10) + story.rows(since, story.clock, 5)
        rows += story.repeats(since) + story.oddities(since)
        story.log = story.log + rows
        complete = complete + rows
        arrivals.append(Arrival(story.log, variables, is_hourly=story.random.random() < 0.7))
    return Forgetting(arrivals, Arrival(complete, variables))


@pytest.mark.mainly_on("postgres")
@_random_logs(1)
@given(seed=_SEEDS)
def test_a_log_that_forgets_its_oldest_rows_leaves_every_mart_as_if_it_had_not(
    pair: tuple[Warehouse, Warehouse], seed: int
) -> None:
    replayed, scratch = pair
    forgetting = forgetting_log(seed)
    replayed.empty(_SALT)
    for arrival in forgetting.arrivals:
        marts = _built(replayed, arrival)
    scratch.empty(_SALT)
    assert_equal_marts(marts, _built(scratch, forgetting.complete))


def rows_too_late(seed: int) -> tuple[list[Row], list[Row]]:
    """A log, and rows of days before the lookback that come when it is built."""
    story = Story(seed)
    first, last = story.clock, story.clock + story.random.randint(8, 40) * _DAY
    story.log = [story.row(first), story.row(last), *story.rows(first, last, 25)]
    until = _midnight(last) - _LOOKBACK - dt.timedelta(microseconds=1)
    story.clock = until
    late = [story.row(story.moment(_midnight(first), until)) for _ in range(story.random.randint(1, 4))]
    # of one that is counted, a newer version
    old = next(row for row in story.log if row["id"] and _time(row) <= until)
    late.append(story.row(min(_time(old) + dt.timedelta(minutes=1), until), id=old["id"]))
    return story.log, late


@pytest.mark.mainly_on("postgres")
@_random_logs(1)
@given(seed=_SEEDS)
def test_rows_later_than_the_lookback_are_named_by_day_and_brought_in_by_a_daily_run_or_a_backfill(
    pair: tuple[Warehouse, Warehouse], seed: int
) -> None:
    replayed, scratch = pair
    replayed.empty(_SALT)
    log, late = rows_too_late(seed)
    before = _built(replayed, Arrival(log))
    assert_equal_marts(_built(replayed, Arrival(log + late, is_hourly=True)), before)
    days = sorted({_time(row).date() for row in late})
    assert _days_named_by_the_check(replayed) == days

    replayed.run(variables={"backfill_from": str(days[0]), "max_rebuilt_days": 0} if seed % 2 else {})
    healed = replayed.marts()
    assert _days_named_by_the_check(replayed) == []
    scratch.empty(_SALT)
    assert_equal_marts(healed, _built(scratch, Arrival(log + late)))


def _days_named_by_the_check(warehouse: Warehouse) -> list[dt.date]:
    outcome = warehouse.attempt("test", select=_CHECK)
    (compiled,) = warehouse.target_path.glob(f"compiled/*/data-tests/singular/{_CHECK}.sql")
    days = sorted(day for day, *_ in warehouse.query(compiled.read_text()))
    assert outcome.statuses[_CHECK] == ("warn" if days else "pass")
    if days:
        assert f"Got {len(days)} result" in outcome.text
    return days


# What the log forgets.


def _day(number: int) -> dt.date:
    return (_MONDAY + number * _DAY).date()


def _rows_of(day: int, *users: int) -> list[Row]:
    """Two rows of each user on that day, counted from the first."""
    rows = []
    for place, person in enumerate(users):
        at = f"{_day(day)} {9 + place:02}:00:00"
        rows.append(sound_row(day * 100 + place * 2, user_id=user(person), created_at=at))
        rows.append(
            failed_row(
                day * 100 + place * 2 + 1,
                "Rate limit reached",
                user_id=user(person),
                created_at=at.replace(":00", ":20"),
            )
        )
    return rows


def _before(marts: Marts, day: dt.date, *, leaving_out: tuple[str, ...] = ()) -> Marts:
    """The rows of time-grained marts that stand for earlier days."""
    return {
        name: {
            key: row
            for key, row in marts[name].items()
            if row[column] and (row[column].date() if isinstance(row[column], dt.datetime) else row[column]) < day
        }
        for name, column in TIME_COLUMNS.items()
        if name not in leaving_out
    }


@pytest.mark.mainly_on("postgres")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_refresh_that_would_lose_history_is_refused_until_it_is_meant(
    new_warehouse: NewWarehouse, engine: str
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.salt = _SALT
    warehouse.load([row for day in range(6) for row in _rows_of(day, 1, 2 + day % 3)])
    warehouse.run()
    before = warehouse.marts()

    held = [row for day in range(3, 6) for row in _rows_of(day, 1, 2 + day % 3)] + _rows_of(5, 1, 2, 7)
    warehouse.load(held)
    for select in (None, "style_performance", "int_user_days fct_generations"):
        refused = warehouse.attempt(full_refresh=True, select=select)
        if select == "style_performance":
            # It is made from the fact, which still holds every day.
            assert refused.success, refused.text
            continue
        assert not refused.success
        for said in ("would lose", str(_day(0)), str(_day(2)), f"backfill_from: {_day(3)}", "lose_history"):
            assert said in refused.text
    assert_equal_marts(warehouse.marts(), before)

    warehouse.run(variables={"backfill_from": str(_day(3))})
    rebuilt = warehouse.marts()
    assert_equal_marts(_before(rebuilt, _day(3)), _before(before, _day(3)))
    assert rebuilt["hourly_engagement"][(dt.datetime.combine(_day(5), dt.time(11)),)]["new_users"] == 1

    warehouse.run(full_refresh=True, variables={"lose_history": True})
    scratch = new_warehouse(engine)
    scratch.salt = _SALT
    scratch.load(held)
    scratch.run()
    assert_equal_marts(warehouse.marts(), scratch.marts())


@pytest.mark.mainly_on("postgres")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("left", "count", "first", "last"),
    [
        pytest.param(lambda at: at >= str(_day(3)), 3, 0, 2, id="the first days", marks=pytest.mark.thorough),
        pytest.param(lambda at: at > f"{_day(0)} 09:10:00", 1, 0, 0, id="a part of a day"),
        pytest.param(lambda at: not at.startswith(str(_day(3))), 1, 3, 3, id="a day in between"),
    ],
)
def test_a_full_refresh_of_what_is_made_of_the_log_is_refused_though_the_fact_stays(
    new_warehouse: NewWarehouse, engine: str, left: Callable[[str], bool], count: int, first: int, last: int
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.salt = _SALT
    log = [row | {"difficulty": 11, "style": "Pop art"} for day in range(6) for row in _rows_of(day, 1, 2 + day % 3)]
    warehouse.load(log)
    warehouse.run()
    before, spellings = warehouse.marts(), _spellings(warehouse)

    warehouse.load([row for row in log if left(row["created_at"])])
    for model in ("generation_log_issues", "int_style_spellings"):
        refused = warehouse.attempt(full_refresh=True, select=f"+{model}")
        assert not refused.success
        assert f"{model}: {count} days, {_day(first)} to {_day(last)}" in refused.text
    assert_equal_marts(warehouse.marts(), before)
    assert _spellings(warehouse) == spellings


def test_a_mart_with_days_that_the_fact_has_trimmed_is_refreshed_together_with_the_fact_or_not_at_all(
    duckdb_warehouse: Warehouse,
) -> None:
    duckdb_warehouse.variables = {"log_retention_days": 3}
    duckdb_warehouse.load([row for day in range(6) for row in _rows_of(day, 1, 2 + day % 3)])
    duckdb_warehouse.run()
    before = duckdb_warehouse.marts()
    refused = duckdb_warehouse.attempt(full_refresh=True, select="style_performance")
    assert not refused.success
    assert (
        f"(it begins at {_day(0)} 09:00:00, and fct_generations, which is not selected, at {_day(3)} " in refused.text
    )
    assert f"style_performance: 3 days, {_day(0)} to {_day(2)}" in refused.text
    assert_equal_marts(duckdb_warehouse.marts(), before)
    duckdb_warehouse.run(full_refresh=True)
    assert_equal_marts(duckdb_warehouse.marts(), before)


def _spellings(warehouse: Warehouse) -> list[tuple]:
    """Each day's spellings, of whatever day."""
    stored = f"{warehouse.schema_of('int_style_spellings')}.int_style_spellings"
    return sorted(warehouse.query(f"select activity_date, spelling, generation_count from {stored}"))


@pytest.mark.mainly_on("postgres")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_of_today_alone_or_of_nothing_usable_destroys_nothing_and_no_old_user_looks_new(
    new_warehouse: NewWarehouse, engine: str
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load([row for day in range(6) for row in _rows_of(day, 1, 2 + day % 2)])
    warehouse.run()
    before = warehouse.marts()
    old_users = {person: warehouse.user_key(user(person)) for person in (1, 2, 3)}

    # Today's file alone, and in it more than was built of today.
    warehouse.load(_rows_of(5, 1, 3, 2))
    warehouse.run()
    today = warehouse.marts()
    assert_equal_marts(_before(today, _day(5)), _before(before, _day(5)))
    assert len(today["fct_generations"]) == len(before["fct_generations"]) + 2
    assert today["daily_engagement"][(_day(5),)]["daily_active_users"] == 3

    # Nothing in it has an id and a time.
    warehouse.load(
        [
            sound_row(9001, created_at=None),
            sound_row(9002, created_at="2099-01-01"),
            sound_row(9003, id="x", created_at=f"{_day(5)} 09:30:00"),
        ]
    )
    warehouse.run()
    odd = warehouse.marts()
    assert {row["issue"] for row in odd["generation_log_issues"].values()} >= {"missing_created_at"}
    # the two rows without a usable time are set aside in any case; the third is of a day that is left as it was
    (clock,) = odd["warehouse_clock"].values()
    assert clock.pop("set_aside_row_count") == 2
    (clock,) = today["warehouse_clock"].values()
    assert clock.pop("set_aside_row_count") == 0
    names = [name for name in odd if name != "generation_log_issues"]
    assert_equal_marts({name: odd[name] for name in names}, {name: today[name] for name in names})

    # Long after the log has forgotten all that is built, old users come back.
    warehouse.load(_rows_of(130, 1, 2, 8))
    warehouse.run(tests=True)
    after = warehouse.marts()
    kept = ("fct_generations", "generation_log_issues")
    old = _before(today, _day(5), leaving_out=kept)
    assert_equal_marts(_before(after, _day(5), leaving_out=kept), old)
    assert after["daily_engagement"][(_day(130),)]["new_users"] == 1
    assert after["daily_engagement"][(_day(130),)]["weekly_resurrected_users"] == 2
    assert sum(row["new_users"] for row in after["hourly_engagement"].values()) == 4
    for person in old_users.values():
        assert (
            after["dim_users"][(person,)]["first_generation_at"]
            == before["dim_users"][(person,)]["first_generation_at"]
        )
    assert after["dim_users"][(old_users[1],)]["lifecycle_stage"] == "resurrected"
    assert after["dim_users"][(old_users[3],)]["lifecycle_stage"] == "inactive"
    assert len(after["daily_engagement"]) == 131
    assert {key[1] for key in after["fct_generations"]} == {_day(130)}


def test_rows_of_the_future_are_named_once_though_nothing_else_is_left_in_the_log(duckdb_warehouse: Warehouse) -> None:
    future = sound_row(9001, created_at="2099-05-01 00:00:00")
    duckdb_warehouse.load([*_rows_of(0, 1), future])
    duckdb_warehouse.run()
    duckdb_warehouse.load([future])
    duckdb_warehouse.run()
    assert [row["row_count"] for row in duckdb_warehouse.mart("generation_log_issues")] == [1]


def test_a_day_of_which_the_log_has_lost_rows_keeps_those_that_were_set_aside_or_repeated(
    duckdb_warehouse: Warehouse,
) -> None:
    lost = [
        sound_row(9001, created_at=f"{_day(4)} 08:00:00", id=None),
        sound_row(400, created_at=f"{_day(4)} 08:00:00"),
    ]
    duckdb_warehouse.load([row for day in range(6) for row in _rows_of(day, 1)] + lost)
    duckdb_warehouse.run()
    before = duckdb_warehouse.marts()
    assert sorted(key[3] for key in before["generation_log_issues"]) == ["duplicate_id", "missing_id"]
    duckdb_warehouse.load([row for day in (4, 5) for row in _rows_of(day, 1)])
    duckdb_warehouse.run()
    assert_equal_marts(duckdb_warehouse.marts(), before)


def test_days_before_the_first_that_is_built_are_brought_in_by_the_next_daily_run(duckdb_warehouse: Warehouse) -> None:
    log = [row for day in range(9) for row in _rows_of(day, 1)]
    duckdb_warehouse.load([row for row in log if _time(row).date() >= _day(5)])
    duckdb_warehouse.run()
    duckdb_warehouse.load(log)
    duckdb_warehouse.run(selector="hourly")
    assert _days_named_by_the_check(duckdb_warehouse) == [_day(number) for number in range(5)]
    duckdb_warehouse.run()
    assert _days_named_by_the_check(duckdb_warehouse) == []
    assert len(duckdb_warehouse.mart("fct_generations")) == len(log)
