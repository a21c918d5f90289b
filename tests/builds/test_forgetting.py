"""What is kept for how long: single generations, users, whom an incident hit; and where it is longer, that is seen."""

import datetime as dt

import pytest

from factory import ENGINES, NewWarehouse
from logs import sound_row, user
from warehouses import SCHEMA, Row, Warehouse, assert_equal_marts

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
