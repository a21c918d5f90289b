"""What somebody meets in the first hour: `make build` in few words, and questions by ./sql."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factory import NewWarehouse
from logs import sound_row
from project import ROOT
from warehouses import Warehouse


def _command(warehouse: Warehouse, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess:
    """python -m warehouse, as a person runs it."""
    warehouse.disconnect()
    settings = {
        "DBT_PROFILES_DIR": str(warehouse.profiles),
        "DBT_LOG_PATH": str(warehouse.folder / "logs"),
        "DBT_TARGET_PATH": str(warehouse.folder / "target_of_commands"),
    }
    return subprocess.run(
        [sys.executable, "-m", "warehouse", *arguments],
        cwd=ROOT,
        env=os.environ | settings | warehouse.environment(),
        capture_output=True,
        text=True,
        input=text,
        check=False,
    )


@pytest.fixture(scope="module")
def built(module_warehouse: NewWarehouse) -> tuple[Warehouse, subprocess.CompletedProcess]:
    """The same id on two days is warned of."""
    warehouse = module_warehouse("duckdb")
    rows = [sound_row(number, created_at=f"2026-03-0{2 + number} 10:00:00") for number in range(3)]
    warehouse.load([*rows, rows[0] | {"created_at": "2026-03-04 11:00:00"}])
    return warehouse, _command(warehouse, "build")


def test_a_build_makes_the_tables_and_checks_them_but_not_the_code(
    built: tuple[Warehouse, subprocess.CompletedProcess],
) -> None:
    warehouse, outcome = built
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    results = json.loads((warehouse.folder / "target_of_commands" / "run_results.json").read_text())["results"]
    kinds = {result["unique_id"].split(".")[0] for result in results}
    assert {"model", "seed", "test"} <= kinds
    assert "unit_test" not in kinds
    assert len(warehouse.mart("fct_generations")) == 4
    lines = outcome.stdout.splitlines()
    assert len(lines) < 50
    count = sum(result["unique_id"].split(".")[0] != "operation" for result in results)
    assert lines[-1].startswith(f"{count} of {count} tables, views and checks are done in ")
    assert lines[-1].endswith(", 1 warned.")
    (warning,) = (line for line in lines if line.startswith("WARN"))
    assert warning.startswith("WARN an_id_is_on_one_day_only: 1 row. The same id on two days is counted on both.")
    assert any(line.startswith("This run rebuilt the days from ") for line in lines)
    assert "\033" not in outcome.stdout


def test_a_build_that_fails_says_why_once_and_exits_with_the_code_of_dbt(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.load([sound_row(0, id="x")])
    outcome = _command(warehouse, "build")
    assert outcome.returncode == 1
    assert outcome.stdout.count("Of the rows that this run reads 1 of 1 cannot be counted") == 1
    assert "tables and checks were not made, as something that they need failed." in outcome.stdout
    assert "> called by" not in outcome.stdout
    warehouse.log = str(warehouse.folder / "nowhere.csv")
    outcome = _command(warehouse, "build")
    assert outcome.returncode == 2
    assert outcome.stdout.count("nowhere.csv") == 1


def test_what_follows_two_hyphens_is_passed_on_to_dbt(built: tuple[Warehouse, subprocess.CompletedProcess]) -> None:
    warehouse, _ = built
    outcome = _command(warehouse, "build", "--", "--select", "error_categories", "--vars", "strict: true")
    assert outcome.returncode == 0, outcome.stdout
    assert " tables, views and checks are done in " in outcome.stdout.splitlines()[-1]
    outcome = _command(warehouse, "build", "--", "--vars", "lookback_days: -1")
    assert outcome.returncode == 2
    assert "The variable lookback_days is -1" in outcome.stdout


@pytest.mark.mainly_on("duckdb")
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_question_is_answered_whole_and_changes_nothing(new_warehouse: NewWarehouse, engine: str) -> None:
    warehouse = new_warehouse(engine)
    unbuilt = _command(warehouse, "sql", "select 1")
    assert unbuilt.returncode == 2
    assert "The warehouse is not built yet" in unbuilt.stderr
    styles = [f"Style {number:03} \033[31m" for number in range(60)]
    warehouse.load([sound_row(number, style=style) for number, style in enumerate(styles)])
    warehouse.run()
    answer = _command(warehouse, "sql", "select style, generation_count, null as x from style_performance order by 1;")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0].split() == ["style", "generation_count", "x"]
    assert lines[2].split() == ["style", "000", "\\x1b[31m", "1"]
    assert lines[-1] == "(60 rows)"
    assert len(lines) == 63
    table = _command(
        warehouse, "sql", "--csv", "-", text="select avg_cost_usd, '50%' as x from style_performance limit 1"
    )
    assert table.stdout == "avg_cost_usd,x\n0.05066,50%\n"
    for question in ("delete from style_performance", "create table x as select 1"):
        refused = _command(warehouse, "sql", question)
        assert refused.returncode == 2
        assert "BROKEN: The database refused" in refused.stderr
    assert len(warehouse.mart("style_performance")) == 60


def test_without_a_profile_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "warehouse", "build"],
        cwd=ROOT,
        env=os.environ | {"DBT_PROFILES_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "copy profiles.example.yml to profiles.yml" in done.stderr
