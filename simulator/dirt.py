"""Malformed rows: every way in which a log of this kind has been seen to go wrong."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.texts import uuid_texts

Row = dict[str, str | None]


@dataclass
class Surroundings:
    """What a malformed row may need to know beside itself."""

    random: random.Random
    # A sound row of the same day, and the id of a row of another day; None where there is none.
    same_day: Row | None
    other_day_id: str | None


Kind = Callable[[Row, Surroundings], None]


def soil(
    table: pa.Table,
    share: float,
    first_row: int,
    log_rows: int,
    ids: Callable[[np.ndarray], pa.Array],
    rng: np.random.Generator,
) -> pa.Table:
    """The table as text, with about this share of its rows malformed.

    `first_row` is the number of the table's first row among the `log_rows` of the log; `ids` gives the id of a row
    by its number.
    """
    columns = {name: _as_text(table.column(name).combine_chunks()) for name in table.column_names}
    is_dirty = rng.random(table.num_rows) < share
    places = np.flatnonzero(is_dirty)
    if not len(places):
        return pa.table(columns)
    neighbours = _sound_neighbours(is_dirty)[places]
    soiled = _rows(columns, places)
    sound = _rows(columns, np.maximum(neighbours, 0))
    distant = _distant_ids(places + first_row, log_rows, ids, rng)
    source = random.Random(int(rng.integers(0, 2**63)))
    kinds = source.choices(list(KINDS.values()), list(WEIGHTS.values()), k=len(soiled))
    for number, (row, kind) in enumerate(zip(soiled, kinds, strict=True)):
        neighbour = sound[number]
        is_near = neighbours[number] >= 0 and neighbour["created_at"][:10] == row["created_at"][:10]
        kind(row, Surroundings(source, neighbour if is_near else None, distant[number]))
    mask = pa.array(is_dirty)
    return pa.table(
        {
            name: pc.replace_with_mask(column, mask, pa.array([row[name] for row in soiled], pa.string()))
            for name, column in columns.items()
        }
    )


def _as_text(column: pa.Array) -> pa.Array:
    return uuid_texts(column) if column.type == pa.uuid() else column.cast(pa.string())


def _rows(columns: dict[str, pa.Array], places: np.ndarray) -> list[Row]:
    return pa.table(columns).take(pa.array(places)).to_pylist()


def _sound_neighbours(is_dirty: np.ndarray) -> np.ndarray:
    """For each row the last sound one before it, or -1."""
    places = np.where(is_dirty, -1, np.arange(len(is_dirty)))
    return np.maximum.accumulate(places)


def _distant_ids(
    row_numbers: np.ndarray, log_rows: int, ids: Callable[[np.ndarray], pa.Array], rng: np.random.Generator
) -> list[str]:
    """Ids of rows half a log away, give or take."""
    offsets = (log_rows * rng.uniform(0.3, 0.7, len(row_numbers))).astype(np.int64)
    return uuid_texts(ids((row_numbers + offsets) % log_rows)).to_pylist()


def _put(column: str, *values: str | None) -> Kind:
    """One of these values in place of the column's own."""

    def spoil(row: Row, around: Surroundings) -> None:
        row[column] = around.random.choice(values)

    return spoil


def _document(column: str, *values: str | None) -> Kind:
    """One of these documents, after which the row is a success, so that its numbers matter."""

    def spoil(row: Row, around: Surroundings) -> None:
        row.update(success="true", error_message=None)
        row[column] = around.random.choice(values)

    return spoil


def _failure_saying(*texts: str) -> Kind:
    """A failure with an unusual text; each `#` becomes a random digit."""

    def spoil(row: Row, around: Surroundings) -> None:
        text = around.random.choice(texts)
        message = "".join(str(around.random.randrange(10)) if sign == "#" else sign for sign in text)
        row.update(success="false", error_message=message)

    return spoil


def _numbers_as_strings(column: str, fallback: str) -> Kind:
    def spoil(row: Row, around: Surroundings) -> None:
        def as_strings(value: object) -> object:
            if isinstance(value, dict):
                return {key: as_strings(inner) for key, inner in value.items()}
            return str(value)

        document = json.loads(row[column] or "{}") or json.loads(fallback)
        row[column] = json.dumps(as_strings(document), separators=(",", ":"))

    return spoil


