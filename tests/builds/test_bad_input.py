"""A row of the log that makes no sense is never lost, never stops a run and is explained; a log that cannot be read
stops the run before anything is touched; nothing personal passes staging."""

import csv
import gzip
import io
import itertools
import json
import random
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory import ENGINES, NewWarehouse
from logs import failed_row, simulated_rows, sound_row
from postgres_server import skip_unless_ci
from warehouses import COLUMNS, SCHEMA, Row, Warehouse, arrow_table, as_text, assert_equal_marts

_SALT = "a salt for the tests that must never be seen outside of its table"
_SOUND_USD = {
    "vision_cost_usd": Decimal("0.0046"),
    "image_cost_usd": Decimal("0.04604"),
    "storage_cost_usd": Decimal("0.00002"),
    "unattributed_cost_usd": Decimal(0),
    "total_cost_usd": Decimal("0.05066"),
}
_NO_USD = dict.fromkeys(_SOUND_USD)
_SOUND_TOKENS = {"input_tokens": 440, "output_tokens": 1056, "total_tokens": 1496}
_NO_TOKENS = dict.fromkeys(_SOUND_TOKENS)


# What a bad row gets


@dataclass
class Case:
    """What is odd about a row, what is said about it, and what it counts as."""

    changes: Row
    issues: list[str] = field(default_factory=list)
    disposition: str = "counted"
    counts_as: Row = field(default_factory=dict)


