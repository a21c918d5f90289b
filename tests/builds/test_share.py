"""What people outside may see: that nothing in it tells of few, that both engines and plain Python agree on it, that it
is published once, and the file that holds it alone.

Three ways of sharing that look safe are attacked here, and give single users away; ours is attacked in the same ways.
"""

import datetime as dt
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from commands import command
from factory import NewWarehouse, examples
from logs import simulated_rows, sound_row, user
from project import ROOT
from sharing import Generation, Group, Weeks, cost_of, groups_of, is_safe, retention_of, users_of, worked_out
from warehouses import SCHEMA, Row, Warehouse

_LEAST = 11
_SHARED = ("weekly_generations", "weekly_retention")
_FIRST = dt.date(2026, 3, 2)  # a Monday
_WEEK = dt.timedelta(days=7)

Shown = dict[tuple, tuple]


def _simulated(rows: int) -> list[Row]:
    # from Sunday, 2026-03-01, which may be cut, to Saturday, 2026-04-11
    return simulated_rows(rows, 42, seed=5, dirt=0.02)


def _generations(warehouse: Warehouse) -> list[Generation]:
    return [
        Generation(number, *row)
        for number, row in enumerate(
            warehouse.query(
                "select activity_date, user_key, style, difficulty, total_cost_usd "
                f"from {SCHEMA}_marts.fct_generations order by generation_id, activity_date"
            )
        )
    ]


def _weeks_of(generations: list[Generation]) -> Weeks:
    found = defaultdict(set)
    for each in generations:
        if each.user is not None:
            found[each.user].add(each.week)
    return found


def _by_week(generations: list[Generation]) -> dict[dt.date, list[Generation]]:
    found = defaultdict(list)
    for each in generations:
        found[each.week].append(each)
    return found


def _numbers(group: Group) -> tuple:
    return len(users_of(group)), len(group), cost_of(group)


def _expected_generations(generations: list[Generation], weeks: list[dt.date], least: int = _LEAST) -> Shown:
    found, by_week = {}, _by_week(generations)
    for week in weeks:
        groups = groups_of(by_week[week], least)
        found |= {(week, *names): _numbers(group) for names, group in groups.items()}
        if not groups:
            found[week, None, None] = (None, None, None)
    return found


def _shared_generations(query: Callable[[str], list[tuple]], table: str) -> Shown:
    rows = query(
        f"select activity_week, style, difficulty, active_users, generation_count, total_cost_usd from {table}"
    )
    assert len({row[:3] for row in rows}) == len(rows)
    return {row[:3]: row[3:] for row in rows}


def _shared_retention(query: Callable[[str], list[tuple]], table: str) -> Shown:
    rows = query(f"select cohort_week, activity_week, cohort_size, retained_users from {table}")
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: row[2:] for row in rows}


def _shared(warehouse: Warehouse) -> tuple[Shown, Shown]:
    return (
        _shared_generations(warehouse.query, f"{SCHEMA}_share.weekly_generations"),
        _shared_retention(warehouse.query, f"{SCHEMA}_share.weekly_retention"),
    )


