"""The same log gives the same marts on DuckDB and on PostgreSQL, row for row."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from factory import ENGINES, Factory, NewWarehouse, examples
from logs import NASTY, identifier, nasty_rows, simulated_rows, sound_row
from warehouses import COLUMNS, SCHEMA, Row, Warehouse, assert_equal_marts

Pair = tuple[Warehouse, Warehouse]

_SALT = "the same salt on both engines"


def build_on_both(new_warehouse: NewWarehouse, rows: list[Row], *, tests: bool = False) -> Pair:
    """Two warehouses of one log and one salt."""
    left, right = (new_warehouse(engine) for engine in ENGINES)
    for warehouse in (left, right):
        warehouse.salt = _SALT
        warehouse.load(rows)
        warehouse.run(tests=tests, variables={"max_set_aside_share": 1})
    return left, right


@pytest.fixture(scope="module")
def soiled_log() -> list[Row]:
    """A simulated log in which every twelfth row is malformed, and every value that is known to be nasty."""
    return simulated_rows(4_000, 40, seed=11, dirt=0.08, incidents=1) + nasty_rows()


@pytest.fixture(scope="module")
def both(module_warehouse: NewWarehouse, soiled_log: list[Row]) -> Pair:
    return build_on_both(module_warehouse, soiled_log, tests=True)


def test_a_soiled_log_gives_equal_marts_and_passes_every_test_of_the_models(both: Pair) -> None:
    left, right = both
    assert_equal_marts(left.marts(), right.marts())


def test_the_salt_that_was_there_before_the_first_build_is_kept(both: Pair) -> None:
    assert [warehouse.salt for warehouse in both] == [_SALT, _SALT]


def test_no_row_of_a_soiled_log_is_lost(both: Pair, soiled_log: list[Row]) -> None:
    for warehouse in both:
        issues = warehouse.mart("generation_log_issues")
        not_counted = sum(row["row_count"] for row in issues if row["disposition"] != "counted")
        # the hours are kept for good, the single generations for 90 days
        counted = sum(row["generation_count"] for row in warehouse.mart("hourly_engagement"))
        assert counted + not_counted == len(soiled_log)


def test_columns_and_their_order_are_equal(both: Pair) -> None:
    left, right = both
    for schema, name, _ in left.relations():
        assert left.columns(schema, name) == right.columns(schema, name), name


def test_a_column_has_the_same_type_on_both_engines(both: Pair) -> None:
    types = []
    for warehouse in both:
        found = warehouse.query(
            "select table_name, column_name, lower(data_type), "
            "case when lower(data_type) like 'decimal%' or data_type = 'numeric' then numeric_precision end, "
            "case when lower(data_type) like 'decimal%' or data_type = 'numeric' then numeric_scale end "
            "from information_schema.columns where table_schema in ('warehouse_marts', 'warehouse_intermediate')"
        )
        types.append({(table, column): (_plain(type_), *size) for table, column, type_, *size in found})
    assert types[0] == types[1]


def _plain(type_: str) -> str:
    return {
        "varchar": "text",
        "double": "double precision",
        "timestamp without time zone": "timestamp",
        "decimal(18,6)": "numeric",
    }.get(type_, type_)


@pytest.mark.mainly_on("postgres")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_typed_log_gives_the_same_marts_as_the_same_log_in_text(new_warehouse: NewWarehouse, engine: str) -> None:
    rows = [
        sound_row(number, **changes)
        for number, changes in enumerate(
            [
                {},
                {"user_id": None, "job_id": None, "style": None, "difficulty": None, "duration_ms": None},
                {"costs": None, "tokens": None, "success": None},
                {"success": "false", "error_message": "Request timed out."},
                {"created_at": "2026-03-04 23:59:59.999999"},
                {"costs": '{"total": 0.25, "total": 0.5}', "tokens": '{"a": {"input": 1}, "b": {"output": 2}}'},
                {"costs": "[]", "tokens": "3"},
                {"id": identifier(0), "duration_ms": 86_400_001, "difficulty": -3},
            ]
        )
    ]
    marts = []
    for typed in (False, True):
        warehouse = new_warehouse(engine)
        warehouse.salt = _SALT
        warehouse.load(rows, typed=typed)
        warehouse.run()
        marts.append(warehouse.marts())
    assert_equal_marts(*marts)


_OUTCOMES = [
    *((f"'{text}'", True) for text in ("true", "T", "yes", "1", "1.0", "1.00", "1.", "01", "+1", " 1.000 ", "on")),
    *((f"'{text}'", True) for text in ("Y", "ok", "SUCCESS", "successful", "succeeded", "completed")),
    *((f"'{text}'", False) for text in ("N", "off", "error", "Failed", "failure")),
    *((f"'{text}'", False) for text in ("false", "F", "no", "0", "0.0", "0.00", "0.", ".0", "00", "-0", "-0.0")),
    *((f"'{text}'", None) for text in ("", "-1", "1.01", "0.1", "10", "2", "1e0", "1.0.0", ".", "+", "WAHR", "NaN")),
    *((f"cast({number} as {type_})", number == 1 if number in (0, 1) else None)
      for type_ in ("integer", "bigint", "double precision", "numeric(5, 2)") for number in (0, 1, 2, -1)),
    ("cast(0.5 as double precision)", None),
    ("cast(1.01 as numeric(5, 2))", None),
    ("true", True),
    ("false", False),
    ("cast(null as boolean)", None),
]  # fmt: skip


def test_an_outcome_is_a_word_or_any_plain_decimal_of_one_or_zero_in_a_column_of_any_type(both: Pair) -> None:
    for warehouse in both:
        ((*found,),) = warehouse.query(
            "select " + ", ".join(f"{SCHEMA}_internal.as_outcome({value})" for value, _ in _OUTCOMES)
        )
        assert [(value, is_success) for (value, _), is_success in zip(_OUTCOMES, found, strict=True)] == _OUTCOMES


_NOTHING = ["", "NULL", "null", "\\N", "None", "NaN", "nan", "NaT", "<NA>", "N/A", "<null>", "(null)", "[NULL]"]
_NOTHING += ["undefined"]
_SOMETHING = ["Null", "none", "nulls", "anull", "null\n", "\\", "N", "NA", "(null", "[N]", "undefined.", "Undefined"]


def test_what_tools_write_for_nothing_is_null_with_spaces_around_it_and_without(both: Pair) -> None:
    expected = {
        f"{before}{text}{after}": None if text in _NOTHING else text
        for text in _NOTHING + _SOMETHING
        for before in ("", "  ", 12 * " ")
        for after in ("", " ")
    }
    for warehouse in both:
        (found,) = warehouse.query(
            "select " + ", ".join(f"{SCHEMA}_internal.blank_to_null('{text}')" for text in expected)
        )
        assert dict(zip(expected, found, strict=True)) == expected


def test_duckdb_carries_no_row_of_the_log_through_a_join_with_a_list(both: Pair) -> None:
    view = f"{SCHEMA}_staging.stg_generation_logs"
    ((_, plan),) = both[0].query(f"explain (format json) select * from {view}")
    # seeds, the salt and what is asked to be forgotten are joined
    assert "HASH_JOIN" in plan
    assert "COLUMN_DATA_SCAN" not in plan


# PostgreSQL's text holds no NUL, and neither engine's text holds half a surrogate pair.
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.sampled_from(["0.05", "x", "", "1e3", "-1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["total", "vision", "image", "storage", "input", "output_tokens", "prompt_tokens", "a", "b"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_OTHER = {
    "style": _TEXTS,
    "error_message": _TEXTS,
    "job_id": _TEXTS,
    "user_id": st.sampled_from("abcd"),
    "costs": _JSON_VALUES,
    "tokens": _JSON_VALUES,
    "difficulty": st.integers(-2, 13).map(str),
    "duration_ms": st.integers(-5, 100_000_000).map(str) | st.decimals(-1, 100, places=7).map(str),
    "success": st.sampled_from(["true", "false"]),
    "id": st.integers(0, 30).map(identifier),
    "created_at": st.datetimes(dt.datetime(2026, 2, 25), dt.datetime(2026, 3, 20)).map(str),
}
_ROWS = st.fixed_dictionaries(
    {
        column: usual | usual | st.sampled_from(NASTY[column])
        for column in COLUMNS
        for usual in [_OTHER.get(column, _TEXTS)]
    }
)


@settings(
    max_examples=examples(4),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(rows=st.lists(_ROWS, min_size=50, max_size=60))
def test_random_nasty_logs_give_equal_marts(factory: Factory, rows: list[Row]) -> None:
    made = []
    try:
        left, right = build_on_both(lambda engine: made.append(factory(engine)) or made[-1], rows)
        assert_equal_marts(left.marts(), right.marts())
    finally:
        for warehouse in made:
            factory.close(warehouse)