CASES = {
    "costs that are not JSON": Case({"costs": "[object Object]"}, ["malformed_costs"], counts_as=_NO_USD),
    "costs that are cut off": Case({"costs": '{"total":0.05'}, ["malformed_costs"], counts_as=_NO_USD),
    "costs that are not there": Case({"costs": None}, ["malformed_costs"], counts_as=_NO_USD),
    "costs that are a JSON null": Case({"costs": "null"}, ["malformed_costs"], counts_as=_NO_USD),
    "costs without an amount": Case({"costs": "{}"}, ["malformed_costs"], counts_as=_NO_USD),
    "costs in an array": Case({"costs": "[0.1, 0.2]"}, ["malformed_costs"], counts_as=_NO_USD),
    "costs of many parts that nobody knows": Case(
        {"costs": json.dumps({f"part {number}": 999 for number in range(60)})},
        counts_as=_NO_USD | {"unattributed_cost_usd": Decimal(59_940), "total_cost_usd": Decimal(59_940)},
    ),
    "costs as strings": Case(
        {"costs": '{"vision":"0.0046","image_generation":"0.04604","storage":"0.00002","total":"0.05066"}'},
        counts_as=_SOUND_USD,
    ),
    "costs by their other name": Case(
        {"costs": '{"vision":0.0046,"image":0.04604,"storage":0.00002,"total":0.05066}'}, counts_as=_SOUND_USD
    ),
    "costs with a total alone": Case(
        {"costs": '{"total":0.25}'},
        counts_as=_NO_USD | {"total_cost_usd": Decimal("0.25"), "unattributed_cost_usd": Decimal("0.25")},
    ),
    "costs without a total": Case(
        {"costs": '{"vision":0.25,"storage":0.5}'},
        counts_as={
            "vision_cost_usd": Decimal("0.25"),
            "image_cost_usd": None,
            "storage_cost_usd": Decimal("0.5"),
            "unattributed_cost_usd": Decimal(0),
            "total_cost_usd": Decimal("0.75"),
        },
    ),
    "a cost that is negative": Case(
        {"costs": '{"vision":-0.0046,"image":0.25,"total":0.25}'},
        ["invalid_cost"],
        counts_as={"vision_cost_usd": None, "image_cost_usd": Decimal("0.25"), "total_cost_usd": Decimal("0.25")},
    ),
    "a total that is negative": Case(
        {"costs": '{"vision":0.25,"image":0.25,"total":-0.5}'},
        ["invalid_cost"],
        counts_as={"total_cost_usd": Decimal("0.5"), "unattributed_cost_usd": Decimal(0)},
    ),
    "a total above the highest usable cost": Case(
        {"costs": '{"vision":0.25,"total":1000.01}'}, ["invalid_cost"], counts_as={"total_cost_usd": Decimal("0.25")}
    ),
    "the highest usable cost": Case({"costs": '{"total":1000}'}, counts_as={"total_cost_usd": Decimal(1000)}),
    "a cost of 400 digits": Case({"costs": '{"total":1e400}'}, ["invalid_cost"], counts_as=_NO_USD),
    "a cost that is an object": Case({"costs": '{"total":{"usd":1}}'}, ["invalid_cost"], counts_as=_NO_USD),
    "a cost that is repeated": Case({"costs": '{"total":2,"total":2}'}, counts_as={"total_cost_usd": Decimal(2)}),
    "a total above its parts": Case(
        {"costs": '{"vision":0.1,"image":0.2,"total":0.310001}'},
        ["cost_mismatch"],
        counts_as={"total_cost_usd": Decimal("0.310001"), "unattributed_cost_usd": Decimal("0.010001")},
    ),
    "a total below its parts": Case(
        {"costs": '{"vision":0.1,"image":0.2,"total":0.1}'},
        ["cost_mismatch"],
        counts_as={"total_cost_usd": Decimal("0.1"), "unattributed_cost_usd": Decimal("-0.2")},
    ),
    "a total a cent from its parts": Case(
        {"costs": '{"vision":0.1,"image":0.2,"total":0.31}'}, counts_as={"unattributed_cost_usd": Decimal("0.01")}
    ),
    "tokens that are not JSON": Case({"tokens": "1,496 tokens"}, ["malformed_tokens"], counts_as=_NO_TOKENS),
    "tokens that are not there": Case({"tokens": None}, ["malformed_tokens"], counts_as=_NO_TOKENS),
    "tokens without a count": Case({"tokens": "{}"}, ["malformed_tokens"], counts_as=_NO_TOKENS),
    "tokens in an array": Case({"tokens": "[440,1056]"}, ["malformed_tokens"], counts_as=_NO_TOKENS),
    "tokens as strings": Case({"tokens": '{"input":"440","output":"1056"}'}, counts_as=_SOUND_TOKENS),
    "tokens by step": Case(
        {"tokens": '{"vision":{"prompt_tokens":40,"completion_tokens":56},"image":{"input":400,"output":1000}}'},
        counts_as=_SOUND_TOKENS,
    ),
    "a count that is negative": Case(
        {"tokens": '{"input":-1,"output":1056}'},
        ["invalid_tokens"],
        counts_as={"input_tokens": None, "output_tokens": 1056, "total_tokens": None},
    ),
    "a count that is absurd": Case(
        {"tokens": '{"input":440,"output":1000000001,"total":1496}'},
        ["invalid_tokens"],
        counts_as={"input_tokens": 440, "output_tokens": None, "total_tokens": 1496},
    ),
    "a duration below zero": Case({"duration_ms": "-1"}, ["invalid_duration"], counts_as={"duration_ms": None}),
    "no duration": Case({"duration_ms": None}, ["invalid_duration"], counts_as={"duration_ms": None}),
    "a duration above a day": Case({"duration_ms": "86400001"}, ["invalid_duration"], counts_as={"duration_ms": None}),
    "a duration of more digits than a number can have": Case(
        {"duration_ms": "0." + "1" * 16_500}, ["invalid_duration"], counts_as={"duration_ms": None}
    ),
    "a duration of a day": Case({"duration_ms": "86400000"}, counts_as={"duration_ms": 86_400_000}),
    "no outcome": Case(
        {"success": None, "error_message": "Request timed out."},
        ["missing_outcome"],
        counts_as={"is_success": False, "error_category": "timeout"},
    ),
    "a success with an error": Case(
        {"error_message": "Request timed out."},
        ["contradictory_outcome"],
        counts_as={"is_success": True, "error_category": None, "error_signature": None},
    ),
    "a failure without an error": Case(
        {"success": "false"},
        ["missing_error_message"],
        counts_as={"is_success": False, "error_category": "unknown", "error_signature": "(no message)"},
    ),
    "no style": Case({"style": None}, counts_as={"style": "unknown"}),
    "a blank style": Case({"style": "  "}, counts_as={"style": "unknown"}),
    "a style in other case and spaces": Case({"style": "  OIL   Painting "}, counts_as={"style": "oil painting"}),
    "no difficulty": Case({"difficulty": None}, ["invalid_difficulty"], counts_as={"difficulty": None}),
    "a difficulty below the range": Case({"difficulty": "0"}, ["invalid_difficulty"], counts_as={"difficulty": None}),
    "a difficulty above the range": Case({"difficulty": "11"}, ["invalid_difficulty"], counts_as={"difficulty": None}),
    "no user": Case({"user_id": None}, ["missing_user"], counts_as={"user_key": None}),
    "no id": Case({"id": None}, ["missing_id"], "set_aside"),
    "an id that is no uuid": Case({"id": "gen_12345"}, ["missing_id"], "set_aside"),
    "no time": Case({"created_at": None}, ["missing_created_at"], "set_aside"),
    "a time that cannot be read": Case({"created_at": "yesterday"}, ["missing_created_at"], "set_aside"),
    "a day that does not exist": Case({"created_at": "2026-02-30 10:00:00"}, ["missing_created_at"], "set_aside"),
    "a time in the future": Case({"created_at": "2099-01-01 00:00:00"}, ["future_created_at"], "set_aside"),
    "neither an id nor a time": Case({"id": None, "created_at": None}, ["missing_id"], "set_aside"),
    "several faults at once": Case(
        {"user_id": None, "duration_ms": "x", "costs": "x", "tokens": "x", "difficulty": "x", "success": "maybe"},
        ["missing_user", "invalid_duration", "malformed_costs", "malformed_tokens", "invalid_difficulty",
         "missing_outcome", "missing_error_message"],
        counts_as={"is_success": False, "user_key": None, "duration_ms": None} | _NO_USD | _NO_TOKENS,
    ),
}  # fmt: skip
_REPEATS = 3


