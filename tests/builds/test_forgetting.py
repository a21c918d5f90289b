"""What is kept for how long: single generations, users, whom an incident hit; and where it is longer, that is seen."""

import datetime as dt
from random import Random

import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row, user
from warehouses import SCHEMA, Row, Warehouse, assert_equal_marts

pytestmark = pytest.mark.mainly_on("postgres")

_FIRST = dt.date(2026, 3, 2)
_SALT = "one salt for all warehouses"
_SHORT = {"log_retention_days": 6, "user_memory_days": 20, "share_min_users": 2}
_LONG = _SHORT | {"user_memory_days": 3650}
# On which days each user comes: always, then never again, rarely but in time, and back when long forgotten.
_DAYS = {
    0: range(0, 60),
    1: range(0, 4),
    2: range(0, 4),
    3: range(0, 60, 19),
    4: (0, 1, 45),
    5: range(2, 9),
    6: range(30, 60, 5),
    7: (31, 33),
}


def _day(number: int) -> dt.date:
    return _FIRST + dt.timedelta(days=number)


def _rows_of(days: range) -> list[Row]:
    return [
        sound_row(day * 100 + number, user_id=user(number), created_at=f"{_day(day)} 08:{number:02}:00")
        for day in days
        for number, of_user in _DAYS.items()
        if day in of_user
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_who_is_not_seen_for_long_is_forgotten_and_all_else_stays_exact(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    forgetful, lasting = new_warehouse(engine), new_warehouse(engine)
    for warehouse in (forgetful, lasting):
        warehouse.salt = _SALT
    for newest in (3, 12, 20, 28, 36, 44, 52, 59):
        forgetful.load(_rows_of(range(max(0, newest - 9), newest + 1)))
        forgetful.run(variables=_SHORT)
    lasting.load(_rows_of(range(60)))
    lasting.run(variables=_LONG)
    keys = {number: forgetful.user_key(user(number), _SALT) for number in _DAYS}
    # a run forgets at its end, and the next one makes the tables of it
    known = {number for number, key in keys.items() if key in {row["user_key"] for row in forgetful.mart("dim_users")}}
    assert known == {0, 3, 4, 6, 7}
    days = {row["user_key"] for row in forgetful.mart("int_user_days")}
    assert days == {keys[number] for number in known - {7}}
    # who was never away for that long has all of their sums; who was is a new user
    kept = {row["user_key"]: row for row in forgetful.mart("dim_users")}
    whole = {row["user_key"]: row for row in lasting.mart("dim_users")}
    assert len(whole) == len(_DAYS)
    changing = ("value_tier",)
    for number in (0, 3, 6, 7):
        mine, theirs = (
            {name: row[name] for name in row if name not in changing}
            for row in (kept[keys[number]], whole[keys[number]])
        )
        assert mine == theirs, number
    assert (kept[keys[4]]["generation_count"], whole[keys[4]]["generation_count"]) == (1, 3)
    new_users = {row["activity_hour"]: row["new_users"] for row in forgetful.mart("hourly_engagement")}
    assert new_users[dt.datetime.combine(_day(45), dt.time(8))] == 1
    # cohorts of the time that is remembered are those of a warehouse that forgets nobody
    horizon = _day(59) - dt.timedelta(days=20)
    marts, others = forgetful.marts(), lasting.marts()
    remembered = {key: row for key, row in marts["user_retention"].items() if key[1] >= horizon}
    others_remembered = {key: row for key, row in others["user_retention"].items() if key[1] >= horizon}
    day_45 = {key for key in remembered if key[0] == "day" and key[1] == _day(45)}
    assert day_45
    assert {key for key in others_remembered if key[0] == "day" and key[1] == _day(45)} == set()
    monday = _day(42)
    assert {key: row for key, row in remembered.items() if key[1] not in (_day(45), monday)} == {
        key: row for key, row in others_remembered.items() if key[1] != monday
    }
    # older ones stay as they were, and say their real size; those of one user are gone
    old = {key[1]: row for key, row in marts["user_retention"].items() if key[0] == "day" and key[2] == 0}
    assert old[_day(0)]["cohort_size"] == others["user_retention"]["day", _day(0), 0]["cohort_size"] == 5
    assert _day(2) not in old
    assert others["user_retention"]["day", _day(2), 0]["cohort_size"] == 1
    # all that is of days is the same
    of_days = ("style_performance", "hourly_costs", "duration_histogram", "error_analysis", "fct_generations")
    assert_equal_marts({name: marts[name] for name in of_days}, {name: others[name] for name in of_days})
    forgetful.run(selector="daily", variables=_SHORT, tests=True)


def test_the_first_day_of_the_retention_and_of_the_memory_is_kept(duckdb_warehouse: Warehouse) -> None:
    """And not the day before: of ten days, a user each."""
    duckdb_warehouse.load([sound_row(day, user_id=user(day), created_at=f"{_day(day)} 08:00:00") for day in range(10)])
    duckdb_warehouse.run(variables={"log_retention_days": 5, "user_memory_days": 8})
    kept = {row["activity_date"] for row in duckdb_warehouse.mart("fct_generations")}
    assert kept == {_day(day) for day in range(5, 10)}
    remembered = {row["activity_date"] for row in duckdb_warehouse.mart("int_user_days")}
    assert remembered == {_day(day) for day in range(1, 10)}


@pytest.mark.parametrize("engine", ENGINES)
def test_no_single_row_is_kept_longer_than_the_retention_and_it_is_seen_where_one_is(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load(_rows_of(range(30)))
    warehouse.run(variables=_SHORT, exclude="tag:firing")
    incident_users, incidents = f"{SCHEMA}_intermediate.int_incident_users", f"{SCHEMA}_marts.incidents"
    for key, resolved in {"long over": _day(20), "just over": _day(29), "open": None}.items():
        resolved_at = f"timestamp '{resolved}'" if resolved else "null"
        _insert_incident(warehouse, incidents, key, resolved_at)
        warehouse.execute(
            f"insert into {incident_users} (incident_key, counted_until, user_key, generation_count, lost_cost_usd) "
            f"values ('{key}', timestamp '{_day(19)}', '{warehouse.user_key(user(0))}', 1, 0)"
        )
    warehouse.load(_rows_of(range(22, 31)))
    warehouse.run(variables=_SHORT)
    assert {row["incident_key"] for row in warehouse.mart("int_incident_users")} == {"just over", "open"}
    for name in ("fct_generations", "generation_log_issues", "int_log_rows"):
        assert all(row["activity_date"] >= _day(25) for row in warehouse.mart(name)), name
    assert warehouse.mart("warehouse_clock")[0]["retention_lag_days"] == 0
    # a schedule that leaves out a table never trims
    warehouse.load(_rows_of(range(26, 36)))
    warehouse.run(variables=_SHORT, exclude="tag:alerts cost_by_difficulty")
    assert warehouse.mart("warehouse_clock")[0]["retention_lag_days"] == 5
    seen = warehouse.attempt("test", select="warehouse_clock", variables=_SHORT)
    assert "no_single_generation_is_kept_longer_than_the_retention" in seen.text
    assert not seen.success
    warehouse.run(variables=_SHORT)
    assert warehouse.mart("warehouse_clock")[0]["retention_lag_days"] == 0
    warehouse.run("test", select="warehouse_clock", variables=_SHORT)


def _insert_incident(warehouse: Warehouse, incidents: str, key: str, resolved_at: str) -> None:
    at = f"timestamp '{_day(19)}'"
    warehouse.execute(
        f"insert into {incidents} (incident_key, rule_name, severity, metric, threshold, comparison, first_firing_at, "
        "opened_at, last_firing_at, resolved_at, resolution, duration_minutes, worst_value, affected_generation_count, "
        "affected_users, lost_cost_usd) values "
        f"('{key}', 'rule', 'page', 'failure_rate', 0.1, '>', {at}, {at}, {at}, {resolved_at}, "
        f"{'null' if resolved_at == 'null' else chr(39) + 'ok' + chr(39)}, 5, 0.2, 1, 1, 0)"
    )


_ENOUGH = {"log_retention_days": 6, "share_min_users": 3}
_LAMP = "The lamp of Jane Doe"
_NAMED = (
    "style_performance",
    "style_difficulty_performance",
    "wish_outcomes",
    "response_times",
    "duration_histogram",
    "error_analysis",
)


def _named_rows(random: Random) -> list[Row]:
    """Twenty days: a style of everybody, one of one person, one that few share now and then; texts of errors alike."""
    rows = []
    for number in range(600):
        day, person = number // 30, random.randrange(12)
        changes = {
            "user_id": user(person) if number % 50 else None,
            "created_at": f"{_day(day)} {random.randrange(24):02}:{random.randrange(60):02}:00",
            "style": random.choice(["Anime", "anime", "oil on silk" if random.random() < 0.25 else "anime"]),
        }
        if person in (7, 8) and random.random() < 0.5:
            changes["style"] = "Portrait of Jane Doe"
        if number % 4 == 0:
            message = random.choice(["Request timed out.", _LAMP if person in (7, 8) else "A strange thing"])
            rows.append(failed_row(number, message, **changes))
        else:
            rows.append(sound_row(number, **changes))
    return rows


def _expected_counts(rows: list[Row], column: str, other: str) -> dict[tuple[dt.date, str], int]:
    """Generations by day and name, the name under which they are kept."""
    named = [
        (dt.date.fromisoformat(row["created_at"][:10]), row["user_id"], " ".join(str(row[column]).lower().split()))
        for row in rows
    ]
    counts: dict[tuple[dt.date, str], int] = {}
    for day, _, name in named:
        users = {
            person
            for other_day, person, same in named
            if same == name and person and 0 <= (other_day - day).days < _ENOUGH["log_retention_days"]
        }
        is_common = day >= _day(19 - 5) or len(users) >= _ENOUGH["share_min_users"]
        key = (day, name if is_common else other)
        counts[key] = counts.get(key, 0) + 1
    return counts


@pytest.mark.parametrize("engine", ENGINES)
def test_a_name_that_too_few_users_share_is_not_kept_beyond_the_retention(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    by_days, at_once = new_warehouse(engine), new_warehouse(engine)
    rows = _named_rows(Random(5))
    for warehouse in (by_days, at_once):
        warehouse.salt = _SALT
    for newest in (6, 9, 13, 19):
        by_days.load([row for row in rows if str(_day(newest - 8)) <= row["created_at"] < str(_day(newest + 1))])
        by_days.run(variables=_ENOUGH, **({"selector": "hourly"} if newest == 9 else {}))
    at_once.load(rows)
    at_once.run(variables=_ENOUGH)
    counts = {
        (row["activity_date"], row["style"]): row["generation_count"] for row in at_once.mart("style_performance")
    }
    expected = _expected_counts(rows, "style", "(other)")
    assert counts == expected
    assert {name for _, name in counts} == {"anime", "oil on silk", "portrait of jane doe", "(other)"}
    assert {day for day, name in counts if name == "portrait of jane doe"} <= {_day(number) for number in range(14, 20)}
    assert len({day for day, name in counts if name == "oil on silk" and day < _day(14)}) > 2
    failed = [row for row in rows if row["error_message"] and "timed out" not in row["error_message"]]
    unknown = {
        (row["activity_date"], row["error_signature"].lower()): row["error_count"]
        for row in at_once.mart("error_analysis")
        if row["error_category"] == "unknown"
    }
    assert unknown == _expected_counts(failed, "error_message", "(rare)")
    assert any(name == "(rare)" for _, name in unknown)
    marts, others = by_days.marts(), at_once.marts()
    names = (*_NAMED, "dim_styles", "dim_users", "int_style_spellings", "int_user_days")
    assert_equal_marts({name: marts[name] for name in names}, {name: others[name] for name in names})
    # nowhere is it kept for longer, but in what is about to go
    assert "portrait of jane doe" not in {row["first_style"] for row in by_days.mart("dim_users")}
    for mart in ("int_user_days", "int_style_spellings"):
        for row in by_days.mart(mart):
            if row["activity_date"] < _day(14):
                assert "jane" not in " ".join(str(value).lower() for value in row.values()), mart
    # a run that finds nothing new makes nothing again
    said = by_days.run(selector="hourly", variables=_ENOUGH).said
    assert "no day was rebuilt" in said
    by_days.run(selector="daily", variables=_ENOUGH, tests=True)
