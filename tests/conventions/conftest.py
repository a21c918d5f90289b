"""What the tests of the conventions share. Each failure says which file breaks which, and how to put it right."""

from collections.abc import Iterator

import pytest

from conventions import Project
from factory import Factory
from warehouses import Warehouse


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, parsed once."""
    return Project(tmp_path_factory.mktemp("conventions"))


@pytest.fixture(scope="session")
def built(factory: Factory) -> Iterator[Warehouse]:
    """A warehouse of an empty log: all relations with all of their columns."""
    warehouse = factory("duckdb")
    warehouse.load([])
    warehouse.run(selector="full")
    yield warehouse
    factory.close(warehouse)