def bad_rows() -> list[Row]:
    """A row for each case, told apart by its job, and repeats of a sound one."""
    rows = [sound_row(number, job_id=name) | case.changes for number, (name, case) in enumerate(CASES.items())]
    sound = sound_row(1_000, job_id="sound", created_at="2026-03-02 12:00:00")
    earlier = sound | {"created_at": "2026-03-02 11:00:00", "style": "earlier"}
    return [*rows, sound, sound, earlier, sound | {"id": sound["id"].upper()}]


def may_stand_in_a_typed_table(row: Row) -> bool:
    """Can the application's own table hold it?"""
    if not row["id"]:
        return False
    try:
        arrow_table([row], typed=True)
        for name in ("costs", "tokens"):
            json.loads(row[name] or "null")
    except (ValueError, pa.ArrowInvalid):
        return False
    return row["success"] in ("true", "false", None)


@pytest.fixture(scope="module", params=[*ENGINES, "postgres, typed"])
def soiled(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> tuple[Warehouse, list[Row]]:
    """A warehouse built from all bad rows, or from those that a typed table can hold."""
    typed = request.param.endswith("typed")
    rows = [row for row in bad_rows() if not typed or may_stand_in_a_typed_table(row)]
    warehouse = module_warehouse(request.param.partition(",")[0])
    warehouse.load(rows, typed=typed)
    # no row fails one of dbt's tests either
    warehouse.run(tests=True, exclude="tag:alerts")
    return warehouse, rows


def test_every_bad_row_gets_its_issues_and_counts_for_what_is_usable(soiled: tuple[Warehouse, list[Row]]) -> None:
    warehouse, rows = soiled
    fact = {row["job_id"]: row for row in warehouse.mart("fct_generations")}
    all_issues = warehouse.mart("generation_log_issues")
    wrong = []
    for row in rows:
        case = CASES.get(row["job_id"])
        if not case or case.disposition != "counted":
            continue
        counted = fact.pop(row["job_id"])
        issues = [each for each in all_issues if each["generation_id"] == counted["generation_id"]]
        found = sorted((each["issue"], each["disposition"], each["row_count"]) for each in issues)
        if found != sorted((issue, "counted", 1) for issue in case.issues):
            wrong.append(f"{row['job_id']}: {found}")
        got = {column: counted[column] for column in case.counts_as}
        if got != case.counts_as:
            wrong.append(f"{row['job_id']}: counts as {got}")
    assert not wrong, "\n".join(wrong)
    assert set(fact) == {"sound"}


def test_a_log_of_which_most_outcomes_are_no_known_word_is_warned_of(duckdb_warehouse: Warehouse) -> None:
    rows = [
        sound_row(20 * day + number, created_at=f"2026-03-0{day} 10:{number:02}:00", success="true")
        for day in (5, 6)
        for number in range(20)
    ]
    # half of a day is not most of it
    for unread, status in (([*rows[:10], *rows[20:31]], "warn"), ([*rows[:10], *rows[20:30]], "pass")):
        duckdb_warehouse.load([row | {"success": "WAHR"} if row in unread else row for row in rows])
        outcome = duckdb_warehouse.run(tests=True, exclude="tag:alerts")
        assert outcome.statuses["most_outcomes_can_be_read"] == status


def test_what_cannot_be_counted_is_set_aside_for_one_reason(soiled: tuple[Warehouse, list[Row]]) -> None:
    warehouse, rows = soiled
    expected = [CASES[row["job_id"]].issues[0] for row in rows if row["job_id"] in CASES
                and CASES[row["job_id"]].disposition == "set_aside"]  # fmt: skip
    found = [row for row in warehouse.mart("generation_log_issues") if row["disposition"] == "set_aside"]
    assert sorted(row["issue"] for row in found for _ in range(row["row_count"])) == sorted(expected)


def test_of_repeated_rows_the_latest_counts_and_the_others_are_repeats(soiled: tuple[Warehouse, list[Row]]) -> None:
    warehouse, _ = soiled
    repeats = [row for row in warehouse.mart("generation_log_issues") if row["disposition"] == "repeated"]
    assert {row["issue"] for row in repeats} == {"duplicate_id"}
    assert sum(row["row_count"] for row in repeats) == _REPEATS
    (kept,) = (row for row in warehouse.mart("fct_generations") if row["job_id"] == "sound")
    assert (kept["style"], str(kept["created_at"])) == ("anime", "2026-03-02 12:00:00")


def test_every_row_is_counted_set_aside_or_repeated(soiled: tuple[Warehouse, list[Row]]) -> None:
    warehouse, rows = soiled
    others = [row["row_count"] for row in warehouse.mart("generation_log_issues") if row["disposition"] != "counted"]
    assert len(warehouse.mart("fct_generations")) + sum(others) == len(rows)


def test_nobody_is_in_no_number_of_users(soiled: tuple[Warehouse, list[Row]]) -> None:
    warehouse, _ = soiled
    fact = warehouse.mart("fct_generations")
    users = {row["user_key"] for row in fact} - {None}
    assert len(users) < len({row["user_key"] for row in fact})
    assert {row["user_key"] for row in warehouse.mart("dim_users")} == users
    assert {row["user_key"] for row in warehouse.mart("cost_by_user")} == users


# Ways of writing a log down


def _csv_text(rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: as_text(row.get(name)) for name in columns} for row in rows)
    return text.getvalue()


