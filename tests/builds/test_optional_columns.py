"""What some logs hold besides: scenes, sizes of photos, models and times of steps, from the row on where they begin."""

import json
from random import Random

import pyarrow.parquet as pq
import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, sound_row
from oracle import assert_as_defined
from warehouses import SCHEMA, PostgresWarehouse, Row, Warehouse, arrow_table

_MB = 1_048_576


def _rows() -> tuple[list[Row], list[Row]]:
    """Rows of a log that has no more than it must, and of the same log since it has more."""
    random = Random(6)
    before = [sound_row(number) for number in range(40)]
    scenes = ["A dragon in a castle", "My DOG at the beach", "two friends", "rain", "", "NULL", None]
    sizes = [0, _MB - 1, _MB, 5 * _MB, 10 * _MB - 1, 20 * _MB, 20 * _MB + 1, 10**11, -1, 10**12, "large", None]
    after = []
    for number in range(40, 240):
        make = failed_row if random.random() < 0.2 else sound_row
        timings = {step: random.randint(0, 9_000) for step in ("vision", "image", "storage") if random.random() < 0.8}
        odd = random.choice(
            ["soon", '{"vision":-1,"image":7}', '{"vision":"12","queue":5}', '"{\\"vision\\":3}"', None]
        )
        row = make(number, "Request timed out.") if make is failed_row else make(number)
        after.append(
            row
            | {
                "scene": random.choice(scenes),
                "photo_size": random.choice(sizes),
                "timings": json.dumps(timings) if random.random() < 0.8 else odd,
                "model": random.choice(["gpt-image-1", " GPT-Image-1 ", "dall-e-3", "", None]),
            }
        )
    return before, after


def _load(warehouse: Warehouse, before: list[Row], after: list[Row]) -> None:
    """Two files, of which the second has more columns; or one table that has got more."""
    if isinstance(warehouse, PostgresWarehouse):
        warehouse.load(before + after)
        return
    pq.write_table(arrow_table(before), warehouse.folder / "export_1.parquet")
    pq.write_table(arrow_table(after), warehouse.folder / "export_2.parquet")
    warehouse.log = str(warehouse.folder / "export_*.parquet")


@pytest.mark.mainly_on("duckdb")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_that_gains_columns_half_way_has_their_numbers_from_there_on(
    new_warehouse: NewWarehouse, engine: str
) -> None:
    before, after = _rows()
    warehouse = new_warehouse(engine)
    _load(warehouse, before, after)
    warehouse.run(tests=True)
    assert_as_defined(warehouse, before + after)
    counts = [len(warehouse.mart(name)) for name in ("scene_performance", "photo_size_performance", "step_times")]
    assert counts == [4, 5, 12]
    assert warehouse.query(
        f"select count(distinct model), count(*) filter (model is null) from {SCHEMA}_marts.fct_generations"
        if engine == "duckdb"
        else f"select count(distinct model), count(*) - count(model) from {SCHEMA}_marts.fct_generations"
    ) == [(2, 40 + sum((row["model"] or "").strip() == "" for row in after))]


@pytest.mark.mainly_on("postgres")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_that_lacks_them_has_empty_marts_and_no_warning(new_warehouse: NewWarehouse, engine: str) -> None:
    warehouse = new_warehouse(engine)
    warehouse.load([sound_row(number) for number in range(5)])
    outcome = warehouse.run(tests=True)
    assert "warn" not in outcome.statuses.values()
    for name in ("scene_performance", "photo_size_performance", "step_times"):
        assert warehouse.mart(name) == []
    assert warehouse.mart("generation_log_issues") == []


def test_no_scene_passes_staging(new_warehouse: NewWarehouse) -> None:
    """It is free text of a person: no table holds it."""
    before, after = _rows()
    secret = "zanzibar quokka"
    warehouse = new_warehouse("duckdb")
    _load(warehouse, before, [row | {"scene": secret} for row in after])
    warehouse.run()
    tables = warehouse.query("select schema_name || '.' || table_name from duckdb_tables()")
    assert len(tables) > 20
    for (table,) in tables:
        rows = warehouse.query(f"select count(*) from {table} as kept where cast(kept as varchar) ilike '%quokka%'")
        assert rows == [(0,)], table
