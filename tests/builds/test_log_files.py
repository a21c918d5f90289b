"""Each file of the log is looked at by itself: it is read right, or refused by its name in one line that quotes
nothing; and as many rows are read as there are records in it, by a count of its own."""

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory import NewWarehouse, examples
from logs import failed_row, sound_row
from project import ROOT
from warehouses import COLUMNS, SCHEMA, Row, Warehouse, arrow_table, as_text

_OPTIONAL = ("scene", "photo_size", "timings", "model")
# Stands in rows that cannot be read; no message may hold it.
_MARK = "quotedmark"
_ROWS = [sound_row(0), failed_row(1, f"{_MARK}: no such bucket"), sound_row(2, style=_MARK)]
_CUT = [failed_row(0, "cut \ud83d"), sound_row(1), sound_row(2), failed_row(3, "once more \udc00\\u")]
_NAMING_COLUMNS = [
    *_ROWS,
    *(
        failed_row(3 + number, text, costs=None, tokens=None)
        for number, text in enumerate(
            (
                "Key (user_id, created_at) already exists.",
                "ERROR: duplicate key\nDETAIL: Key (user_id, created_at)=(1, 2) already exists.",
                "the columns were\nid,user_id,created_at\nand more",
                'duplicate key value violates "generation_logs_user_id_created_at_key"',
            )
        )
    ),
]


def _csv(rows: list[Row], columns: tuple[str, ...] = COLUMNS, *, ends: str = "\n", delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator=ends, delimiter=delimiter)
    writer.writeheader()
    writer.writerows({name: as_text(row.get(name)) for name in columns} for row in rows)
    return text.getvalue()


def _json(row: Row) -> str:
    typed = {name: json.loads(as_text(row[name])) for name in ("costs", "tokens", "success") if name in row}
    return json.dumps({name: value for name, value in (row | typed).items() if value is not None})


def _jsonl(rows: list[Row]) -> str:
    return "".join(_json(row) + "\n" for row in rows)


def _parquet(rows: list[Row], path: Path, **columns: pa.Array) -> None:
    table = arrow_table(rows, typed=True)
    for name, values in columns.items():
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, values)
        else:
            table = table.append_column(name, values)
    pq.write_table(table, path)


def _string_that_is_no_utf8(folder: Path) -> None:
    bad = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\4\0\0\0"), pa.py_buffer(b"caf\xe9"))
    _parquet(_ROWS[:1], folder / "log.parquet", style=bad)


def _with_duckdb(rows: list[Row], path: Path, select: str) -> None:
    """A Parquet file of types that Arrow does not write."""
    source = path.with_suffix(".arrow.source")
    _parquet(rows, source)
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {select} from read_parquet('{source}')) to '{path}' (format parquet)")
    source.unlink()


@pytest.fixture(scope="module")
def shared(module_warehouse: NewWarehouse) -> Warehouse:
    """A warehouse for all files of this module: only the log is opened in it."""
    return module_warehouse("duckdb")


_LOG = "public.generation_logs"
_OPEN = {"command": "run", "select": "log_files"}


@dataclass
class Read:
    """Files that are read: what is written, the rows that the log then has, and how many of them are unreadable."""

    write: Callable[[Path], object]
    rows: list[Row] = field(default_factory=lambda: _ROWS)
    unreadable: int = 0
    name: str = "log*"
    variables: dict[str, object] = field(default_factory=dict)