def _jsonl_text(rows: list[Row], *, nested: bool) -> str:
    def written(row: Row) -> Row:
        if not nested:
            return row
        # As writers of JSON do it: real types, and nothing where there is nothing.
        bare = ("costs", "tokens", "difficulty", "duration_ms", "success")
        typed = {name: json.loads(as_text(row[name])) for name in bare}
        return {name: value for name, value in (row | typed).items() if value is not None}

    return "".join(json.dumps(written(row)) + "\n" for row in rows)


def _nested_parquet(rows: list[Row], path: Path) -> None:
    table = arrow_table(rows, typed=True)
    for name in ("costs", "tokens"):
        column = pa.array([json.loads(row[name]) for row in rows])
        table = table.set_column(COLUMNS.index(name), name, column)
    pq.write_table(table.append_column("extra", pa.array(range(len(rows)))), path)


@pytest.fixture(scope="module")
def sound_log() -> list[Row]:
    rows = [sound_row(number) for number in range(6)]
    return [
        *rows,
        sound_row(6, tokens='{"vision":{"input":1,"output":2},"image":{"input":3,"output":4}}'),
        sound_row(7, costs='{"vision":0.25,"total":0.25}', style='a "quoted", style\nof two lines'),
        failed_row(8, "Request timed out.", style="Été"),
    ]


def _write(folder: Path, form: str, rows: list[Row]) -> str:
    """Write a log in one form, and say what GENERATION_LOGS should be."""
    columns = (*COLUMNS, "extra")
    extra = [row | {"extra": "not of interest"} for row in rows]
    match form:
        case "csv":
            (folder / "log.csv").write_text(_csv_text(extra, columns))
        case "csv.gz":
            (folder / "log.csv.gz").write_bytes(gzip.compress(_csv_text(rows, COLUMNS[::-1]).encode()))
        case "jsonl":
            (folder / "log.jsonl").write_text(_jsonl_text(extra, nested=False))
        case "nested jsonl":
            (folder / "log.jsonl").write_text(_jsonl_text(extra, nested=True))
        case "nested parquet":
            _nested_parquet(rows, folder / "log.parquet")
        case "overlapping parquet":
            for number, part in enumerate((rows[:6], rows[4:], rows[2:7])):
                pq.write_table(arrow_table(part, typed=number == 1), folder / f"log_{number}.parquet")
        case "overlapping csv":
            for number, part in enumerate((rows[:6], rows[4:])):
                (folder / f"log_{number}.csv").write_text(_csv_text(part))
    return str(folder / f"log*.{form.split()[-1]}")


