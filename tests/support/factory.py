"""What the tests make warehouses with."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouses import Dbt, DuckdbWarehouse, PostgresWarehouse, Warehouse

ENGINES = ("duckdb", "postgres")

NewWarehouse = Callable[..., Warehouse]


def examples(count: int) -> int:
    """How many random logs to try where `count` is the usual number."""
    return max(1, round(count * float(os.environ.get("WAREHOUSE_TEST_EXAMPLES", "1"))))


class Factory:
    """Makes warehouses and gives their names back when they are closed."""

    def __init__(self, dbt: Dbt, paths: pytest.TempPathFactory, request: pytest.FixtureRequest) -> None:
        """Remember where to make them."""
        self._dbt = dbt
        self._paths = paths
        self._request = request
        self._open: dict[str, Warehouse] = {}

    def __call__(self, engine: str) -> Warehouse:
        """A new, empty warehouse."""
        place = next(number for number in range(1000) if f"{engine}_{number}" not in self._open)
        name = f"{engine}_{place}"
        folder: Path = self._paths.mktemp(name)
        if engine == "duckdb":
            warehouse = DuckdbWarehouse(self._dbt, folder, name)
        else:
            warehouse = PostgresWarehouse(self._dbt, folder, name, self._request.getfixturevalue("postgres_server"))
        self._open[name] = warehouse
        return warehouse

    def close(self, warehouse: Warehouse) -> None:
        """Drop a warehouse; the next one takes over its name."""
        warehouse.close()
        del self._open[warehouse.name]