def _texts(folder: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = folder / re.sub("_(?=[a-z]+$)", ".", name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _gzipped(folder: Path) -> None:
    (folder / "log.csv.gz").write_bytes(gzip.compress(_csv(_ROWS, ends="\r\n").encode()))
    (folder / "log.jsonl.gz").write_bytes(gzip.compress(_jsonl([sound_row(9)]).encode()))


def _brackets(folder: Path) -> None:
    (folder / "[x].csv").write_text(_csv(_ROWS))
    (folder / "x.csv").write_text(_csv([]))


def _named_like_a_column(folder: Path) -> None:
    (folder / "created_at=2026-03-09").mkdir()
    _parquet(_ROWS, folder / "created_at=2026-03-09" / "log.parquet")


def _record_and_text(folder: Path) -> None:
    costs = [json.loads(row["costs"]) for row in _ROWS[:2]]
    _parquet(_ROWS[:2], folder / "log_1.parquet", costs=pa.array(costs))
    _parquet(_ROWS[2:], folder / "log_2.parquet", costs=pa.array(['{"gift":1,"total":2}']))


def _naive_and_utc(folder: Path) -> None:
    _parquet(_ROWS[:2], folder / "log_1.parquet")
    times = pa.array([9 * 3_600_000_000], pa.timestamp("us", "UTC"))
    _parquet(_ROWS[2:], folder / "log_2.parquet", created_at=times)


def _without_tokens(number: int) -> Row:
    return {name: value for name, value in sound_row(number).items() if name != "tokens"}


_BROKEN_JSON = '{"id": "cut of'
_WIDE = [row | {"scene": "beach", "photo_size": 123, "timings": '{"queue":5}', "model": "m-1"} for row in _ROWS]

_READ = {
    "CSV of CRLF": Read(lambda folder: _texts(folder, log_csv=_csv(_ROWS, ends="\r\n"))),
    "CSV with all kinds of line ends inside of quotes": Read(
        lambda folder: _texts(folder, log_csv=_csv([row | {"error_message": "a\r\nb\rc\nd"} for row in _ROWS]))
    ),
    "CSV of CRLF with LF inside of quotes": Read(
        lambda folder: _texts(
            folder, log_csv=_csv([row | {"error_message": "a\n\nb"} for row in _ROWS], ends="\r\n")
        )
    ),
    "CSV with a byte order mark": Read(lambda folder: _texts(folder, log_csv="\ufeff" + _csv(_ROWS))),
    "CSV with names in capitals and quotes": Read(
        lambda folder: _texts(folder, log_csv=_csv(_ROWS).replace("id,user_id", '"ID", "USER_ID"', 1))
    ),
    "a JSON array in which a text is cut within a sign": Read(
        lambda folder: _texts(folder, log_jsonl="[" + ",".join(map(_json, _CUT)) + "]"), _CUT
    ),
    "a JSON array over several lines in which a text is cut within a sign": Read(
        lambda folder: _texts(folder, log_jsonl="[\n" + ",\n".join(map(_json, _CUT)) + "\n]\n"), _CUT
    ),
    "JSON arrays in lines in which a text is cut within a sign": Read(
        lambda folder: _texts(
            folder, log_jsonl="".join("[" + ",".join(map(_json, rows)) + "]\n" for rows in (_CUT[:2], _CUT[2:]))
        ),
        _CUT,
    ),
    "CSV with texts of errors that name its columns": Read(
        lambda folder: _texts(folder, log_csv=_csv(_NAMING_COLUMNS)), [*_ROWS, *_NAMING_COLUMNS[3:]]
    ),
    "CSV with a footer": Read(
        lambda folder: _texts(folder, log_csv=_csv(_ROWS) + "(3 rows)\n"), [*_ROWS, {}], unreadable=1
    ),
    "CSV with lines of too few and too many fields": Read(
        lambda folder: _texts(folder, log_csv=_csv(_ROWS) + f"{_MARK}\n" + ",".join([_MARK] * 12) + "\n"),
        [*_ROWS, {}, {}],
        unreadable=2,
    ),
    "CSV that is cut in a line": Read(
        lambda folder: _texts(folder, log_csv=_csv(_ROWS) + "6f1c3f0e,0a0b"), [*_ROWS, {}], unreadable=1
    ),
    "CSV with blank lines": Read(lambda folder: _texts(folder, log_csv=_csv(_ROWS).replace("\n", "\n\n"))),
    "CSV with NULL as text": Read(
        lambda folder: _texts(
            folder, log_csv=_csv([row | {"user_id": "NULL", "style": "\\N", "error_message": "null"} for row in _ROWS])
        ),
        [row | {"user_id": None, "style": None, "error_message": None} for row in _ROWS],
    ),
    "CSV with a hash and a semicolon in front": Read(
        lambda folder: _texts(folder, log_csv=_csv([row | {"style": "#a;b|c\td"} for row in _ROWS])),
        [row | {"style": "#a;b|c\td"} for row in _ROWS],
    ),
    "two CSV files with columns in other order": Read(
        lambda folder: _texts(folder, log1_csv=_csv(_ROWS[:1]), log2_csv=_csv(_ROWS[1:], COLUMNS[::-1]))
    ),
    "CSV files that gain columns": Read(
        lambda folder: _texts(
            folder, log1_csv=_csv(_ROWS[:2]), log2_csv=_csv(_WIDE[2:], (*COLUMNS, "likes", *_OPTIONAL))
        ),
        [*_ROWS[:2], _WIDE[2]],
    ),
    "a file in brackets": Read(_brackets, name="[x].csv"),
    "gzip, and two formats": Read(_gzipped, [*_ROWS, sound_row(9)]),
    "JSON lines with a byte order mark": Read(lambda folder: _texts(folder, log_jsonl="\ufeff" + _jsonl(_ROWS))),
    "JSON lines with names in capitals": Read(
        lambda folder: _texts(
            folder,
            log_jsonl="".join(
                json.dumps({name.upper(): value for name, value in json.loads(_json(row)).items()}) + "\n"
                for row in _ROWS
            ),
        )
    ),
    "JSON lines of both spellings": Read(
        lambda folder: _texts(folder, log_jsonl=_jsonl(_ROWS[:2]) + _jsonl(_ROWS[2:]).replace('"id"', '"Id"'))
    ),
    "JSON lines with an empty file": Read(lambda folder: _texts(folder, log1_jsonl=_jsonl(_ROWS), log2_jsonl="")),
    "JSON lines without lines": Read(lambda folder: _texts(folder, log_jsonl="\n \n"), []),
    "an empty file of JSON lines": Read(lambda folder: _texts(folder, log_jsonl=""), []),
    "JSON lines of CRLF": Read(lambda folder: _texts(folder, log_jsonl=_jsonl(_ROWS).replace("\n", "\r\n\r\n"))),
    "an array over lines": Read(
        lambda folder: _texts(folder, log_jsonl="[\n" + _jsonl(_ROWS).strip().replace("\n", ",\n") + "\n]\n")
    ),
    "an array in a line": Read(
        lambda folder: _texts(folder, log_jsonl="[" + _jsonl(_ROWS).strip().replace("\n", ",") + "]\n")
    ),
    "objects over lines": Read(
        lambda folder: _texts(
            folder, log_jsonl="\n".join(json.dumps(json.loads(_json(row)), indent=2) for row in _ROWS)
        )
    ),
    "several objects in a line": Read(
        lambda folder: _texts(
            folder, log_jsonl="".join(map(_json, [*_ROWS[:2], _ROWS[2] | {"style": "a } { b }{ c"}])) + "\n"
        ),
        [*_ROWS[:2], _ROWS[2] | {"style": "a } { b }{ c"}],
    ),
    "an object cut into two by its middle": Read(
        lambda folder: _texts(
            folder, log_jsonl=_jsonl(_ROWS[:2]) + _json(_ROWS[2]).replace(' "difficulty"', ' }{"difficulty"') + "\n"
        ),
        [*_ROWS[:2], {}],
        unreadable=1,
    ),
    "lines that end in commas": Read(
        lambda folder: _texts(folder, log_jsonl=_jsonl(_ROWS).replace("}\n", "},\n")),
    ),
    "one object, over lines of CR": Read(
        lambda folder: _texts(folder, log_jsonl=_json(_ROWS[0]).replace(', "success"', ',\r "success"') + "\n"),
        _ROWS[:1],
    ),
    "half a surrogate pair": Read(
        lambda folder: _texts(
            folder,
            log_jsonl=_jsonl(_ROWS) + _json(sound_row(7, style="é🎨")).replace("\\udfa8", "\\udfa8 \\ud83d"),
        ),
        [*_ROWS, sound_row(7, style="é🎨 \ufffd")],
    ),
    "an escaped backslash before a u": Read(
        lambda folder: _texts(folder, log_jsonl=f"{_BROKEN_JSON}\n" + _jsonl([sound_row(7, style="a\\ud83d")])),
        [sound_row(7, style="a\\ud83d"), {}],
        unreadable=1,
    ),
    "JSON lines among others": Read(
        lambda folder: _texts(folder, log_jsonl=f"{_BROKEN_JSON}\n{_jsonl(_ROWS)}null\n3\n{_json(_ROWS[0])} x\n"),
        [*_ROWS, {}, {}, {}, {}],
        unreadable=4,
    ),
    "JSON lines of which one is no UTF-8": Read(
        lambda folder: _texts(
            folder, log_jsonl=_jsonl(_ROWS).encode() + b'{"id": "caf\xe9"}\n' + _jsonl([sound_row(7)]).encode()
        ),
        [*_ROWS, sound_row(7), {}],
        unreadable=1,
    ),
    "JSON lines with id and time alone": Read(
        lambda folder: _texts(folder, log_jsonl='{"id": "x"}\n{"created_at": "2026-03-02"}\n'),
        [{"id": "x"}, {"created_at": "2026-03-02"}],
    ),
    "tokens from the 40th file on": Read(
        lambda folder: _texts(
            folder,
            **{
                f"log{number}_jsonl": _jsonl([sound_row(number)] if number > 40 else [_without_tokens(number)])
                for number in range(10, 45)
            },
        ),
        [sound_row(number) if number > 40 else _without_tokens(number) for number in range(10, 45)],
    ),
    "JSON lines that gain columns": Read(
        lambda folder: _texts(folder, log_jsonl=_jsonl([_ROWS[0], *_WIDE[1:]])), [_ROWS[0], *_WIDE[1:]]
    ),
    "a folder named like a column": Read(_named_like_a_column, name="*/log.parquet"),
    "costs as record and as text": Read(
        _record_and_text, [*_ROWS[:2], _ROWS[2] | {"costs": '{"gift":1,"total":2}'}]
    ),
    "a naive and a UTC file": Read(
        _naive_and_utc,
        [row | {"created_at": row["created_at"].replace("09:", "08:")} for row in _ROWS[:2]]
        + [_ROWS[2] | {"created_at": "1970-01-01 09:00:00"}],
        variables={"log_timezone": "Europe/Berlin"},
    ),
    "a naive Parquet file and CSV": Read(
        lambda folder: [_parquet(_ROWS[:2], folder / "log.parquet"), _texts(folder, log_csv=_csv(_ROWS[2:]))],
        [row | {"created_at": row["created_at"].replace("09:", "08:")} for row in _ROWS],
        variables={"log_timezone": "Europe/Berlin"},
    ),
    "a UTC Parquet file and CSV": Read(
        lambda folder: [
            _parquet(
                _ROWS[:1], folder / "log.parquet", created_at=pa.array([9 * 3_600_000_000], pa.timestamp("us", "UTC"))
            ),
            _texts(folder, log_csv=_csv(_ROWS[1:])),
        ],
        [_ROWS[0] | {"created_at": "1970-01-01 09:00:00"}]
        + [row | {"created_at": row["created_at"].replace("09:", "08:")} for row in _ROWS[1:]],
        variables={"log_timezone": "Europe/Berlin"},
    ),
    "strings without the mark of UTF-8": Read(
        lambda folder: _parquet(
            _ROWS,
            folder / "log.parquet",
            **{
                name: pa.array([as_text(row[name]) and as_text(row[name]).encode() for row in _ROWS], pa.binary())
                for name in ("id", "style", "costs", "error_message")
            },
        )
    ),
    "a string that is no UTF-8": Read(_string_that_is_no_utf8, [_ROWS[0] | {"style": "caf?"}]),
    "nanoseconds with a zone": Read(
        lambda folder: _parquet(
            _ROWS[:1], folder / "log.parquet", created_at=pa.array([9 * 10**9], pa.timestamp("ns", "UTC"))
        ),
        [_ROWS[0] | {"created_at": "1970-01-01 00:00:09"}],
    ),
    "a variant": Read(
        lambda folder: _with_duckdb(
            _ROWS, folder / "log.parquet", "* replace (cast(cast(costs as json) as variant) as costs)"
        )
    ),
    "ids and outcomes that became floats": Read(
        lambda folder: _parquet(
            _ROWS,
            folder / "log.parquet",
            user_id=pa.array([41.0, None, 43.0]),
            success=pa.array([1.0, 0.0, 1.0]),
        ),
        [
            row | {"user_id": user, "success": success}
            for row, user, success in zip(_ROWS, ("41", None, "43"), ("1", "0", "1"), strict=True)
        ],
    ),
    "Parquet files that gain columns": Read(
        lambda folder: [
            _parquet(_ROWS[:2], folder / "log_1.parquet"),
            _parquet(_ROWS[2:], folder / "log_2.parquet", **{n: pa.array([_WIDE[2][n]]) for n in _OPTIONAL}),
        ],
        [*_ROWS[:2], _WIDE[2]],
    ),
}  # fmt: skip


def _as_read(warehouse: Warehouse) -> list[Row]:
    """The log's rows as texts, the time as the warehouse reads it."""
    names = [*COLUMNS[:-1], *_OPTIONAL]
    found = warehouse.query(
        f"select {', '.join(f'cast({name} as varchar)' for name in names)},"
        f" cast({SCHEMA}_internal.as_utc(created_at) as varchar) from {_LOG}"
    )
    return [dict(zip([*names, "created_at"], row, strict=True)) for row in found]


def _comparable(rows: list[Row]) -> list[tuple]:
    def plain(name: str, value: object) -> str | None:
        text = as_text(value)
        if text and name in ("costs", "tokens", "timings"):
            return json.dumps(json.loads(text), sort_keys=True)
        return text or None

    names = [*COLUMNS, *_OPTIONAL]
    ignored = ("error_message",)
    return sorted(
        (tuple(plain(name, row.get(name)) for name in names if name not in ignored) for row in rows), key=repr
    )


@pytest.mark.parametrize("what", _READ)
def test_a_file_is_read_as_what_it_is(shared: Warehouse, tmp_path: Path, what: str) -> None:
    case = _READ[what]
    case.write(tmp_path)
    shared.log = str(tmp_path / case.name)
    shared.run(**_OPEN, variables=case.variables)
    rows = _as_read(shared)
    expected = [row | {"created_at": row.get("created_at") and _full(row["created_at"])} for row in case.rows]
    assert _comparable(rows) == _comparable(expected)
    assert shared.query(f"select count(*) filter (where is_unreadable) from {_LOG}") == [(case.unreadable,)]
    assert shared.query(f"select sum(record_count) from {_LOG}_files") == [(len(case.rows),)]
    assert shared.query(f"select count(*) from {SCHEMA}_internal.log_files") == shared.query(
        f"select count(*) from {_LOG}_files"
    )


def test_a_relative_name_is_of_the_folder_of_the_run_whatever_its_environment_calls_it(
    shared: Warehouse, tmp_path: Path
) -> None:
    name = "sample/generation_logs.parquet"
    (tmp_path / "sample").mkdir()
    _parquet(_ROWS, tmp_path / name)
    rows = pq.read_metadata(ROOT / name).num_rows
    shared.log = name
    for folder in (tmp_path, ROOT, tmp_path / "that is not there"):
        shared.settings = {"PWD": str(folder)}
        shared.run(**_OPEN)
        shared.settings = {}
        assert shared.query(f"select count(*) from {_LOG}") == [(rows,)]


def _full(time: str) -> str:
    return time if " " in time else f"{time} 00:00:00"


_TEXT = ("UTF-8", "commas", "doubled quotes", "one kind of line end")

_REFUSED: dict[str, tuple[str, Callable[[Path], object], tuple[str, ...]]] = {
    "an appended export with a further column": (
        "log.csv",
        lambda folder: _texts(
            folder, log_csv=_csv(_ROWS) + _csv([row | {"model": "m"} for row in _ROWS], (*COLUMNS, "model"))
        ),
        ("log.csv", "second header", *_TEXT),
    ),
    "a part without header": (
        "log*.csv",
        lambda folder: _texts(folder, log1_csv=_csv(_ROWS), log2_csv=_csv(_ROWS).split("\n", 1)[1]),
        ("log2.csv", "header line", *_TEXT),
    ),
    "CRLF and LF": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS, ends="\r\n") + _csv(_ROWS).split("\n", 1)[1]),
        ("log.csv", "several kinds of line end", *_TEXT),
    ),
    "LF and CRLF": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS) + _csv(_ROWS, ends="\r\n").split("\n", 1)[1]),
        ("log.csv", "several kinds of line end", *_TEXT),
    ),
    "LF and CR": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS) + _csv(_ROWS, ends="\r").split("\r", 1)[1]),
        ("log.csv", "several kinds of line end", *_TEXT),
    ),
    "CRLF and LF in gzip": (
        "log.csv.gz",
        lambda folder: (folder / "log.csv.gz").write_bytes(
            gzip.compress((_csv(_ROWS, ends="\r\n") + _csv(_ROWS).split("\n", 1)[1]).encode())
        ),
        ("log.csv.gz", "several kinds of line end", *_TEXT),
    ),
    "Latin-1": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv([*_ROWS, sound_row(7, style="été")]).encode("latin-1")),
        ("log.csv", "no UTF-8", *_TEXT),
    ),
    "Latin-1 in gzip": (
        "log.csv.gz",
        lambda folder: (folder / "log.csv.gz").write_bytes(
            gzip.compress(_csv([*_ROWS, sound_row(7, style="é")]).encode("latin-1"))
        ),
        ("log.csv.gz", "no UTF-8", *_TEXT),
    ),
    "UTF-16": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS).encode("utf-16")),
        ("log.csv", "UTF-16", *_TEXT),
    ),
    "UTF-16 without a mark": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS).encode("utf-16-be")),
        ("log.csv", "UTF-16", *_TEXT),
    ),
    "JSON lines in UTF-16": (
        "log.jsonl",
        lambda folder: _texts(folder, log_jsonl=_jsonl(_ROWS).encode("utf-16")),
        ("log.jsonl", "UTF-16", "one object a line"),
    ),
    "semicolons": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS, delimiter=";")),
        ("log.csv", "semicolons", *_TEXT),
    ),
    "tabs": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS, delimiter="\t")),
        ("log.csv", "tabs", *_TEXT),
    ),
    "a quote that stays open": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS) + f'"{_MARK},' + _csv(_ROWS).split("\n", 1)[1]),
        ("log.csv", "quote", *_TEXT),
    ),
    "quotes that are not doubled": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS).replace('""', '"')),
        ("log.csv", *_TEXT),
    ),
    "a byte of zero": (
        "log.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS).replace("anime", "an\0ime", 1)),
        ("log.csv", "zero", *_TEXT),
    ),
    "another table in Parquet": (
        "*.parquet",
        lambda folder: [
            _parquet(_ROWS, folder / "log.parquet"),
            pq.write_table(arrow_table(_ROWS).select(["id", "created_at"]), folder / "users.parquet"),
        ],
        ("users.parquet", "another table"),
    ),
    "another table in CSV": (
        "*.csv",
        lambda folder: _texts(folder, log_csv=_csv(_ROWS), users_csv="id,email,created_at\n1,a@b.org,2026-03-02\n"),
        ("users.csv", "another table"),
    ),
    "another table in JSON lines": (
        "*.jsonl",
        lambda folder: _texts(
            folder, log_jsonl=_jsonl(_ROWS), users_jsonl='{"id": "1", "email": "a", "created_at": "2026-03-02"}\n'
        ),
        ("users.jsonl", "another table"),
    ),
    "another table with columns of the log in JSON lines": (
        "*.jsonl",
        lambda folder: _texts(
            folder,
            log_jsonl=_jsonl(_ROWS),
            jobs_jsonl='{"id": "1", "user_id": "2", "job_id": "3", "status": "a", "created_at": "2026-03-02"}\n',
        ),
        ("jobs.jsonl", "another table"),
    ),
    "CSV named JSON lines": (
        "log.jsonl",
        lambda folder: _texts(folder, log_jsonl=_csv(_ROWS)),
        ("log.jsonl", "one object a line"),
    ),
    "costs in a list": (
        "log.parquet",
        lambda folder: _parquet(_ROWS, folder / "log.parquet", costs=pa.array([[1.5]] * 3)),
        ("log.parquet", "costs", "DOUBLE[]", "JSON"),
    ),
}