def _build(warehouse: Warehouse, **how: object) -> None:
    warehouse.run(select="+weekly_generations +weekly_retention path:models/state path:seeds", **how)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def built(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Iterator[Warehouse]:
    """A small log, shared for the first time."""
    warehouse = module_warehouse(request.param)
    warehouse.load(_simulated(2_500))
    _build(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def on_duckdb(module_warehouse: NewWarehouse) -> Warehouse:
    """A larger one."""
    warehouse = module_warehouse("duckdb")
    warehouse.load(_simulated(12_000))
    _build(warehouse)
    return warehouse


# what is shown


_WEEKS = [_FIRST + number * _WEEK for number in range(5)]


def test_both_engines_share_what_plain_python_does(built: Warehouse) -> None:
    generations, retention = _shared(built)
    fact = _generations(built)
    assert {each.user is None for each in fact} == {each.cost is None for each in fact} == {True, False}
    assert generations == _expected_generations(fact, _WEEKS)
    assert retention == retention_of(_weeks_of(fact), _WEEKS, _LEAST)
    assert {"(other)", "(all)"} & {style for _, style, _ in generations}
    assert any(size and came is None for size, came in retention.values())
    by_week = _by_week(fact)
    for week in _WEEKS:
        assert sum(row[1] for key, row in generations.items() if key[0] == week) == len(by_week[week])


# the attacks, on ways of sharing that look safe and on ours


def _blanked(cells: dict[tuple[str, str], Group]) -> list[Group]:
    """Cells of enough users, the others blank, and all totals."""
    styles, levels = defaultdict(set), defaultdict(set)
    for (style, level), cell in cells.items():
        styles[style] |= cell
        levels[level] |= cell
    totals = [*styles.values(), *levels.values(), set().union(*cells.values())]
    return [cell for cell in cells.values() if len(users_of(cell)) >= _LEAST] + [frozenset(each) for each in totals]


def _cells(generations: list[Generation]) -> dict[tuple[str, str], Group]:
    found = defaultdict(set)
    for each in generations:
        found[each.style, each.level].add(each)
    return {names: frozenset(cell) for names, cell in found.items()}


def test_blanks_beside_totals_are_worked_out_and_groups_are_not(on_duckdb: Warehouse) -> None:
    from_blanks, from_groups, small = 0, 0, 0
    for generations in _by_week(_generations(on_duckdb)).values():
        cells = _cells(generations)
        of_cell = {each: names for names, cell in cells.items() for each in cell}

        def in_atoms(group: Group, of_cell: dict = of_cell) -> frozenset:
            return frozenset(of_cell[each] for each in group)

        unsafe = [in_atoms(cell) for cell in cells.values() if not is_safe(cell, _LEAST)]
        small += len(unsafe)
        from_blanks += len(worked_out(map(in_atoms, _blanked(cells)), unsafe))
        from_groups += len(worked_out(map(in_atoms, groups_of(generations, _LEAST).values()), unsafe))
    assert from_groups == 0
    assert small > 100
    assert from_blanks > 10


def _left_over(coarse: list[Group], fine: list[Group]) -> list[Group]:
    """What of each large group is in none of the small ones that lie in it."""
    found = []
    for group in coarse:
        known = frozenset().union(*(each for each in fine if each <= group))
        found += [group - known] if known and group - known else []
    return found


def test_days_beside_weeks_leave_few_over_and_weeks_alone_do_not(on_duckdb: Warehouse) -> None:
    few, all_weeks = [], []
    for generations in _by_week(_generations(on_duckdb)).values():
        days = defaultdict(list)
        for each in generations:
            days[each.day].append(each)
        weekly = list(groups_of(generations, _LEAST).values())
        daily = [group for day in days.values() for group in groups_of(day, _LEAST).values()]
        few += [left for left in _left_over(weekly, daily) if not is_safe(left, _LEAST)]
        all_weeks += weekly
    assert few
    assert _left_over(all_weeks, all_weeks) == []
    assert all(is_safe(group, _LEAST) for group in all_weeks)
    assert sum(map(len, all_weeks)) == len(frozenset().union(*all_weeks))


def test_who_knows_a_weeks_users_learns_no_hidden_number(on_duckdb: Warehouse) -> None:
    """Where a week has one group alone, weekly_generations says how many users it has."""
    _, retention = _shared(on_duckdb)
    weeks_of = _weeks_of(_generations(on_duckdb))
    for week in _WEEKS:
        users = sum(week in active for active in weeks_of.values())
        left = users - sum(came or 0 for (_, of), (_, came) in retention.items() if of == week)
        assert left == 0 or left >= _LEAST
    shown = [(size, came) for size, came in retention.values() if came is not None]
    assert all(came == 0 or came >= _LEAST for _, came in shown)
    assert all(size == came or size - came >= _LEAST for size, came in shown)


def test_what_is_published_stays_whatever_becomes_of_the_rows(on_duckdb: Warehouse) -> None:
    """An erasure, then a backfill of late rows and two more weeks. A full refresh in between changes nothing."""
    before, published = _shared(on_duckdb), on_duckdb.mart("weekly_generations")
    fact = _generations(on_duckdb)
    sizes = defaultdict(int)
    for each in fact:
        sizes[each.user] += 1
    gone = max((each for each in sizes if each), key=lambda each: (sizes[each], each))
    remaining = [each for each in fact if each.user != gone]
    # published a second time, the groups of the same names tell what the user did
    again = _expected_generations(remaining, _WEEKS)
    told = [before[0][key][1] - again[key][1] for key in again.keys() & before[0].keys() if key[1]]
    assert sum(each > 0 for each in told) >= 10
    for table in ("marts.fct_generations", "intermediate.int_user_days"):
        on_duckdb.execute(f"delete from {SCHEMA}_{table} where user_key = '{gone}'")
    on_duckdb.run(
        select="user_retention weekly_generations weekly_retention",
        full_refresh=True,
        variables={"lose_history": True},
    )
    assert on_duckdb.mart("weekly_generations") == published
    assert _shared(on_duckdb) == before
    # two weeks and four days later
    late = [sound_row(number, created_at=f"{_FIRST + _WEEK} 10:{number:02}:00", style="late") for number in range(50)]
    more = [
        sound_row(1_000 + number, user_id=user(number % 40), created_at=str(dt.datetime(2026, 4, 13, 9) + gap))
        for number in range(400)
        for gap in [dt.timedelta(minutes=50 * number)]
    ]
    on_duckdb.load([*_simulated(12_000), *late, *more])
    _build(on_duckdb, variables={"backfill_from": str(_FIRST)})
    generations, retention = _shared(on_duckdb)
    fact = _generations(on_duckdb)
    assert [each for each in fact if each.style == "late"]
    new_weeks = [_FIRST + 5 * _WEEK, _FIRST + 6 * _WEEK]
    assert generations == before[0] | _expected_generations(fact, new_weeks)
    kept = {cohort: size for (cohort, week), (size, _) in before[1].items() if cohort == week}
    assert retention == before[1] | retention_of(_weeks_of(fact), new_weeks, _LEAST, kept)


def test_weeks_that_the_log_has_lost_in_between_are_not_published(duckdb_warehouse: Warehouse) -> None:
    """The log of the first run ends on a Thursday; that of the second begins a month later, on a Tuesday."""

    def rows_of(first: int, last: int) -> list[Row]:
        return [
            sound_row(day * 100 + place, user_id=user(place), created_at=f"{_FIRST + dt.timedelta(days=day)} 08:00:00")
            for day in range(first, last)
            for place in range(3)
        ]

    duckdb_warehouse.variables = {"share_min_users": 3, "log_begins_on": str(_FIRST)}
    for rows in (rows_of(0, 18), rows_of(43, 67)):
        duckdb_warehouse.load(rows)
        _build(duckdb_warehouse)
    generations, retention = _shared(duckdb_warehouse)
    held = [_FIRST + number * _WEEK for number in (0, 1, 7, 8)]
    assert generations == {(week, "anime", "3"): (3, 21, Decimal("1.063860")) for week in held}
    assert {week for _, week in retention} == set(held)
    assert retention[_FIRST, held[-1]] == (3, 3)


# the models' own SQL, on random logs


class _Judge:
    """The models' SQL as an engine runs it, on tables of a few rows, with groups of three."""

    LEAST = 3
    _TABLES = {
        "int_log_window": "as_of timestamp, run_at timestamp, unknown_before date",
        "days": "activity_date date, is_whole boolean",
        "daily_engagement": "activity_date date, is_complete boolean",
        "fct_generations": "activity_date date, user_key uuid, style text, difficulty integer, "
        "total_cost_usd numeric(18, 6)",
        "user_retention": "cohort_grain text, cohort_date date, period_number integer, cohort_size bigint, "
        "retained_users bigint",
        "weekly_generations": "activity_week date, style text, difficulty text, active_users bigint, "
        "generation_count bigint, total_cost_usd numeric(18, 6), published_at timestamp",
        "weekly_retention": "cohort_week date, activity_week date, period_number integer, cohort_size bigint, "
        "retained_users bigint, retention_rate double precision, has_older_users boolean, published_at timestamp",
    }

    def __init__(self, built: Warehouse) -> None:
        built.run("compile", select=" ".join(_SHARED), variables={"share_min_users": self.LEAST})
        folder = built.target_path / "compiled/generation_warehouse/models/share"
        self._sql = {
            name: re.sub(r'"\w+"\."\w+"\."(\w+)"', r"\1", (folder / f"{name}.sql").read_text()) for name in _SHARED
        }
        if built.engine == "duckdb":
            self.connection = duckdb.connect()
        else:
            self.connection = built.server.connect(built.database)
        self._cursor = self.connection.cursor()
        for name, columns in self._TABLES.items():
            self._cursor.execute(f"create temporary table {name} ({columns})")

    def query(self, sql: str) -> list[tuple]:
        self._cursor.execute(sql)
        return self._cursor.fetchall()

    def begin(self) -> None:
        for name in self._TABLES:
            self._cursor.execute(f"delete from {name}")

    def publish(self, generations: list[Generation], weeks: list[dt.date]) -> None:
        """Publish what is not yet published of these weeks, all of which are over."""
        last = weeks[-1] + _WEEK
        for name in set(self._TABLES) - set(_SHARED):
            self._cursor.execute(f"delete from {name}")
        self._insert("int_log_window", [(last + _WEEK, last + _WEEK, None)])
        days = [weeks[0] + dt.timedelta(days=number) for number in range((last - weeks[0]).days)]
        self._insert("daily_engagement", [(day, True) for day in days])
        self._insert(
            "fct_generations",
            [(each.day, each.user, each.style, each.difficulty, each.cost) for each in generations],
        )
        weeks_of = _weeks_of(generations)
        cohorts = defaultdict(set)
        for each, active in weeks_of.items():
            cohorts[min(active)].add(each)
        self._insert(
            "user_retention",
            [
                ("week", cohort, (week - cohort).days // 7, len(users), sum(week in weeks_of[each] for each in users))
                for cohort, users in cohorts.items()
                for week in weeks
                if week >= cohort
            ],
        )
        for name, sql in self._sql.items():
            self._cursor.execute(f"insert into {name} {sql}")

    def shared(self) -> tuple[Shown, Shown]:
        return _shared_generations(self.query, "weekly_generations"), _shared_retention(self.query, "weekly_retention")

    def _insert(self, table: str, rows: list[tuple]) -> None:
        def literal(value: object) -> str:
            return "null" if value is None else str(value) if isinstance(value, int | Decimal) else f"'{value}'"

        if rows:
            values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
            self._cursor.execute(f"insert into {table} values {values}")


@pytest.fixture(scope="module")
def judge(built: Warehouse) -> Iterator[_Judge]:
    judge = _Judge(built)
    yield judge
    judge.connection.close()


def _random_log(seed: int) -> list[Generation]:
    """Few users in three weeks; some are at it all the time, some rows have no user, level or cost."""
    draw = random.Random(seed)
    people = [uuid.UUID(int=number) for number in range(1, draw.randint(4, 16))]
    eager = draw.choice([1, 1, 3, 10])
    weights = [eager] + [draw.choice([1, 1, 2])] * (len(people) - 1)
    styles = draw.sample(["anime", "ink", "photo", "comic", "(other)", "(all)"], draw.randint(1, 5))
    nobody = draw.choice([0, 0, 0.05, 0.4])
    return [
        Generation(
            number,
            _FIRST if number == 0 else _FIRST + dt.timedelta(days=draw.randrange(21)),
            None if draw.random() < nobody else draw.choices(people, weights)[0],
            draw.choice(styles),
            draw.choice([1, 1, 2, None]),
            draw.choice([None, Decimal(0), Decimal("0.05"), Decimal("0.05"), Decimal("1.000001")]),
        )
        for number in range(draw.choice([5, 20, 60, 120]))
    ]


_SETTINGS = settings(
    max_examples=examples(40),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_SEEDS = st.integers(0, 10**9)


@_SETTINGS
@given(seed=_SEEDS)
def test_random_weeks_are_parted_into_safe_groups(seed: int) -> None:
    generations, least = _random_log(seed), 3
    for week in _by_week(generations).values():
        groups = groups_of(week, least).values()
        assert all(is_safe(group, least) for group in groups)
        if groups:
            assert sorted(each.number for group in groups for each in group) == sorted(each.number for each in week)
            assert sum(map(cost_of, groups)) == cost_of(week)
        else:
            # no style is kept back that could be shown with all others
            assert not is_safe(week, least)


@_SETTINGS
@given(seed=_SEEDS)
def test_random_retention_hides_enough_users_or_none(seed: int) -> None:
    weeks_of, least = _weeks_of(_random_log(seed)), 3
    weeks = [_FIRST + number * _WEEK for number in range(3)]
    retention = retention_of(weeks_of, weeks, least)
    for week in weeks:
        users = sum(week in active for active in weeks_of.values())
        left = users - sum(came or 0 for (_, of), (_, came) in retention.items() if of == week)
        # of a week of few users weekly_generations shows nothing
        assert left == 0 or left >= least or users < least
    assert all(came in (0, None) or came >= least for _, came in retention.values())
    assert all(came in (size, None) or size - came >= least for size, came in retention.values())


@_SETTINGS
@given(seed=_SEEDS)
def test_the_models_share_of_random_logs_what_plain_python_does_and_nothing_twice(judge: _Judge, seed: int) -> None:
    """Two weeks at first; then some rows have come and gone, and the third week is over."""
    generations, weeks = _random_log(seed), [_FIRST + number * _WEEK for number in range(3)]
    draw = random.Random(seed)
    judge.begin()
    first = [each for each in generations if each.week < weeks[2] and (each.number == 0 or draw.random() < 0.8)]
    judge.publish(first, weeks[:2])
    published = judge.shared()
    assert published == (
        _expected_generations(first, weeks[:2], judge.LEAST),
        retention_of(_weeks_of(first), weeks[:2], judge.LEAST),
    )
    later = [each for each in generations if each.number == 0 or draw.random() < 0.9]
    judge.publish(later, weeks)
    kept = {cohort: size for (cohort, week), (size, _) in published[1].items() if cohort == week}
    assert judge.shared() == (
        published[0] | _expected_generations(later, weeks[2:], judge.LEAST),
        published[1] | retention_of(_weeks_of(later), weeks[2:], judge.LEAST, kept),
    )


# the file


def test_the_shared_file_holds_what_is_shared_and_nothing_else(built: Warehouse, tmp_path: Path) -> None:
    target = tmp_path / "for others" / "shared.duckdb"
    said = command(built, "share", "--to", str(target))
    if built.engine == "postgres":
        assert said.code == 2
        assert "the role reporter reads the schema warehouse_share and nothing else" in said.err
        return
    assert (said.code, said.err) == (0, "")
    keys = [row[0] for row in built.query(f"select distinct user_key from {SCHEMA}_marts.fct_generations")]
    with duckdb.connect(str(target), read_only=True) as reader:
        tables = reader.execute("select schema_name, table_name, comment from duckdb_tables() order by all").fetchall()
        assert [table[:2] for table in tables] == [(f"{SCHEMA}_share", name) for name in _SHARED]
        assert all(comment.startswith("For people outside.") for *_, comment in tables)
        columns = reader.execute("select comment from duckdb_columns() where not internal").fetchall()
        assert all(comment for (comment,) in columns)
        for name in _SHARED:
            everything = f"select * from {SCHEMA}_share.{name} order by all"
            assert reader.execute(everything).fetchall() == built.query(everything)
    content = target.read_bytes()
    assert keys
    assert not [key for key in keys if key and (key.bytes in content or str(key).encode() in content)]
    assert [path.name for path in target.parent.iterdir()] == ["shared.duckdb"]


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ("user_key bigint", "user_key (bigint)"),
        ("who uuid", "who (uuid)"),
        ("people uuid[]", "people (uuid[])"),
        ("job_id text", "job_id (varchar)"),
        ("generation_id text", "generation_id (varchar)"),
        ("error_signature text", "error_signature (varchar)"),
        ("Session_ID text", "Session_ID (varchar)"),
        ("account_key text", "account_key (varchar)"),
    ],
)
def test_a_column_that_may_tell_of_one_user_is_refused(
    on_duckdb: Warehouse, tmp_path: Path, column: str, named: str
) -> None:
    target = tmp_path / "shared.duckdb"
    on_duckdb.execute(f"create table {SCHEMA}_share.more (activity_week date, {column})")
    try:
        said = command(on_duckdb, "share", "--to", str(target))
    finally:
        on_duckdb.execute(f"drop table {SCHEMA}_share.more")
    assert said.code == 2
    assert f"Nothing was copied: more.{named} may tell of a single user" in said.err
    assert list(tmp_path.iterdir()) == []


def test_make_share_is_the_command() -> None:
    assert "python -m warehouse share $(SHARE_ARGS)" in (ROOT / "Makefile").read_text()
