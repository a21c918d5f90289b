"""The command: python -m warehouse sql, for a question without another client."""

import argparse
import csv
import sys
from decimal import Decimal

from warehouse.database import Database
from warehouse.errors import NeverBuiltError

DESCRIPTION = (
    "Ask the warehouse a question in SQL, on either engine, and print the answer whole. Nothing can be changed by it. "
    "A table of the marts needs no schema before its name."
)
EPILOG = 'Example: python -m warehouse sql "select * from warehouse_clock"\nQuestions with their SQL: docs/questions.md'
# How long to wait for another process that has the file of DuckDB.
_WAIT_SECONDS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, or `-` for one that comes by standard input."""
    parser.add_argument("question", help="SQL; - reads it from standard input")
    parser.add_argument("--csv", action="store_true", help="as CSV, for other programs")


def run(options: argparse.Namespace) -> int:
    """Ask, and print."""
    question = sys.stdin.read() if options.question == "-" else options.question
    database = Database(_WAIT_SECONDS)
    with database.reading() as transaction:
        marts = f"{database.schema}_marts"
        if not transaction.exists(marts, "fct_generations"):
            raise NeverBuiltError("The warehouse is not built yet. Run `make build` or `dbt build`.")
        columns, rows = transaction.answer(question.strip().rstrip(";"), schema=marts)
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *rows])
    else:
        print("\n".join(lines_of(columns, rows)))
    return 0


def lines_of(columns: list[str], rows: list[tuple]) -> list[str]:
    """A table as people read it, with the number of rows."""
    texts = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *texts, strict=True)]
    is_number = [
        bool(rows) and all(isinstance(row[place], int | float | Decimal | None) for row in rows)
        for place in range(len(columns))
    ]

    def line(cells: list[str]) -> str:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, is_number, strict=True)
        )
        return "  ".join(aligned).rstrip()

    counted = f"({len(rows):,} row{'s' if len(rows) != 1 else ''})"
    return [line(columns), line(["-" * width for width in widths]), *map(line, texts), counted]


def _text(value: object) -> str:
    """A value in one line; what could steer a terminal is shown as what it is. Unknown is nothing."""
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) and value != int(value) else str(value)
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