@pytest.mark.parametrize("what", _REFUSED)
def test_a_file_that_cannot_be_read_is_refused_by_name_and_no_row_of_it_is_quoted(
    shared: Warehouse, tmp_path: Path, what: str
) -> None:
    name, write, expected = _REFUSED[what]
    write(tmp_path)
    shared.log = str(tmp_path / name)
    log = shared.target_path / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    outcome = shared.attempt(**_OPEN, log_file=True)
    assert not outcome.success
    missing = [text for text in expected if text not in outcome.text]
    assert not missing, f"dbt does not say {missing}, but: {outcome.text}"
    written = log.read_text()
    assert "log" in written
    for secret in (_MARK, _ROWS[0]["user_id"], "0.04604"):
        assert secret not in outcome.text
        assert secret not in written


# Types


def _duckdb_types() -> list[str]:
    with duckdb.connect() as connection:
        found = [
            name
            for (name,) in connection.execute(
                "select distinct on (upper(logical_type)) type_name from duckdb_types() order by 1"
            ).fetchall()
        ]
    made = {"decimal": "decimal(18, 6)", "enum": "enum('a', 'b')", "struct": "struct(total double)",
            "map": "map(varchar, double)", "list": "double[]", "array": "double[3]", "union": "union(a double)",
            "row": "struct(total double)", "null": '"NULL"'}  # fmt: skip
    return sorted({made.get(name.lower(), name) for name in found} | {"timestamptz_ns", "json", "decimal(18, 6)"})