def _total_is_not_the_sum(row: Row, around: Surroundings) -> None:
    total = around.random.choice(("0.01066", "0.07066", "0.30066", "1.55066", "0"))
    row["costs"] = f'{{"vision":0.0046,"image_generation":0.04604,"storage":0.00002,"total":{total}}}'
    row.update(success="true", error_message=None)


def _differing_style(row: Row, around: Surroundings) -> None:
    name = row["style"] or "Pop Art"
    row["style"] = around.random.choice(
        (
            name.upper(),
            name.title(),
            f"  {name} ",
            f"{name.capitalize()}  ",
            name.replace("_", " "),
            f" {name.replace('_', '  ').title()}",
        )
    )


def _number_as_text(row: Row, around: Surroundings) -> None:
    column = around.random.choice(("difficulty", "duration_ms"))
    number = row[column] or "3"
    row[column] = around.random.choice((f"{number}.0", f" {number}", f"{number} ", f"{int(number):.6e}", f"+{number}"))


def _success_as_text(row: Row, around: Surroundings) -> None:
    succeeded = row["success"] == "true"
    row["success"] = around.random.choice(("TRUE", "t", "1") if succeeded else ("FALSE", "f", "0"))


def _success_with_error(row: Row, around: Surroundings) -> None:
    row.update(success="true", error_message=around.random.choice(("Request timed out.", "Upload failed: 503")))


def _identical_copy(row: Row, around: Surroundings) -> None:
    if around.same_day:
        row.update(around.same_day)


def _differing_copy(row: Row, around: Surroundings) -> None:
    """The same generation again on its day, with another time, another cost, or both."""
    if around.same_day:
        created_at = row["created_at"]
        row.update(around.same_day)
        changes = around.random.choice(("time", "cost", "time and cost"))
        if "time" in changes:
            row["created_at"] = created_at
        if "cost" in changes:
            row["costs"] = '{"vision":0.0051,"image_generation":0.04812,"storage":0.00002,"total":0.05324}'


def _id_of_another_day(row: Row, around: Surroundings) -> None:
    row["id"] = around.other_day_id


def _unreadable_id(row: Row, around: Surroundings) -> None:
    identifier = row["id"]
    row["id"] = around.random.choice(("not-a-uuid", "12345", identifier[:-1], f"{identifier}0", f"gen_{identifier}"))


def _with_offset(row: Row, around: Surroundings) -> None:
    """The same instant, written with an offset from UTC."""
    created_at = datetime.fromisoformat(row["created_at"])
    shifted = str(created_at + timedelta(hours=2))
    row["created_at"] = around.random.choice(
        (f"{shifted}+02:00", f"{shifted}+02", f"{created_at.isoformat()}Z", f"{created_at}Z", f"{created_at}+00:00")
    )


_LARGE = "9" * 30