_FACTS = ("fct_generations", "generation_log_issues")


def _facts(warehouse: Warehouse) -> dict:
    return warehouse.marts(_FACTS)


@pytest.fixture(scope="module")
def plain_facts(module_warehouse: NewWarehouse, sound_log: list[Row]) -> dict:
    """What the log gives when it is one plain Parquet file."""
    warehouse = module_warehouse("duckdb")
    warehouse.salt = _SALT
    warehouse.load(sound_log)
    warehouse.run(select="+fct_generations")
    return _facts(warehouse)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "jsonl", "nested jsonl", "nested parquet"])
def test_a_log_gives_the_same_facts_in_every_form(
    new_warehouse: NewWarehouse, sound_log: list[Row], plain_facts: dict, form: str
) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.salt = _SALT
    warehouse.log = _write(warehouse.folder, form, sound_log)
    warehouse.run(select="+fct_generations")
    assert not warehouse.mart("generation_log_issues")
    assert_equal_marts(_facts(warehouse), plain_facts)


@pytest.mark.parametrize(("form", "repeats"), [("overlapping parquet", 7), ("overlapping csv", 2)])
def test_a_row_in_several_exports_counts_once(
    new_warehouse: NewWarehouse, sound_log: list[Row], plain_facts: dict, form: str, repeats: int
) -> None:
    warehouse = new_warehouse("duckdb")
    warehouse.salt = _SALT
    warehouse.log = _write(warehouse.folder, form, sound_log)
    warehouse.run(select="+fct_generations")
    facts = _facts(warehouse)
    assert_equal_marts({"fct_generations": facts["fct_generations"]}, plain_facts)
    issues = facts["generation_log_issues"].values()
    assert {row["issue"] for row in issues} == {"duplicate_id"}
    assert sum(row["row_count"] for row in issues) == repeats


def test_a_line_that_is_no_json_is_set_aside(new_warehouse: NewWarehouse, sound_log: list[Row]) -> None:
    warehouse = new_warehouse("duckdb")
    path = warehouse.folder / "log.jsonl"
    lines = _jsonl_text(sound_log, nested=True).splitlines()
    path.write_text("\n".join([*lines[:3], '{"id": "cut of', *lines[3:]]) + "\n")
    warehouse.log = str(path)
    warehouse.run(select="+fct_generations")
    assert len(warehouse.mart("fct_generations")) == len(sound_log)
    assert [row["issue"] for row in warehouse.mart("generation_log_issues")] == ["unreadable_row"]


# A log that cannot be read


def _noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))


