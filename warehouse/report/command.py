"""The command: python -m warehouse report."""

import argparse
import datetime as dt
import os
import sys
from pathlib import Path

from warehouse.database import Database
from warehouse.report import mail
from warehouse.report.data import Marts
from warehouse.report.page import smallest_fitting

DESCRIPTION = "Make one page with the numbers of the warehouse: a file that needs no server and asks no other place."
EPILOG = mail.HELP
# Twice 90 days, the running one, and one that the log may have begun in.
_DAYS = 182
_MOST_DAYS = 732


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the page goes, how much it holds, and whether it is sent."""
    parser.add_argument(
        "--out", type=Path, default=Path("build/report.html"), metavar="FILE", help="default: build/report.html"
    )
    parser.add_argument(
        "--days", type=_day_count, default=_DAYS, metavar="N", help=f"how many days it holds; default: {_DAYS}"
    )
    parser.add_argument(
        "--send", action="store_true", help="also send it, and its first numbers in words, to whom REPORT_URLS names"
    )
    parser.add_argument(
        "--wait", type=float, default=240, metavar="SECONDS", help="DuckDB: for a run at work; default: 240"
    )


def run(options: argparse.Namespace) -> int:
    """Make the page, name it, and send it if asked to."""
    urls, timeout_seconds = mail.recipients(os.environ) if options.send else ([], 0)
    database = Database(options.wait)
    with database.reading() as transaction:
        marts = Marts(transaction, database.schema, options.days)
        made = {
            "made_at": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M}",
            "source": "DuckDB" if database.reads_files else "PostgreSQL",
        }
        data, page = smallest_fitting(marts, made)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    partial = options.out.with_name(f"{options.out.name}.partial")
    try:
        partial.write_text(page, encoding="utf-8")
        os.replace(partial, options.out)
    finally:
        partial.unlink(missing_ok=True)
    print(f"A page with your numbers: {options.out} ({len(page.encode()) / 1024:,.0f} KB)")
    if not options.send:
        return 0
    taken, problems = mail.send(mail.letter(data), options.out, urls, timeout_seconds)
    print(f"Sent to {taken} of {len(urls)}.", flush=True)
    for problem in problems:
        print(f"BROKEN: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _day_count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"a number from 1 to {_MOST_DAYS}")
    return number
