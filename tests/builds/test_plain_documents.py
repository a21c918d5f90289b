"""A plain document has the values that the general way would find in it."""

import itertools
import random
import re

import pytest

from factory import NewWarehouse
from logs import simulated_rows, sound_row
from warehouses import SCHEMA, Row, Warehouse

# Whole and decimal parts at the edges of what the pattern takes, and beyond.
_COSTS = (
    "0", "0.0", "0.5", "1", "9.999999", "0.0000005", "0.0000015", "0.00000049999999999", "0.00000050000000001",
    "0.1234565", "0.054419999999999996", "0.05066000000000001", "0.1234564999999999", "0.12345651", "99.9999995", "999",
    "999.999999", "999.9999991", "999.9999999", "1000", "1000.5", "01", "0.", ".5", "-0.1", "1e-3", '"0.5"', "null",
    "true", "{}", "1e-300", "1e-600", "0.00000000000000000000000000001", "0.0001245", "8.0554335",
    "0.1234564999999999999999",
)  # fmt: skip
# More digits than a double can have: DuckDB rounds it twice.
_TOO_LONG_FOR_DUCKDB = "0.1234564999999999999999"
_TOKENS = (
    "0", "7", "1056", "999999999", "1000000000", "1000000001", "00", "-1", "4.4", "4.5", "1e3", '"440"', "null", "[]"
)  # fmt: skip
_COST_ORDERS = (
    ("vision", "image_generation", "storage", "total"),
    ("vision", "image", "storage", "total"),
    ("image", "total", "vision", "storage", "image_generation"),
    ("total", "vision", "storage", "image_generation"),
    ("storage", "vision", "total"),
    ("total",),
    ("vision", "storage"),
)
_TOKEN_FORMS = (
    '{{"input":{0},"output":{1},"total":{2}}}',
    '{{"input":{0},"output":{1}}}',
    '{{"input": {0}, "total": {1}, "output": {2}}}',
    '{{"vision":{{"prompt_tokens":{0},"completion_tokens":{1}}},"image":{{"input_tokens":{2},"output_tokens":{3}}}}}',
    '{{"image": {{"input_tokens": {0}, "output_tokens": {1}}},'
    ' "vision": {{"prompt_tokens": {2}, "completion_tokens": {3}}}}}',
    '{{"vision":{{"prompt_tokens":{0},"completion_tokens":{1}}}}}',
    '{{"input":{0},"output":{1},"total":{2},"image":{{"input_tokens":{3},"output_tokens":1}}}}',
    '{{"input":{0},"output":{1},"cached":{2}}}',
    '{{"vision":{{"prompt_tokens":{0},"completion_tokens":{1},"total":{2}}}}}',
    '{{"vision":{{"prompt_tokens":{0}}},"image":{{"input_tokens":{2},"output_tokens":{3}}}}}',
    '{{"vision":{0},"image":{{"input_tokens":{2},"output_tokens":{3}}}}}',
    '{{"vision":{{"prompt_tokens":{0},"completion_tokens":{1}}},"audio":{{"input_tokens":{2},"output_tokens":{3}}}}}',
    '{{"input":{0},"vision":{{"prompt_tokens":{1},"completion_tokens":{2}}}}}',
)
_COLUMNS = """
    difficulty, vision_cost_usd, image_cost_usd, storage_cost_usd, unattributed_cost_usd, total_cost_usd, input_tokens,
    output_tokens, total_tokens, costs_problem, tokens_problem, unusable_cost_names, unusable_token_names,
    has_cost_mismatch
"""


def _cost_documents(rng: random.Random) -> list[str]:
    """Each value in each order of keys, beside values drawn from the usual ones and from all."""
    documents = []
    for order, value in itertools.product(_COST_ORDERS, _COSTS):
        for space in ("", " "):
            place = rng.randrange(len(order))
            values = [rng.choice(_COSTS[:8]) for _ in order]
            values[place] = value
            members = [f'"{key}":{space}{one}' for key, one in zip(order, values, strict=True)]
            documents.append("{" + f",{space}".join(members) + "}")
    return documents


def _token_documents(rng: random.Random) -> list[str]:
    documents = []
    for form, value in itertools.product(_TOKEN_FORMS, _TOKENS):
        for place in range(4):
            values = [rng.choice(_TOKENS[:4]) for _ in range(4)]
            values[place] = value
            documents.append(form.format(*values))
    return documents


