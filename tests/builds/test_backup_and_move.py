"""DuckDB in production: a copy of the file that is checked, and the way to PostgreSQL, which takes history along."""

import datetime as dt
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from factory import NewWarehouse
from logs import sound_row, user
from warehouse.__main__ import main
from warehouses import SCHEMA, Row, Warehouse, assert_equal_marts, by_grain

_FIRST = dt.date(2026, 3, 2)
_KEPT = {"log_retention_days": 6}


def _rows_of(*days: int) -> list[Row]:
    return [
        sound_row(
            day * 100 + place, user_id=user(place), created_at=f"{_FIRST + dt.timedelta(days=day)} 08:{place}0:00"
        )
        for day in days
        for place in range(5)
    ]


def _use(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    warehouse.disconnect()
    monkeypatch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
    monkeypatch.setenv("DBT_TARGET_PATH", str(warehouse.folder / "target_of_commands"))
    for name, value in (warehouse.environment() | settings).items():
        monkeypatch.setenv(name, value)


def test_a_backup_is_a_database_of_the_same_rows(
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    duckdb_warehouse.load(_rows_of(0, 1, 2))
    duckdb_warehouse.run()
    marts = duckdb_warehouse.marts()
    _use(duckdb_warehouse, monkeypatch)
    assert main(["backup", "--to", str(tmp_path / "copies")]) == 0
    (copy,) = (tmp_path / "copies").iterdir()
    said = capsys.readouterr().out
    assert str(copy) in said
    with duckdb.connect(str(copy), read_only=True) as connection:
        tables = connection.execute("select count(*) from duckdb_tables()").fetchone()[0]
        assert f"{tables} tables" in said
    # it takes the place of a file that is lost
    duckdb_warehouse.close()
    copy.rename(duckdb_warehouse.database)
    assert_equal_marts(marts, duckdb_warehouse.marts())
    duckdb_warehouse.load(_rows_of(0, 1, 2, 3))
    duckdb_warehouse.run()
    assert len(duckdb_warehouse.mart("fct_generations")) == 20


def test_a_backup_waits_for_a_run_and_says_so_when_it_waits_in_vain(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Another process has the file, as a run does."""
    duckdb_warehouse.load(_rows_of(0))
    duckdb_warehouse.run()
    _use(duckdb_warehouse, monkeypatch)
    script = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(4)"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(duckdb_warehouse.database)], stdout=subprocess.PIPE, text=True
    )
    holder.stdout.readline()
    assert main(["backup", "--to", str(tmp_path), "--wait", "0.5"]) == 2
    assert "Another process still has the database file after 0.5 seconds" in capsys.readouterr().err
    assert list(tmp_path.glob("*.duckdb*")) == []
    began = time.monotonic()
    waiting = threading.Thread(target=holder.wait)
    waiting.start()
    assert main(["backup", "--to", str(tmp_path), "--wait", "60"]) == 0
    assert time.monotonic() - began > 1
    waiting.join()


def test_a_move_takes_history_and_keys_along_and_later_runs_there_go_on(
    new_warehouse: NewWarehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The log has forgotten its first days, and the warehouse the single generations of some more."""
    here, there, undisturbed = new_warehouse("duckdb"), new_warehouse("postgres"), new_warehouse("duckdb")
    for warehouse in (here, undisturbed):
        if warehouse is undisturbed:
            warehouse.salt = here.salt
        for days in (range(10), range(5, 12)):
            warehouse.load(_rows_of(*days))
            warehouse.run(variables=_KEPT)
            here.disconnect()
    here.run(selector="alerts")
    judged = by_grain("alert_evaluations", here.mart("alert_evaluations"))
    assert judged
    # a text of DuckDB may hold what one of PostgreSQL cannot
    shared = "(date '2026-02-23', 'an' || chr(0) || 'ime', '(all)', 12, 40, 2.5, timestamp '2026-03-06 03:00:00')"
    here.execute(f"insert into {SCHEMA}_share.weekly_generations values {shared}")
    published = here.mart("weekly_generations")
    assert published
    here.disconnect()
    later = _rows_of(*range(6, 14))
    there.load(later, typed=True)
    _use(there, monkeypatch, **{name: here.environment()[name] for name in ("WAREHOUSE_DUCKDB", "GENERATION_LOGS")})
    assert main(["move"]) == 0, capsys.readouterr().err
    assert there.salt == here.salt
    assert_equal_marts(here.marts(), there.marts())
    assert by_grain("alert_evaluations", there.mart("alert_evaluations")) == judged
    # what was published is not published a second time
    assert "an\0ime" in {row["style"] for row in published}
    as_postgres_holds_it = [
        row | {"style": row["style"].replace("\0", "\N{REPLACEMENT CHARACTER}")} for row in published
    ]
    assert there.mart("weekly_generations") == as_postgres_holds_it
    # the next run there builds what its log holds, and keeps the rest
    undisturbed.load(later)
    undisturbed.run(variables=_KEPT)
    there.run(variables=_KEPT)
    assert_equal_marts(undisturbed.marts(), there.marts())
    first = min(row["first_generation_at"] for row in there.mart("dim_users"))
    assert first.date() == _FIRST
    # once is enough
    assert main(["move"]) == 2
    assert "There is a warehouse already" in capsys.readouterr().err
    assert not there.query(
        f"select 1 from information_schema.tables where table_schema = '{SCHEMA}_internal' and table_name = 'no_log'"
    )