_UNREADABLE = {
    "no file": ("missing_*.parquet", lambda folder: None, ["no file", "missing_*.parquet"]),
    "an empty file": ("log.csv", lambda folder: (folder / "log.csv").touch(), ["log.csv", "empty"]),
    "an empty Parquet file": ("log.parquet", lambda folder: (folder / "log.parquet").touch(), ["log.parquet", "empty"]),
    "text named Parquet": (
        "log.parquet",
        lambda folder: (folder / "log.parquet").write_text("id,user_id\n" * 50),
        ["log.parquet", "parquet"],
    ),
    "CSV named JSON lines": (
        "log.jsonl",
        lambda folder: (folder / "log.jsonl").write_text(_csv_text([sound_row(1)])),
        ["log.jsonl"],
    ),
    "noise named CSV": ("log.csv", lambda folder: _noise(folder / "log.csv"), ["log.csv"]),
    "Parquet named CSV": (
        "log.csv",
        lambda folder: pq.write_table(arrow_table([sound_row(1)]), folder / "log.csv"),
        ["log.csv"],
    ),
    "a missing column": (
        "log.csv",
        lambda folder: (folder / "log.csv").write_text(_csv_text([sound_row(1)], COLUMNS[:-1])),
        ["log.csv", "no column created_at"],
    ),
    "a missing column in Parquet": (
        "log.parquet",
        lambda folder: pq.write_table(arrow_table([sound_row(1)]).drop(["costs", "tokens"]), folder / "log.parquet"),
        ["log.parquet", "no column costs, tokens"],
    ),
    "a missing column in JSON lines": (
        "log.jsonl",
        lambda folder: (folder / "log.jsonl").write_text('{"id": "x", "style": "anime"}\n'),
        ["log.jsonl", "no column created_at"],
    ),
    "two formats": (
        "log.*",
        lambda folder: [(folder / f"log.{ending}").write_text("{}\n") for ending in ("csv", "jsonl")],
        ["log.*", "mixes formats", "csv", "jsonl"],
    ),
    "an unknown format": (
        "log.xlsx",
        lambda folder: (folder / "log.xlsx").write_text("x"),
        ["log.xlsx", "unknown format", ".parquet"],
    ),
    "times that are numbers": (
        "log.parquet",
        lambda folder: pq.write_table(
            arrow_table([sound_row(1)]).set_column(COLUMNS.index("created_at"), "created_at", pa.array([1772442000])),
            folder / "log.parquet",
        ),
        ["log.parquet", "created_at", "timestamp"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", _UNREADABLE)
def test_an_unreadable_log_is_named_with_what_is_wrong_and_nothing_is_built(
    new_warehouse: NewWarehouse, what: str
) -> None:
    name, write, expected = _UNREADABLE[what]
    warehouse = new_warehouse("duckdb")
    write(warehouse.folder)
    warehouse.log = str(warehouse.folder / name)
    outcome = warehouse.attempt()
    assert not outcome.success
    missing = [text for text in expected if text.lower() not in outcome.text.lower()]
    assert not missing, f"dbt does not say {missing}, but: {outcome.text}"
    assert warehouse.relations() == set()


def test_a_log_that_becomes_unreadable_changes_nothing_that_is_built(warehouse: Warehouse) -> None:
    warehouse.load([sound_row(0), failed_row(1, "Request timed out.")])
    warehouse.run()
    before = warehouse.marts()
    if warehouse.engine == "duckdb":
        cut = warehouse.folder / "cut.parquet"
        cut.write_bytes(Path(warehouse.log).read_bytes()[:-20])
        warehouse.log = str(cut)
    else:
        warehouse.execute("alter table generation_logs rename column costs to expenses")
    outcome = warehouse.attempt(full_refresh=True)
    assert not outcome.success
    assert ("cut.parquet" if warehouse.engine == "duckdb" else "no column costs") in outcome.text
    assert warehouse.marts() == before


def test_a_table_that_is_not_there_fails_by_name(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    outcome = warehouse.attempt()
    assert not outcome.success
    assert 'relation "public.generation_logs" does not exist' in outcome.text.replace('"."', ".")
    assert warehouse.relations() == set()


def test_a_server_that_does_not_answer_fails_the_run(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.settings = {"PGHOST": "127.0.0.1", "PGPORT": "1"}
    outcome = warehouse.attempt()
    assert not outcome.success
    assert "refused" in outcome.text


@pytest.fixture
def reader(postgres_server: object) -> str:
    """A role that may do nothing yet."""
    try:
        postgres_server.execute("drop role if exists warehouse_test_reader")
        postgres_server.execute("create role warehouse_test_reader login password 'no secret'")
    except psycopg2.errors.InsufficientPrivilege:
        skip_unless_ci("this user may not create roles")
    return "warehouse_test_reader"


def test_reading_rights_on_the_log_are_needed_and_are_enough(new_warehouse: NewWarehouse, reader: str) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load([sound_row(0), sound_row(1, difficulty=99)], typed=True)
    # The application's table may have any schema and name.
    for statement in (
        "create schema app",
        "alter table public.generation_logs set schema app",
        "alter table app.generation_logs rename to runs",
        f"grant create on database {warehouse.database} to {reader}",
        f"grant usage on schema app to {reader}",
    ):
        warehouse.execute(statement)
    warehouse.settings = {
        "GENERATION_LOGS_SCHEMA": "app",
        "GENERATION_LOGS_TABLE": "runs",
        "PGUSER": reader,
        "PGPASSWORD": "no secret",
    }
    refused = warehouse.attempt()
    assert not refused.success
    assert "permission denied for table runs" in refused.text
    assert warehouse.relations() == set()
    warehouse.execute(f"grant select on app.runs to {reader}")
    warehouse.run()
    assert len(warehouse.mart("fct_generations")) == 2
    warehouse.close()
    warehouse.server.execute(f"drop role {reader}")


def test_a_column_without_a_right_is_named(new_warehouse: NewWarehouse, reader: str) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load([sound_row(0)], typed=True)
    warehouse.execute(f"grant create on database {warehouse.database} to {reader}")
    granted = ", ".join(name for name in COLUMNS if name not in ("costs", "tokens"))
    warehouse.execute(f"grant select ({granted}) on public.generation_logs to {reader}")
    warehouse.settings = {"PGUSER": reader, "PGPASSWORD": "no secret"}
    refused = warehouse.attempt()
    assert not refused.success
    assert "may not read costs, tokens of the log" in refused.text
    warehouse.execute(f"grant select (costs, tokens) on public.generation_logs to {reader}")
    warehouse.run(select="+fct_generations")
    assert len(warehouse.mart("fct_generations")) == 1
    warehouse.close()
    warehouse.server.execute(f"drop role {reader}")


def test_the_log_may_be_a_materialized_view_or_a_table_in_parts(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load([sound_row(0), sound_row(1)], typed=True)
    warehouse.execute("create materialized view public.log_copy as select * from public.generation_logs")
    warehouse.execute("create table public.log_parts (like public.generation_logs) partition by range (created_at)")
    warehouse.execute("create table public.log_part partition of public.log_parts default")
    warehouse.execute("insert into public.log_parts select * from public.generation_logs")
    for name in ("log_copy", "log_parts"):
        warehouse.settings = {"GENERATION_LOGS_TABLE": name}
        outcome = warehouse.run(select="+fct_generations")
        assert len(warehouse.mart("fct_generations")) == 2
        assert ("create index on" in outcome.text) == (name == "log_parts")
    warehouse.execute("create index on public.log_parts (created_at)")
    assert "index" not in warehouse.run(select="+fct_generations").text


def test_a_log_without_an_index_on_its_time_is_warned_about(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load([sound_row(0)], typed=True)
    assert "index" not in warehouse.run(select="+int_log_window").text
    warehouse.execute("drop index created_at_index")
    assert "create index" in warehouse.run(select="+int_log_window").text


# What must not be seen

_SECRETS = {
    "an e-mail": ["jane@dömäne.example", "jane.doe+art@mail.example.org",
                  "o'brien_77@sub.example.co.uk", "user%tag@example.io"],
    "a URL": ["https://cdn.example.com/u/41/portrait.png?token=abc123", "http://10.0.0.7:9000/bucket/holiday",
              "s3://private-bucket/u/jane/face.png", "HTTPS://EXAMPLE.ORG/Jane", "www.example.org/jane"],
    "a key": ["Authorization: Basic amFuZTpwYXNz", "authorization=Negotiate amFuZQ",
              "sk-proj-Zx12aBcDeFgHiJkLmNoPqRsTuV3456", "ghp_1234abcdEFGH5678ijklMNOP9012qrst",
              "sk_live_51HqLyjWDarjtT1zdp7dc", "AKIAIOSFODNN7EXAMPLE",
              "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
    "an IP": ["203.0.113.77", "192.168.254.31:8443", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8::ff00:42:8329"],
    "an id": ["0f3b1c2d-12ab-4cde-8f01-234567896789", "0F3B1C2D-12AB-4CDE-8F01-234567896789",
              "req_8a7b6c5d4e3f2a1b", "org-AbC123xYz789", "user_98765432", "0f3b1c2d12ab4cde8f01234567896789"],
    "a file": ["jane-doe-birthday.jfif", "jane doe.mov", r"D:\Family\Jane Doe\My face",
               "IMG_9660.HEIC", "/var/uploads/jane/portrait.jpeg"],
}  # fmt: skip
_COMMON_WORDS = {"example", "https", "HTTPS", "EXAMPLE", "token", "Users", "uploads", "private", "bucket"}
_PLACES = (
    "{}",
    "Could not reach {}",
    "{} is not allowed here",
    "Odd thing ({}), gave up",
    'Odd thing "{}": no',
    "Odd thing '{}'",
    "value={}; retry=no",
    "line one\n{}\nline three",
    "a,{},b",
    "Odd thing <{}>",
    "error:{}.",
    "[{}] failed",
    "x " * 85 + "{}",
    "x " * 480 + "{} and more " + "y" * 60,
    "429 Rate limit reached for {}",
)
_USERS = ["jane.doe@example.org", "customer-000123", "0a0b0c0d-aaaa-4bbb-8ccc-123456789abc", "+44 20 7946 0018"]
_MARK = "quotedmark"


def _secret_rows() -> list[Row]:
    secrets = [secret for group in _SECRETS.values() for secret in group]
    texts = [place.format(secret) for place, secret in itertools.product(_PLACES, secrets)]
    rows = [
        sound_row(
            number,
            success="true" if number % 7 == 0 else "false",
            error_message=text,
            user_id=_USERS[number % len(_USERS)],
        )
        for number, text in enumerate(texts)
    ]
    marked = {
        name: f'{{"total":"{_MARK}"}}' if name in ("costs", "tokens") else _MARK
        for name in ("id", "difficulty", "duration_ms", "costs", "tokens", "success", "created_at")
    }
    return rows + [sound_row(5_000 + number, **{name: value}) for number, (name, value) in enumerate(marked.items())]


@pytest.fixture(scope="module", params=ENGINES)
def secretive(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> Warehouse:
    """A warehouse whose log is full of secrets, built with dbt writing down all it does."""
    warehouse = module_warehouse(request.param)
    warehouse.salt = _SALT
    warehouse.load(_secret_rows())
    outcome = warehouse.attempt(log_file=True)
    assert outcome.success, outcome.text
    return warehouse


def _contents(warehouse: Warehouse) -> dict[str, str]:
    """All that stands in each relation of the warehouse, as text; the salt's own table and the seeds left out."""
    contents = {}
    for schema, name, _ in warehouse.relations():
        if (schema, name) != (f"{SCHEMA}_internal", "user_key_salt") and schema != f"{SCHEMA}_seeds":
            rows = warehouse.query(f"select * from {schema}.{name}")
            contents[f"{schema}.{name}"] = "\n".join(str(value) for row in rows for value in row)
    return contents


def test_nothing_personal_in_an_error_is_in_any_relation(secretive: Warehouse) -> None:
    contents = _contents(secretive)
    assert len(contents) > 15
    # Not a part of it either: each of the words that make a secret one.
    found = sorted(
        (kind, secret, word, name)
        for kind, secrets in _SECRETS.items()
        for secret in secrets
        for word in {secret, *re.findall("[A-Za-z0-9]{5,}", secret)} - _COMMON_WORDS
        for name, content in contents.items()
        if word.lower() in content.lower()
    )
    assert not found, "\n".join(map(str, found[:40]))


def test_no_raw_user_id_is_in_any_relation(secretive: Warehouse) -> None:
    found = [(name, raw) for name, content in _contents(secretive).items() for raw in _USERS if raw in content]
    assert not found


def test_an_explanation_never_quotes_the_log(secretive: Warehouse) -> None:
    assert not [name for name, content in _contents(secretive).items() if _MARK in content]
    assert any(row["detail"] for row in secretive.mart("generation_log_issues"))


def test_the_salt_is_in_its_table_alone(secretive: Warehouse) -> None:
    assert secretive.salt == _SALT
    assert not [name for name, content in _contents(secretive).items() if _SALT in content]
    if secretive.engine == "duckdb":
        definitions = secretive.query("select sql from duckdb_views() where not internal")
    else:
        definitions = secretive.query(
            "select view_definition from information_schema.views where table_schema like 'warehouse%' "
            "union all select routine_definition from information_schema.routines "
            "where routine_schema like 'warehouse%'"
        )
    assert definitions
    assert _SALT not in str(definitions)
    written = [path for path in secretive.target_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sql" for path in written)
    assert any(path.name == "dbt.log" for path in written)
    assert not [path.name for path in written if _SALT.encode() in path.read_bytes()]


def test_each_warehouse_makes_another_salt(new_warehouse: NewWarehouse) -> None:
    salts = set()
    for engine in ENGINES:
        warehouse = new_warehouse(engine)
        warehouse.load([sound_row(0)])
        warehouse.run(select="user_key_salt")
        salts.add(warehouse.salt)
    assert len(salts) == 2
    assert min(map(len, salts)) >= 64


def test_no_raw_id_of_a_simulated_user_is_in_any_relation(new_warehouse: NewWarehouse) -> None:
    rows = simulated_rows(400, 5, seed=3, dirt=0.2)
    warehouse = new_warehouse("duckdb")
    warehouse.load(rows)
    warehouse.run()
    everything = "\n".join(_contents(warehouse).values()).lower()
    assert not [row["user_id"] for row in rows if row["user_id"] and row["user_id"].lower() in everything]