# what exports are made of; make thorough reads the others
_USUAL = {"bigint", "binary", "bool", "date", "datetime", "decimal(18, 6)", "double", "double[]", "guid", "int", "json",
          "map(varchar, double)", "struct(total double)", "timestamp with time zone"}  # fmt: skip


def _cases_of_types() -> list[object]:
    types = _duckdb_types()
    assert set(types) >= _USUAL
    return [pytest.param(name, marks=() if name in _USUAL else pytest.mark.thorough) for name in types]


@pytest.mark.parametrize("type_", _cases_of_types())
def test_every_type_of_the_engine_is_read_or_refused_by_the_columns_name(
    shared: Warehouse, tmp_path: Path, type_: str
) -> None:
    values = ("'2026-03-02 09:00:00'", "'6f1c3f0e-0000-4000-8000-000000000001'", "'{\"total\":1}'", "'1'", "'true'",
              "'a'", "1", "null")  # fmt: skip
    for column in ("created_at", "user_id", "costs", "difficulty"):
        path = tmp_path / f"{column}.parquet"
        value = None
        for text in values:
            try:
                _with_duckdb(_ROWS[:1], path, f"* replace (cast({text} as {type_}) as {column})")
                value = text
                break
            except duckdb.Error:
                continue
        if value is None:
            continue
        shared.log = str(path)
        outcome = shared.attempt(**_OPEN)
        if not outcome.success:
            assert re.search(f"{column} in the log file '.*{column}.parquet' is of type", outcome.text), outcome.text
            assert "it should be" in outcome.text
            continue
        read = {"created_at": "as_utc(created_at)", "user_id": "as_user_id(user_id)", "costs": "blank_to_null(costs)",
                "difficulty": "usable_number(difficulty, 10)"}[column]  # fmt: skip
        found = shared.query(f"select {SCHEMA}_internal.{read} from {_LOG}")[0][0]
        stored, stored_as = shared.query(f"select {column}, typeof({column}) from read_parquet('{path}')")[0]
        if stored is None or stored_as not in ("VARCHAR", "BLOB", "JSON"):
            # a text may hold anything; of all else no value is lost on the way
            assert (found is None) == (stored is None), f"{column} as {type_}: {stored!r} is read as {found!r}"
        if column == "created_at" and found is not None:
            assert str(found) in ("2026-03-02 09:00:00", "2026-03-02 00:00:00")


