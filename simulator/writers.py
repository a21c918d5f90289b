"""Writing a log to a file: Parquet, CSV or JSON lines."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from simulator.texts import uuid_texts

# Small enough that a filter on created_at skips most of a file.
_ROW_GROUP_ROWS = 122_880
_DOCUMENTS = ("costs", "tokens")
# Columns that JSON has types for: text that looks like it is written bare, so that a log with dirt is mixed. Longer
# numbers stay text, because readers would round them.
_BARE_COLUMNS = ("difficulty", "duration_ms", "success")
_BARE_TEXT = r"^(-?(0|[1-9][0-9]{0,14})|true|false)$"


class Writer(Protocol):
    """Takes the rows of a log in order."""

    def write(self, table: pa.Table) -> None:
        """Add rows."""

    def close(self) -> None:
        """Finish."""


class ParquetWriter:
    """One Parquet file with row groups of one size."""

    def __init__(self, file: pa.NativeFile, schema: pa.Schema) -> None:
        """Begin a file."""
        # Dictionaries only where values repeat.
        self._writer = pyarrow.parquet.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in schema.names if name in ("user_id", "style", "difficulty", "success")],
        )
        self._schema = schema
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0

    def write(self, table: pa.Table) -> None:
        """Add rows; they reach the file when a row group is full."""
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= _ROW_GROUP_ROWS:
            rows = pa.concat_tables(self._waiting)
            full = self._waiting_rows // _ROW_GROUP_ROWS * _ROW_GROUP_ROWS
            self._writer.write_table(rows.slice(0, full), row_group_size=_ROW_GROUP_ROWS)
            self._waiting = [rows.slice(full)]
            self._waiting_rows -= full

    def close(self) -> None:
        """Write what waits, and the footer."""
        if self._waiting_rows:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=_ROW_GROUP_ROWS)
        self._writer.close()


class CsvWriter:
    """RFC 4180 with a header; null is empty, and an empty text is quoted."""

    def __init__(self, file: pa.NativeFile, schema: pa.Schema) -> None:
        """Begin a file with its header."""
        file.write(",".join(schema.names).encode() + b"\n")
        self._file = file

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._file.write(csv_rows(table))

    def close(self) -> None:
        """Nothing is left to write."""


class JsonLinesWriter:
    """One JSON object a line."""

    def __init__(self, file: pa.NativeFile, nested: bool) -> None:
        """Begin a file; `nested` writes valid documents as JSON rather than as text that holds JSON."""
        self._file = file
        self._database = duckdb.connect() if nested else None

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        if not table.num_rows:
            return
        nested = self._nested_documents(table)
        pieces: list[pa.Array | str] = []
        for name, column in _columns_with_text_ids(table).items():
            pieces.append(("," if pieces else "{") + f'"{name}":')
            pieces.append(self._values(name, column, nested.get(name)))
        lines = pc.binary_join_element_wise(*pieces, "}\n", "")
        self._file.write(_joined(lines))

    def close(self) -> None:
        """Let go of the database that checks documents."""
        if self._database:
            self._database.close()

    def _values(self, name: str, column: pa.Array, is_nested: pa.Array | None) -> pa.Array:
        text = column.cast(pa.string())
        quoted = _quoted(text)
        if is_nested is not None:
            quoted = pc.if_else(is_nested, text, quoted)
        elif name in _BARE_COLUMNS:
            quoted = pc.if_else(pc.match_substring_regex(text, _BARE_TEXT), text, quoted)
        return quoted.fill_null("null")

    def _nested_documents(self, table: pa.Table) -> dict[str, pa.Array]:
        """Which documents are valid objects or arrays: bare strings and nulls would read as something else."""
        if not self._database:
            return {}
        query = ", ".join(f"coalesce(json_valid({name}) and {name}[1] in ('{{', '['), false)" for name in _DOCUMENTS)
        nested = self._database.from_arrow(table.select(_DOCUMENTS)).project(query).to_arrow_table()
        return dict(zip(_DOCUMENTS, (column.combine_chunks() for column in nested.columns), strict=True))


def write_file(path: Path, tables: Iterable[pa.Table], schema: pa.Schema, nested: bool = False) -> None:
    """Write a log; its format follows from the extension, and nothing is under `path` until it is whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with pa.OSFile(str(temporary), "wb") as file:
            writer = _writer(path.suffix, file, schema, nested)
            try:
                for table in tables:
                    writer.write(table)
            except BaseException:
                # The file is thrown away; what closing it says must not hide the first error.
                with contextlib.suppress(pa.ArrowException, OSError):
                    writer.close()
                raise
            writer.close()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def csv_rows(table: pa.Table) -> pa.Buffer:
    """Rows as CSV, without a header."""
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(_columns_with_text_ids(table)), sink, options)
    return sink.getvalue()


def _writer(extension: str, file: pa.NativeFile, schema: pa.Schema, nested: bool) -> Writer:
    if extension == ".parquet":
        return ParquetWriter(file, schema)
    if extension == ".csv":
        return CsvWriter(file, schema)
    return JsonLinesWriter(file, nested)


def _columns_with_text_ids(table: pa.Table) -> dict[str, pa.Array]:
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    return {name: uuid_texts(column) if column.type == pa.uuid() else column for name, column in columns.items()}


def _quoted(text: pa.Array) -> pa.Array:
    # No text of a log holds a control character, which would need escaping too.
    escaped = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
    return pc.binary_join_element_wise('"', escaped, '"', "")


def _joined(lines: pa.StringArray) -> memoryview:
    """The texts of a column without nulls, one after the other."""
    offsets, data = lines.buffers()[1:]
    ends = memoryview(offsets).cast("i")
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]