def _not_plain(document: str) -> str:
    """The same document, written as no pattern has it."""
    return "{\t" + document[1:]


def _staged(warehouse: Warehouse, rows: list[Row], highest: float) -> list[tuple]:
    warehouse.load(rows)
    warehouse.run(select="+stg_generation_logs", variables={"max_cost_usd": highest})
    return warehouse.query(f"select {_COLUMNS} from {SCHEMA}_staging.stg_generation_logs order by created_at")


def _different(rows: list[Row], left: list[tuple], right: list[tuple]) -> list[tuple]:
    return [
        (row["costs"], row["tokens"], one, other)
        for row, one, other in zip(rows, left, right, strict=True)
        if one != other
    ]


def _patterns(warehouse: Warehouse) -> list[str]:
    """What decides whether costs and tokens are plain, from the view itself."""
    view = warehouse.query("select sql from duckdb_views() where view_name = 'stg_generation_logs'")[0][0]
    return [re.search(rf"regexp_matches\({column}, '(\^[^']*)'", view)[1] for column in ("costs", "tokens")]


@pytest.mark.parametrize("highest", [1000, 50, 0.2])
def test_a_document_has_the_same_values_however_it_is_written(new_warehouse: NewWarehouse, highest: float) -> None:
    rng = random.Random(4)
    costs, tokens = _cost_documents(rng), _token_documents(rng)
    rows: list[Row] = [sound_row(number, costs=document) for number, document in enumerate(costs)]
    rows += [sound_row(len(costs) + number, tokens=document) for number, document in enumerate(tokens)]
    written_otherwise = [row | {name: _not_plain(str(row[name])) for name in ("costs", "tokens")} for row in rows]
    warehouse = new_warehouse("duckdb")
    plain = _staged(warehouse, rows, highest)
    patterns = _patterns(warehouse)
    assert sum(bool(re.search(patterns[0], document)) for document in costs) > (25 if highest >= 1 else -1)
    assert sum(bool(re.search(patterns[1], document)) for document in tokens) > 100
    assert not any(re.search(patterns[0], str(row["costs"])) for row in written_otherwise)
    assert not any(re.search(patterns[1], str(row["tokens"])) for row in written_otherwise)
    general = _staged(warehouse, written_otherwise, highest)
    assert _different(rows, plain, general) == []
    # what is plain to PostgreSQL is so however it is written
    on_postgres = _different(rows, _staged(new_warehouse("postgres"), rows, highest), general)
    assert [different for different in on_postgres if _TOO_LONG_FOR_DUCKDB not in different[0]] == []


def test_nearly_all_documents_of_the_application_are_plain(new_warehouse: NewWarehouse) -> None:
    rows = simulated_rows(2_000, 5, seed=3)
    warehouse = new_warehouse("duckdb")
    warehouse.load(rows[:10])
    warehouse.run(select="+stg_generation_logs")
    costs, tokens = _patterns(warehouse)
    as_jsonb = re.compile(r"[:,](?=[\"{\d])")
    for name, pattern in (("costs", costs), ("tokens", tokens)):
        documents = [row[name] for row in rows if row[name]]
        assert sum(bool(re.search(pattern, document)) for document in documents) > 0.97 * len(documents)
        spaced = [as_jsonb.sub(lambda match: match[0] + " ", document) for document in documents]
        assert sum(bool(re.search(pattern, document)) for document in spaced) > 0.97 * len(documents)


def test_postgres_reads_nearly_all_documents_of_the_application_without_their_numbers_as_text(
    new_warehouse: NewWarehouse,
) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load(simulated_rows(2_000, 5, seed=3), typed=True)
    warehouse.run(select="+stg_generation_logs")
    counts = f"select count(total_cost_usd), count(total_tokens) from {SCHEMA}_staging.stg_generation_logs"
    before = warehouse.query(counts)[0]
    warehouse.execute(
        f"create or replace function {SCHEMA}_internal.usable_number(logged text, highest numeric) returns numeric"
        " language sql immutable strict parallel safe as 'select null::numeric'"
    )
    after = warehouse.query(counts)[0]
    assert all(read > 0.97 * known > 1_000 for read, known in zip(after, before, strict=True))