# Damage at random, beside Python's own readers


def _damaged(random_: random.Random, text: str, header: str) -> bytes:
    lines = text.splitlines(keepends=True)
    content = text.encode()
    match random_.randrange(12):
        case 0:
            content = content[: random_.randrange(len(content))]
        case 1:
            place = random_.randrange(len(content))
            content = (
                content[:place]
                + random_.choice([b'"', b"\n", b"\r", b",", b"\0", b"\xe9", b"}{", b"\\", b"x"])
                + content[place:]
            )
        case 2:
            place = random_.randrange(len(content))
            content = content[:place] + content[place + random_.randrange(1, 4) :]
        case 3:
            content = text.encode(random_.choice(["utf-16", "utf-16-le", "latin-1", "utf-8-sig"]), errors="replace")
        case 4:
            content = text.replace("\n", random_.choice(["\r\n", "\r", "\n\n", "\n \n"])).encode()
        case 5:
            content = "".join(lines + lines[random_.randrange(len(lines)) :]).encode()
        case 6:
            content = "".join(lines[random_.randrange(len(lines)) :]).encode()
        case 7:
            place = random_.randrange(len(lines))
            content = "".join([*lines[:place], lines[place].strip("\n") + ",more\n", *lines[place + 1 :]]).encode()
        case 8:
            place = random_.randrange(len(lines))
            content = "".join([*lines[:place], lines[place].strip("\n"), *lines[place + 1 :]]).encode()
        case 9:
            place = random_.randrange(len(lines))
            content = "".join(
                [*lines[:place], random_.choice(["(2 rows)\n", "\r\n", "[\n", "null\n", header]), *lines[place:]]
            ).encode()
        case 10:
            content = text.replace('"', random_.choice(["'", '""', '\\"']), random_.randrange(1, 9)).encode()
    return content