KINDS: dict[str, Kind] = {
    "costs_not_json": _put("costs", "[object Object]", '{"vision":0.0046,"total":', "NaN", "", "{'total': 0.05}"),
    "costs_null": _put("costs", None, "null"),
    "costs_empty": _put("costs", "{}"),
    "costs_array": _put("costs", "[0.0046,0.04604,0.00002]", '[{"total":0.05066}]', "[]"),
    "costs_bare_number": _put("costs", "0.05066", "0"),
    "costs_bare_string": _put("costs", '"0.05066"', '"free"'),
    "costs_numbers_as_strings": _numbers_as_strings("costs", '{"vision":0.0046,"total":0.0046}'),
    "costs_negative": _document(
        "costs",
        '{"vision":-0.0046,"image_generation":0.04604,"storage":0.00002,"total":0.05066}',
        '{"vision":0.0046,"image_generation":0.04604,"storage":0.00002,"total":-0.05066}',
    ),
    "costs_too_large": _document(
        "costs",
        '{"vision":0.0046,"image_generation":0.04604,"storage":0.00002,"total":1e400}',
        '{"vision":1e400,"image_generation":0.04604,"storage":0.00002}',
        f'{{"vision":0.0046,"image_generation":{_LARGE},"total":{_LARGE}}}',
        '{"vision":0.0046,"image_generation":0.04604,"storage":0.00002,"total":1000.01}',
    ),
    "costs_wrong_nested_types": _document(
        "costs",
        '{"vision":{"usd":0.0046},"image_generation":[0.04604],"storage":true,"total":0.05066}',
        '{"vision":0.0046,"image_generation":0.04604,"storage":null,"total":{"usd":0.05066}}',
    ),
    "costs_total_is_not_the_sum": _total_is_not_the_sum,
    "tokens_not_json": _put("tokens", "undefined", '{"input":440,', "1,056 tokens", "", "{input:440}"),
    "tokens_null": _put("tokens", None, "null"),
    "tokens_empty": _put("tokens", "{}"),
    "tokens_array": _put("tokens", "[440,1056]", '[{"input":440,"output":1056}]', "[]"),
    "tokens_bare_number": _put("tokens", "1496", "0"),
    "tokens_bare_string": _put("tokens", '"1496"', '"unknown"'),
    "tokens_numbers_as_strings": _numbers_as_strings("tokens", '{"input":440,"output":1056,"total":1496}'),
    "tokens_negative": _document(
        "tokens",
        '{"input":-440,"output":1056,"total":616}',
        '{"vision":{"prompt_tokens":1360,"completion_tokens":-120},"image":{"input_tokens":440,"output_tokens":1056}}',
    ),
    "tokens_too_large": _document(
        "tokens",
        '{"input":440,"output":1e400,"total":1e400}',
        f'{{"input":{_LARGE},"output":1056}}',
        '{"input":440,"output":1000000001,"total":1000000441}',
    ),
    "tokens_wrong_nested_types": _document(
        "tokens",
        '{"vision":1480,"image":{"input_tokens":440,"output_tokens":1056}}',
        '{"vision":[1360,120],"image":"1496"}',
        '{"vision":{"prompt_tokens":{"text":1360},"completion_tokens":null},"image":{"input_tokens":true}}',
        '{"input":440.5,"output":[1056],"total":false}',
    ),
    "duration_negative": _put("duration_ms", "-1", "-15000"),
    "duration_null": _put("duration_ms", None),
    "duration_above_a_day": _put("duration_ms", "86400001", "2147483647", "9999999999", _LARGE),
    "success_null": _put("success", None),
    "success_with_error": _success_with_error,
    "failure_without_error": lambda row, _: row.update(success="false", error_message=None),
    "style_null": _put("style", None),
    "style_blank": _put("style", "", "   "),
    "style_differs": _differing_style,
    "difficulty_null": _put("difficulty", None),
    "difficulty_zero": _put("difficulty", "0"),
    "difficulty_99": _put("difficulty", "99"),
    "difficulty_negative": _put("difficulty", "-1", "-3"),
    "user_null": _put("user_id", None),
    "repeat_identical": _identical_copy,
    "repeat_differing": _differing_copy,
    "repeat_on_another_day": _id_of_another_day,
    "id_missing": _put("id", None),
    "id_unreadable": _unreadable_id,
    "created_at_missing": _put("created_at", None),
    "created_at_unreadable": _put("created_at", "not a date", "2026-02-30 10:00:00", ""),
    "created_at_future": _put("created_at", "2099-01-01 00:00:00", "9999-12-31 23:59:59.999999"),
    "created_at_with_offset": _with_offset,
    "error_with_email": _failure_saying("Could not notify jane.doe+art####@mail.example.org: mailbox full"),
    "error_with_url": _failure_saying("fetch failed: https://cdn.example.com/u/####/portrait.png?token=abc####def"),
    "error_with_key": _failure_saying(
        "Invalid key sk-proj-Zx####aBcDeFgHiJkLmNoPqRsTuV####", "Bad token ghp_####abcdEFGH####ijklMNOP####qrst"
    ),
    "error_with_ip": _failure_saying("connect ECONNREFUSED 10.1#.2#.3#:5432", "No route to 2001:db8::####:1"),
    "error_with_uuid": _failure_saying("Row 0f3b####-12ab-4cde-8f01-2345####6789 is locked"),
    "error_with_file": _failure_saying("Cannot decode IMG_####.HEIC", "Missing /var/uploads/holiday photo ####.jpeg"),
    "error_with_time": _failure_saying("Deadline 2026-05-1#T1#:4#:0#.###Z passed", "Backup since 03:1#:2# is running"),
    "number_as_text": _number_as_text,
    "success_as_text": _success_as_text,
}

# Ids that return on another day are rare in real logs.
WEIGHTS = {name: 0.3 if name == "repeat_on_another_day" else 1.0 for name in KINDS}
