"""A warehouse that an older release has left is brought up by its next run, without losing a day; one that a newer
release has left is refused.

tests/support/release_1 holds a log and what release 1 made of it on each engine: a daily and an hourly run with a
retention of six days, so that the older half of the days is in the aggregates alone."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from factory import ENGINES, NewWarehouse, examples
from faults import Run, Statement, killed_before, watched
from project import JOURNALS
from warehouse.alerts.refresh import refresh
from warehouse.database import Database
from warehouses import SCHEMA, Marts, Warehouse, assert_equal_marts, by_grain

_FOLDER = Path(__file__).resolve().parent.parent / "support" / "release_1"
_LOG = [json.loads(line) for line in (_FOLDER / "log.jsonl").read_text().splitlines()]
# A release that folded no separators has left names that no list has; here all are kept.
_RETENTION = {"log_retention_days": 6, "share_min_users": 0}
# After the upgrade: the log has lost nine days and half of the tenth; a late row, a new one, and a newer version.
_CUT = "2026-03-11 12:00:00"
_FIRST_WHOLE_DAY = "2026-03-12"
_LATER = [
    *(row for row in _LOG if not row["created_at"] or row["created_at"] >= _CUT),
    _LOG[0] | {"id": "6f1c3f0e-0000-4000-8000-000000001001", "created_at": "2026-03-12 03:04:05"},
    _LOG[1] | {"id": "6f1c3f0e-0000-4000-8000-000000001002", "created_at": "2026-03-14 10:00:00"},
    _LOG[-4] | {"created_at": "2026-03-13 23:59:59", "style": "newer"},
]


def _old(warehouse: Warehouse) -> None:
    """Make the warehouse what release 1 has left."""
    sql = gzip.decompress((_FOLDER / f"{warehouse.engine}.sql.gz").read_bytes()).decode()
    warehouse.load(_LOG)
    if warehouse.engine == "postgres":
        sql = f"set check_function_bodies = off; {sql}; set check_function_bodies = on"
    warehouse.execute(sql)
    warehouse.load(_LATER)


def _known_to(base: Warehouse, marts: Marts) -> Marts:
    """Those that the older release had: a new mart begins where its fact does, so it has fewer days. A new column is
    null in the days that the log no longer holds whole."""
    had: dict[str, set[str]] = {}
    for name, column in base.query(
        "select table_name, column_name from information_schema.columns "
        f"where table_schema in ('{SCHEMA}_marts', '{SCHEMA}_intermediate')"
    ):
        had.setdefault(name, set()).add(column)
    known: Marts = {}
    for name in marts.keys() & had.keys():
        known[name] = {}
        for key, row in marts[name].items():
            if name == "dim_users":
                # The first of them is new, and the other is counted by spelling, of which older days have another.
                known[name][key] = {
                    column: row[column] for column in row if column not in ("first_style", "favourite_style")
                }
                continue
            times = [str(row[column]) for column in ("activity_date", "activity_hour", "window_start") if column in row]
            is_in_log = not times or times[0] >= _FIRST_WHOLE_DAY
            known[name][key] = {column: row[column] for column in row if is_in_log or column in had[name]}
    return known


def _in_todays_spelling(marts: Marts) -> Marts:
    """Days that the log no longer holds keep the styles of release 1, which told pixel_art from pixel art."""
    found: Marts = {}
    for name, rows in marts.items():
        found[name] = {}
        for key, row in rows.items():
            if row.get("style") == "pixel_art":
                assert str(row.get("activity_date") or row["activity_hour"]) < _FIRST_WHOLE_DAY
                key = tuple("pixel art" if part == "pixel_art" else part for part in key)  # noqa: PLW2901
                row = row | {"style": "pixel art"}  # noqa: PLW2901
            assert key not in found[name]
            found[name][key] = row
    return found


def _undisturbed(warehouse: Warehouse, salt: str) -> Marts:
    """The same two logs, built by this release alone."""
    warehouse.salt = salt
    warehouse.load(_LOG)
    warehouse.run(variables=_RETENTION)
    warehouse.load(_LATER)
    warehouse.run(variables=_RETENTION)
    return warehouse.marts()


@pytest.fixture(scope="module", params=ENGINES)
def old(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> tuple[Warehouse, Warehouse, Marts]:
    """What release 1 has left, a place to try, and what the marts should be."""
    base, victim, scratch = (module_warehouse(request.param) for _ in range(3))
    _old(base)
    return base, victim, _known_to(base, _undisturbed(scratch, base.salt))


Old = tuple[Warehouse, Warehouse, Marts]


@pytest.mark.parametrize(
    "kind",
    [
        "hourly",
        pytest.param("daily", marks=pytest.mark.mainly_on("postgres")),
        pytest.param("backfill", marks=pytest.mark.mainly_on("postgres")),
    ],
)
def test_an_older_warehouse_is_brought_up_by_its_next_run_without_losing_a_day(old: Old, kind: str) -> None:
    base, victim, expected = old
    victim.become(base)
    salt, judged = victim.salt, {name: by_grain(name, victim.mart(name)) for name in JOURNALS}
    journal = _rows(victim, f"{SCHEMA}_internal.replacements")
    if kind == "hourly":
        victim.run(selector="hourly", variables=_RETENTION)
        victim.run(select="tag:daily", variables=_RETENTION)
    else:
        victim.run(variables=_RETENTION | ({"backfill_from": "2026-03-01"} if kind == "backfill" else {}))
    assert_equal_marts(_in_todays_spelling(_known_to(base, victim.marts(expected))), expected)
    assert victim.salt == salt
    assert {name: by_grain(name, victim.mart(name)) for name in JOURNALS} == judged
    assert set(journal) <= set(_rows(victim, f"{SCHEMA}_internal.replacements"))
    days = dict(victim.query(f"select cast(activity_date as text), row_count from {SCHEMA}_internal.days"))
    # every day of the log has its row, also those of which the aggregates alone are left
    assert sorted(days) == [f"2026-03-{day:02}" for day in range(2, 15)]
    assert "read_days" not in {name for _, name, _ in victim.relations()}
    # and it is known from now on what the days were like
    said = victim.run(selector="hourly", variables=_RETENTION).said
    assert "no day was rebuilt" in said


@pytest.mark.parametrize("way", ["dbt", "command"])
def test_the_alerts_of_an_older_warehouse_go_on(old: Old, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base, victim, _ = old
    victim.become(base)
    judged = {name: by_grain(name, victim.mart(name)) for name in JOURNALS}
    if way == "dbt":
        victim.run(selector="alerts", tests=True)
    else:
        victim.disconnect()
        monkeypatch.setenv("DBT_PROFILES_DIR", str(victim.profiles))
        monkeypatch.setenv("DBT_TARGET_PATH", str(victim.target_path))
        for name, value in victim.environment().items():
            monkeypatch.setenv(name, value)
        refresh(Database(60), None)
    after = {name: by_grain(name, victim.mart(name)) for name in JOURNALS}
    # what was judged says what it said; the older release knew of no evidence
    columns = next(iter(judged["alert_evaluations"].values())).keys()
    known = {
        key: {name: row[name] for name in columns}
        for key, row in after["alert_evaluations"].items()
        if row["minimum_evidence"] is None
    }
    assert known == judged["alert_evaluations"]
    # whose failures the older release did not count
    counts = {
        row["incident_key"]: (row["affected_failure_count"], row["costed_failure_count"])
        for row in after["incidents"].values()
    }
    assert {counts[row["incident_key"]] for row in judged["incidents"].values()} <= {(None, None)}
    assert max(row["window_end"] for row in after["alert_evaluations"].values()) > max(
        row["window_end"] for row in judged["alert_evaluations"].values()
    )
    assert _rows(victim, f"{SCHEMA}_marts.alert_notifications") == _rows(base, f"{SCHEMA}_marts.alert_notifications")


@pytest.mark.mainly_on("postgres")
def test_an_upgrade_killed_half_way_is_finished_by_the_next_run(old: Old) -> None:
    base, victim, expected = old
    victim.become(base)
    statements: list[Statement] = []
    with watched(statements.append):
        victim.run(variables=_RETENTION)
    permanent = [each.number + 1 for each in statements if each.is_done and each.is_commit]
    random = Random(11)
    # the upgrade itself comes first in a run
    for number in [permanent[1], *random.sample(permanent[: len(permanent) // 2], max(1, examples(1)))]:
        victim.become(base)
        assert Run(victim, killed_before(number), variables=_RETENTION).wait() is None, "the run came to its end"
        victim.run(variables=_RETENTION)
        try:
            assert_equal_marts(_in_todays_spelling(_known_to(base, victim.marts(expected))), expected)
        except AssertionError as error:
            raise AssertionError(f"killed before statement {number}:\n{error}") from None


def test_a_warehouse_of_a_newer_release_is_refused_before_anything_is_touched(
    new_warehouse: Callable[..., Warehouse],
) -> None:
    for engine in ENGINES:
        warehouse = new_warehouse(engine)
        warehouse.load(_LOG)
        warehouse.run()
        before = warehouse.marts()
        warehouse.execute(f"update {SCHEMA}_internal.release set format = 1000")
        warehouse.load(_LATER)
        for command in ("build", "run", "seed", "test"):
            refused = warehouse.attempt(command)
            assert not refused.success
            assert "written by a newer release of the warehouse (its format is 1000" in refused.text
        assert_equal_marts(warehouse.marts(), before)


def _rows(warehouse: Warehouse, table: str) -> list[tuple]:
    return sorted(warehouse.query(f"select * from {table}"), key=repr)


def test_a_selection_that_reads_what_is_not_there_is_refused_and_says_what_to_select(
    duckdb_warehouse: Warehouse,
) -> None:
    duckdb_warehouse.load(_LOG)
    refused = duckdb_warehouse.attempt(select="fct_generations")
    assert not refused.success
    assert "read what is not there yet" in refused.text
    assert "path:models/state path:seeds" in refused.text
    assert not [name for schema, name, _ in duckdb_warehouse.relations() if schema == f"{SCHEMA}_marts"]
