"""The log that is measured on: one simulated log in Parquet files by time, and its ends as shorter histories.

Every history is the end of the same log, so the newest days are the same rows in all of them and only the past differs.
The last hours are separate files, which are added one by one.
"""

import bisect
import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from simulator.log import Log, LogSettings
from simulator.writers import ParquetWriter

_END = datetime(2026, 7, 1)
_ROWS_PER_FILE = 1_000_000
# How many hours there are to add: of each comparison, as many as it has repetitions.
_HOURS = 12


class Logs:
    """The files of the log, and folders that hold a history of them (as hard links, which take no space)."""

    def __init__(self, folder: Path, sizes: list[int], rows_per_day: int) -> None:
        """Draw the log, unless it is there already."""
        self._folder = folder
        self._index = folder / "index.json"
        wanted = {"sizes": sizes, "rows_per_day": rows_per_day}
        if not self._index.exists() or json.loads(self._index.read_text())["of"] != wanted:
            self._draw(wanted)
        index = json.loads(self._index.read_text())
        self._files, self._hours = index["files"], index["hours"]

    def whole(self, rows: int) -> str:
        """The pattern that names a history of so many rows, without the hours to come."""
        return f"{self._linked(rows, 'whole')}/*.parquet"

    def growing(self, rows: int) -> str:
        """The same in another folder, to which hours are added."""
        return f"{self._linked(rows, 'growing')}/*.parquet"

    def add_hour(self, rows: int) -> Path | None:
        """Add the next hour to a growing history; None when there is no further one."""
        folder = self._linked(rows, "growing")
        for name in self._hours:
            if not (folder / name).exists():
                os.link(self._folder / name, folder / name)
                return folder / name
        return None

    def hours(self) -> list[Path]:
        """The files of the hours to come."""
        return [self._folder / name for name in self._hours]

    def size(self, rows: int) -> int:
        """How many bytes the files of a history have."""
        return sum(path.stat().st_size for path in self._linked(rows, "whole").iterdir())

    def _linked(self, rows: int, kind: str) -> Path:
        folder = self._folder / f"{kind}-{rows}"
        if not folder.exists():
            folder.mkdir()
            for name, first in self._files.items():
                if first >= -rows:
                    os.link(self._folder / name, folder / name)
        return folder

    def _draw(self, wanted: dict[str, object]) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        longest, hours = max(wanted["sizes"]), _HOURS
        # the hours to come are beyond the longest history
        margin = hours * wanted["rows_per_day"] // 6 + 1_000
        days = max(2, round((longest + margin) / wanted["rows_per_day"]))
        log = Log(LogSettings(rows=longest + margin, days=days, end=_END, seed=1))
        in_hours = log._rows_per_minute[len(log._rows_per_minute) - 60 * hours :].reshape(hours, 60).sum(axis=1)
        history = log.rows - int(in_hours.sum())
        # where files begin: at every history's first row, at every millionth row before the end, at every hour
        firsts = {history - rows for rows in wanted["sizes"]} | set(range(history, history - longest, -_ROWS_PER_FILE))
        firsts |= {history + int(in_hours[:hour].sum()) for hour in range(hours)}
        firsts = sorted(firsts)
        names = [
            f"log-{number:04d}.parquet" if first < history else f"log-hour-{number:04d}.parquet"
            for number, first in enumerate(firsts)
        ]
        with tqdm(total=log.rows, desc="the log", unit=" rows", unit_scale=True, disable=None) as bar:
            for name, tables in _split(log, firsts, names):
                with pa.OSFile(str(self._folder / name), "wb") as file:
                    writer = ParquetWriter(file, log.schema)
                    for table in tables:
                        writer.write(table)
                        bar.update(table.num_rows)
                    writer.close()
        files = {name: first - history for name, first in zip(names, firsts, strict=True)}
        self._index.write_text(
            json.dumps(
                {
                    "of": wanted,
                    "files": {name: first for name, first in files.items() if first < 0},
                    "hours": [name for name, first in files.items() if first >= 0],
                }
            )
        )


def _split(log: Log, firsts: list[int], names: list[str]) -> Iterator[tuple[str, Iterator[pa.Table]]]:
    """The rows of the log from the first cut on, file by file."""
    pieces = _pieces(log, firsts)
    waiting = next(pieces, None)
    for number, name in enumerate(names):

        def of_this_file(number: int = number) -> Iterator[pa.Table]:
            nonlocal waiting
            while waiting is not None and waiting[0] == number:
                yield waiting[1]
                waiting = next(pieces, None)

        yield name, of_this_file()


def _pieces(log: Log, firsts: list[int]) -> Iterator[tuple[int, pa.Table]]:
    """The rows of the log in order, each piece with the number of the file that it belongs to."""
    position = 0
    for table in log.tables():
        cuts = sorted({position, position + table.num_rows, *firsts})
        cuts = [cut for cut in cuts if position <= cut <= position + table.num_rows]
        for begin, end in zip(cuts, cuts[1:], strict=False):
            number = bisect.bisect_right(firsts, begin) - 1
            if number >= 0:
                yield number, table.slice(begin - position, end - begin)
        position += table.num_rows


def first_time(path: Path) -> datetime:
    """The time of a file's first row."""
    return pq.ParquetFile(path).read_row_group(0, columns=["created_at"])["created_at"][0].as_py()


def tables_of(files: list[Path]) -> Iterator[pa.Table]:
    """The rows of Parquet files, some at a time."""
    for path in sorted(files):
        for batch in pq.ParquetFile(path).iter_batches(122_880):
            yield pa.Table.from_batches([batch])
