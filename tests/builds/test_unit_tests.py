"""dbt's unit tests hold the definitions. `make sample` runs them on DuckDB; here the other engine has its turn."""

from factory import NewWarehouse


def test_every_unit_test_passes_on_postgres(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load([])
    # dbt asks the tables for the types of what a unit test gives
    warehouse.run(selector="full")
    outcome = warehouse.run("test", select="test_type:unit")
    assert len(outcome.statuses) > 100
    # hooks succeed, tests pass
    assert set(outcome.statuses.values()) <= {"pass", "success"}
