"""What the tests share: dbt, a PostgreSQL server, and warehouses to build.

WAREHOUSE_TEST_PG_URL points the tests at an existing PostgreSQL server whose user may create databases and roles;
WAREHOUSE_TEST_PG_BIN names the bin folder of an installation to start a server from, instead of the package's own.
WAREHOUSE_TEST_CHROMIUM names the browser that opens pages, where it is neither chromium nor google-chrome.
WAREHOUSE_TEST_EXAMPLES multiplies the number of random logs.
"""

from collections.abc import Iterator

import pytest

from factory import ENGINES, Factory, NewWarehouse
from postgres_server import PostgresServer, running_server
from warehouses import Dbt, Warehouse

# A module is one process's: those that take minutes begin first, so that none is left over at the end.
_LONG_MODULES = (
    "test_faults",
    "test_erasure",
    "test_stories",
    "test_days_that_change",
    "test_oracle",
    "test_alert_rules",
    "test_beside_a_live_application",
    "test_schedules",
    "test_replay",
    "test_running_page",
    "test_bad_input",
    "test_parts_of_a_run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules that take long first, and leave to `make thorough` what it is for."""
    places = {name: place for place, name in enumerate(_LONG_MODULES)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    for item in items:
        mainly_on = item.get_closest_marker("mainly_on")
        if mainly_on and _engines_of(item) - {*mainly_on.args}:
            item.add_marker("thorough")


def _engines_of(item: pytest.Item) -> set[str]:
    """The engine for which a test is tried, if there is one."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {engine for engine in ENGINES if engine in parameters}


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """One dbt for all tests: starting it costs more than most builds."""
    return Dbt(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def factory(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Factory:
    """Makes warehouses for the fixtures below."""
    return Factory(dbt, tmp_path_factory, request)


def _new_warehouse(factory: Factory) -> Iterator[NewWarehouse]:
    made = []

    def new(engine: str) -> Warehouse:
        made.append(factory(engine))
        return made[-1]

    yield new
    for warehouse in made:
        factory.close(warehouse)


@pytest.fixture
def new_warehouse(factory: Factory) -> Iterator[NewWarehouse]:
    """Makes warehouses that are dropped after the test: new_warehouse("duckdb")."""
    yield from _new_warehouse(factory)


@pytest.fixture(scope="module")
def module_warehouse(factory: Factory) -> Iterator[NewWarehouse]:
    """The same for warehouses that the tests of a module share."""
    yield from _new_warehouse(factory)


@pytest.fixture(params=ENGINES)
def warehouse(request: pytest.FixtureRequest, new_warehouse: NewWarehouse) -> Warehouse:
    """An empty warehouse, on each engine in turn."""
    return new_warehouse(request.param)


@pytest.fixture
def duckdb_warehouse(new_warehouse: NewWarehouse) -> Warehouse:
    """An empty warehouse on DuckDB alone: for what does not depend on the engine, or is compared elsewhere."""
    return new_warehouse("duckdb")
