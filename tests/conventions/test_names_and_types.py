"""What a column's name promises."""

import re

import pytest

from conventions import Project, complain
from warehouses import Warehouse

# What a column's name says about its type. The first pattern that fits decides.
TYPE_OF_NAME = (
    (r"^(generation_id|user_key)$", "uuid"),
    (r"^(avg|p\d\d)_|_(rate|ratio)$|^cost_per_|_estimate_ms$", "double precision"),
    (r"_(at|hour)$|^window_(start|end)$", "timestamp"),
    (r"_(date|week)$", "date"),
    (r"^(is|has)_", "boolean"),
    (r"_usd$", "numeric(18, 6)"),
    (r"_(count|users|tokens|ms)$", "bigint"),
)
# The names by which information_schema calls them on DuckDB.
DUCKDB_TYPES = {"double": "double precision", "decimal(18,6)": "numeric(18, 6)"}


def promised_type(name: str) -> str | None:
    """The type that a column's name promises, if it promises one."""
    return next((type_ for pattern, type_ in TYPE_OF_NAME if re.search(pattern, name)), None)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("generation_id", "uuid"),
        ("created_at", "timestamp"),
        ("activity_hour", "timestamp"),
        ("cohort_date", "date"),
        ("is_complete", "boolean"),
        ("max_duration_ms", "bigint"),
        ("p95_duration_ms", "double precision"),
        ("avg_cost_usd", "double precision"),
        ("cost_per_success_usd", "double precision"),
        ("previous_hour_cost_usd", "numeric(18, 6)"),
        ("unbounded_retention_rate", "double precision"),
        ("monthly_active_users", "bigint"),
        ("generations_per_active_user", None),
    ],
)
def test_a_name_promises_a_type(name: str, type_: str | None) -> None:
    assert promised_type(name) == type_


def test_columns_are_of_the_type_that_their_name_promises(project: Project) -> None:
    complain(
        [
            f"{model.name}.{column.name} is {column.data_type}, its name says {promised_type(column.name)}"
            for model in project.models
            for column in model.columns.values()
            if column.data_type and promised_type(column.name) not in (None, column.data_type)
        ],
        "A name carries its unit. Change the type in the YAML and cast in the SQL, or choose another name.",
    )


def test_built_columns_are_of_the_type_that_their_name_promises(project: Project, built: Warehouse) -> None:
    findings = []
    for model in project.built:
        types = built.query(
            "select column_name, lower(data_type) from information_schema.columns "
            f"where table_schema = '{built.schema_of(model.alias)}' and table_name = '{model.alias}'"
        )
        for name, type_ in types:
            found = DUCKDB_TYPES.get(type_, type_)
            if promised_type(name) not in (None, found):
                findings.append(f"{model.name}.{name} is {found}, its name says {promised_type(name)}")
    complain(findings, "A name carries its unit. Cast the column in the SQL, or choose another name.")


def test_booleans_are_never_null(project: Project) -> None:
    findings = []
    for mart in [*project.marts, *project.shared]:
        tested = {test.column_name for test in project.tests_of(mart, "not_null")}
        for column in mart.columns.values():
            if column.data_type != "boolean":
                continue
            if not re.match("(is|has)_", column.name):
                findings.append(f"{mart.name}.{column.name}: a boolean is named is_* or has_*")
            # A constraint keeps a null out; a view can have none, so there a test looks for it.
            is_view = mart.config.materialized == "view"
            if is_view and column.name not in tested:
                findings.append(f"{mart.name}.{column.name}: no test not_null")
            if not is_view and "not_null" not in {constraint.type for constraint in column.constraints}:
                findings.append(f"{mart.name}.{column.name}: no constraint not_null")
    complain(findings, "Coalesce it in the SQL; in the YAML give it the constraint `not_null`, in a view the test.")


def test_names_of_unit_tests_are_names_of_relations_on_postgres_too(project: Project) -> None:
    complain(
        [
            f"{name}: {len(name)}"
            for name in (each.name for each in project.manifest.unit_tests.values())
            if len(name) > 63
        ],
        "dbt makes a relation of each unit test: its name has at most 63 characters.",
    )
