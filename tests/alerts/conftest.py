"""What the tests of the alerts share."""

from collections.abc import Callable, Iterator

import pytest

from factory import ENGINES, Factory
from logs import sound_row
from receiver import Receiver, receiving
from scene import TABLES, Scene
from warehouses import Warehouse


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


def with_tables(warehouse: Warehouse) -> Warehouse:
    """The tables that the project makes when a run starts, and those of the models made by hand."""
    warehouse.load([sound_row(1)])
    warehouse.run(select="path:models/state path:seeds alert_notifications")
    for table, columns in TABLES.items():
        warehouse.execute(f"drop table if exists {table}")
        warehouse.execute(f"create table {table} ({', '.join(f'{name} {type_}' for name, type_ in columns.items())})")
    return warehouse


@pytest.fixture(scope="session")
def prepared(factory: Factory) -> Iterator[Callable[[str], Warehouse]]:
    """Such a warehouse on each engine, for all tests of the alerts that this process runs."""
    made: dict[str, Warehouse] = {}

    def of(engine: str) -> Warehouse:
        if engine not in made:
            made[engine] = with_tables(factory(engine))
        return made[engine]

    yield of
    for warehouse in made.values():
        factory.close(warehouse)


@pytest.fixture
def duckdb_scene(
    prepared: Callable[[str], Warehouse], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """On DuckDB alone: for what does not depend on the engine."""
    receiver.forget()
    yield Scene(prepared("duckdb"), receiver, monkeypatch)
    receiver.delay_seconds = 0


@pytest.fixture(params=ENGINES)
def scene(
    request: pytest.FixtureRequest,
    prepared: Callable[[str], Warehouse],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    receiver.forget()
    yield Scene(prepared(request.param), receiver, monkeypatch)
    receiver.delay_seconds = 0
