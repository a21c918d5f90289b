"""Quantiles from duration_histogram are within 1 % of the exact ones, on both engines."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from factory import ENGINES, Factory, examples
from logs import simulated_rows, sound_row
from warehouses import Row, Warehouse

_A_DAY = 86_400_000
_SHARES = (0.5, 0.95, 0.99)
_DURATIONS = st.integers(0, _A_DAY) | st.integers(0, 30_000) | st.sampled_from([0, 1, 2, 3, 1_000, _A_DAY - 1, _A_DAY])
_SAMPLES = st.lists(st.lists(_DURATIONS, min_size=1, max_size=40), min_size=20, max_size=30)
_ODD_SAMPLES = [
    [0],
    [1],
    [_A_DAY],
    [0, 0, 0],
    [0, _A_DAY],
    [7_000] * 25,
    [0] * 19 + [_A_DAY],
    list(range(101)),
    list(range(1, 400_000, 997)),
    [round(1.02**step) for step in range(900)],
]


def _rows_of(samples: list[list[int]]) -> list[Row]:
    """Each sample is a style of its own, spread over five days and two difficulties."""
    rows = []
    for place, sample in enumerate(samples):
        for duration in sample:
            number = len(rows)
            changes = {"style": f"sample {place}", "duration_ms": duration, "difficulty": 1 + number % 2}
            rows.append(sound_row(number, created_at=f"2026-03-{2 + number % 5:02} 12:00:00", **changes))
    return rows


def _percentiles_by_style(warehouse: Warehouse, rows: list[Row]) -> dict[str, tuple]:
    """What the analysis says of a log."""
    warehouse.load(rows)
    warehouse.run(select="+duration_histogram +daily_engagement")
    warehouse.run("compile", select="duration_percentiles_by_style")
    folder = Path(warehouse.target_path) / "compiled" / "generation_warehouse" / "analyses"
    found = warehouse.query((folder / "duration_percentiles_by_style.sql").read_text())
    return {style: (count, *quantiles) for style, count, *quantiles in found}


def _assert_within_one_percent(found: dict[str, tuple], samples: dict[str, list[int]]) -> None:
    assert found.keys() == samples.keys()
    for style, sample in samples.items():
        count, *quantiles = found[style]
        assert count == len(sample)
        exact = np.percentile(sample, [100 * share for share in _SHARES], method="linear")
        for share, quantile, expected in zip(_SHARES, quantiles, exact, strict=True):
            assert quantile == pytest.approx(expected, rel=0.01 + 1e-9, abs=1e-9), f"{style}: {share} of {sample}"


@pytest.mark.parametrize("engine", ENGINES)
@settings(
    max_examples=examples(2),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(samples=_SAMPLES)
def test_quantiles_of_any_durations_are_within_one_percent(
    factory: Factory, engine: str, samples: list[list[int]]
) -> None:
    samples = _ODD_SAMPLES + samples
    warehouse = factory(engine)
    try:
        found = _percentiles_by_style(warehouse, _rows_of(samples))
        _assert_within_one_percent(found, {f"sample {place}": sample for place, sample in enumerate(samples)})
    finally:
        factory.close(warehouse)


@pytest.mark.mainly_on("duckdb")
@pytest.mark.parametrize("engine", ENGINES)
def test_quantiles_of_a_simulated_log_are_within_one_percent(factory: Factory, engine: str) -> None:
    rows = simulated_rows(4_000, 40, seed=21, incidents=1)
    samples: dict[str, list[int]] = {}
    for row in rows:
        if row["success"] and row["duration_ms"] is not None:
            samples.setdefault(row["style"].lower(), []).append(row["duration_ms"])
    warehouse = factory(engine)
    try:
        _assert_within_one_percent(_percentiles_by_style(warehouse, rows), samples)
    finally:
        factory.close(warehouse)


def test_the_bound_is_tight_enough_to_notice_a_wrong_bucket() -> None:
    """One bucket off is 2 % off: more than the tests above let pass."""
    gamma = 1.01 / 0.99
    with pytest.raises(AssertionError):
        _assert_within_one_percent({"a": (1, *[2 * gamma**36 / (gamma + 1)] * 3)}, {"a": [2]})