def _csv_records(content: bytes) -> list[list[str]] | None:
    try:
        return [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (ValueError, csv.Error):
        return None


def _json_records(content: bytes) -> list[dict | None]:
    decoder, found = json.JSONDecoder(), []
    for line in re.split(b"[\r\n]+", content.removeprefix(b"\xef\xbb\xbf")):
        objects: list[dict | None] = []
        try:
            text = line.decode().strip(" \t")
            while text:
                each, end = decoder.raw_decode(text)
                objects += each if isinstance(each, list) else [each]
                text = text[end:].strip(" \t")
        except ValueError:
            objects = [None]
        found += [each if isinstance(each, dict) else None for each in objects]
    # most lines being no objects, an object may go over several
    if 2 * found.count(None) > len(found):
        try:
            whole = json.loads(content)
        except ValueError:
            return found
        if isinstance(whole, dict):
            return [whole]
    return found


def _random_rows(random_: random.Random) -> list[Row]:
    texts = (None, "", "plain", 'say "no"', "a,b", "line\nbreak", "crlf\r\nbreak", "é 🎨", "a } { b", "\\", "NULL")
    return [
        sound_row(number, style=random_.choice(texts), error_message=random_.choice(texts))
        for number in range(random_.randrange(1, 12))
    ]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_no_row_of_a_damaged_file_is_lost_in_silence(shared: Warehouse, tmp_path: Path, kind: str) -> None:
    read, wrong = 0, []
    for seed in range(examples(15)):
        random_ = random.Random(f"{kind} {seed}")
        rows = _random_rows(random_)
        text = _csv(rows) if kind == "csv" else _jsonl(rows)
        content = _damaged(random_, text, text.split("\n", 1)[0] + "\n")
        path = tmp_path / f"{seed}.{kind}"
        path.write_bytes(content)
        shared.log = str(path)
        outcome = shared.attempt(**_OPEN)
        if not outcome.success:
            if path.name not in outcome.text:
                wrong.append(f"{kind} {seed}: {outcome.text[:400]}")
            continue
        read += 1
        found = shared.query(f"select id, style, is_unreadable from {_LOG}")
        if kind == "csv":
            records = _csv_records(content)
            header, *records = records or [[]]
            ids = sorted(row[0] for row in records if len(row) == len(header))
        else:
            records = _json_records(content)
            ids = sorted(str(each.get("id")) for each in records if each is not None)
        if len(records) != len(found):
            wrong.append(f"{kind} {seed}: {len(found)} rows of {len(records)}")
        elif sorted(str(row[0]) for row in found if not row[2]) != ids:
            wrong.append(f"{kind} {seed}: other ids")
    assert not wrong, "\n".join(wrong)
    assert read > examples(15) / 4


# What a run makes of it


def test_an_unreadable_line_is_an_issue_of_its_own(new_warehouse: NewWarehouse) -> None:
    for kind, broken in (("csv", "(3 rows)"), ("jsonl", _BROKEN_JSON)):
        warehouse = new_warehouse("duckdb")
        path = warehouse.folder / f"log.{kind}"
        path.write_text((_csv(_ROWS) if kind == "csv" else _jsonl(_ROWS)) + broken + "\n")
        warehouse.log = str(path)
        warehouse.run(select="+fct_generations +generation_log_issues")
        assert len(warehouse.mart("fct_generations")) == len(_ROWS)
        issues = [row for row in warehouse.mart("generation_log_issues") if row["disposition"] != "counted"]
        assert [(row["issue"], row["disposition"], row["row_count"]) for row in issues] == [
            ("unreadable_row", "set_aside", 1)
        ]


_SHORT = f"{_MARK},x\n"


@pytest.mark.parametrize(
    ("ends", "make", "place"),
    [
        ("\n", lambda text: text.encode() + _SHORT.encode() * 9, "line 5"),
        ("\n", lambda text: text.replace("anime", "a\n\nb").encode() + b"\xc3\xa9," + _SHORT.encode() * 9, "line 9"),
        ("\r\n", lambda text: text.encode() + _SHORT.replace("\n", "\r\n").encode() * 9, "line 5"),
        pytest.param(
            *("\n", lambda text: b"\xef\xbb\xbf" + text.encode() + b"\n\n\n" + _SHORT.encode() * 9, "line 8"),
            marks=pytest.mark.thorough,
        ),
        ("\r\n", lambda text: text.encode() + b"\r\n\r\nx\r\n" + b"y\r\n" * 8, "line 7"),
        pytest.param(*("\n", lambda text: text.encode() + b"x\n\n" + b"y\n" * 8, "line 5"), marks=pytest.mark.thorough),
        ("\n", lambda text: gzip.compress(text.encode() + _SHORT.encode() * 9), "record 5 (the header is the first)"),
    ],
    ids=["plain", "lines in quotes", "CRLF", "byte order mark", "blank lines", "one letter", "packed"],
)
def test_the_first_record_that_a_csv_file_loses_is_named_by_its_line(
    new_warehouse: NewWarehouse, ends: str, make: Callable[[str], bytes], place: str
) -> None:
    warehouse = new_warehouse("duckdb")
    content = make(_csv(_ROWS, ends=ends).replace("anime", '"anime"'))
    path = warehouse.folder / ("log.csv.gz" if content[:2] == b"\x1f\x8b" else "log.csv")
    path.write_bytes(content)
    warehouse.log = str(path)
    outcomes = [warehouse.attempt(select="log_files +fct_generations") for _ in range(2)]
    # the file is looked at once
    assert [
        f"has 9 records of more or fewer fields than its header, the first of them in {place}: set aside as "
        "unreadable_row." in outcome.said
        for outcome in outcomes
    ] == [True, False]
    # and the second run knows it still
    for outcome in outcomes:
        told = f"9 of 12 cannot be counted, most of them (9) because of unreadable_row, such as {place} of '"
        assert told in outcome.text
        assert _MARK not in outcome.text + outcome.said


@pytest.mark.mainly_on("postgres")
def test_a_run_that_can_use_less_than_half_fails_before_the_marts_and_says_why(warehouse: Warehouse) -> None:
    rows = [sound_row(0), *(sound_row(number, created_at=_MARK) for number in (1, 2)), sound_row(3, id=None)]
    warehouse.load(rows)
    outcome = warehouse.attempt(select="+fct_generations")
    assert not outcome.success
    for text in ("3 of 4", "missing_created_at", "row 2 ", "max_set_aside_share"):
        assert text in outcome.text
    assert _MARK not in outcome.text
    assert not {"fct_generations", "generation_log_issues"} & {name for _, name, _ in warehouse.relations()}
    warehouse.run(select="+fct_generations", variables={"max_set_aside_share": 0.75})
    assert len(warehouse.mart("fct_generations")) == 1
    # what is set aside already is not held against the next run
    warehouse.run(select="+fct_generations")
    warehouse.load([*rows, sound_row(4)])
    warehouse.run(select="+fct_generations")
    warehouse.load([*rows, sound_row(4), *(sound_row(number, created_at="soon") for number in range(5, 9))])
    assert not warehouse.attempt(select="+fct_generations").success


def test_a_file_that_has_not_changed_is_not_counted_again(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    for number in range(3):
        (warehouse.folder / f"log{number}.csv").write_text(_csv([sound_row(number)]))
    warehouse.log = str(warehouse.folder / "log*.csv")
    warehouse.run(**_OPEN)
    log = warehouse.target_path / "logs" / "dbt.log"
    for changed in (None, "log1.csv"):
        if changed:
            (warehouse.folder / changed).write_text(_csv([sound_row(7), sound_row(8)]))
        log.unlink(missing_ok=True)
        warehouse.attempt(**_OPEN, log_file=True)
        counted = re.findall(r"from read_csv\(\[(.*?)\]", log.read_text().split("create or replace view")[0])
        assert {Path(path).name for paths in counted for path in re.findall("'(.*?)'", paths)} == {changed} - {None}
    assert warehouse.query(f"select record_count from {SCHEMA}_internal.log_files order by path") == [(1,), (2,), (1,)]
    assert warehouse.query(f"select count(*) from {_LOG}") == [(4,)]


def test_thousands_of_files_are_opened_by_a_handful_of_queries(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("duckdb")
    for number in range(1_500):
        (warehouse.folder / f"{number}.jsonl").write_text(_jsonl([sound_row(number)]))
    warehouse.log = str(warehouse.folder / "*.jsonl")
    warehouse.attempt(**_OPEN, log_file=True)
    assert warehouse.query(f"select count(distinct id) from {_LOG}") == [(1_500,)]
    log = (warehouse.target_path / "logs" / "dbt.log").read_text()
    assert log.count("read_csv([") + log.count("read_json([") < 8


# PostgreSQL


def test_columns_of_a_table_are_read_by_their_type_or_refused_by_name(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load(_ROWS, typed=True)
    warehouse.execute("create type a_style as enum ('anime', 'quotedmark'); drop index created_at_index")
    warehouse.execute(
        "alter table generation_logs alter user_id type bigint using 41, alter difficulty type smallint,"
        " alter style type a_style using style::a_style, alter duration_ms type real, add scene text, add model varchar"
    )
    warehouse.run(select="+fct_generations")
    fact = warehouse.mart("fct_generations")
    assert {(row["style"], row["difficulty"]) for row in fact} == {("anime", 3), (_MARK, 3)}
    assert {row["user_key"] for row in fact} == {warehouse.user_key("41")}
    for column, type_ in (("created_at", "bigint"), ("costs", "text[]"), ("success", "date"), ("id", "integer")):
        other = new_warehouse("postgres")
        other.load([], typed=True)
        other.execute(f"alter table generation_logs alter {column} type {type_} using null")
        outcome = other.attempt(select="+fct_generations")
        assert not outcome.success
        assert f"{column} in the log" in outcome.text
        assert "Nothing was touched" in outcome.text
        assert other.relations() == set()
