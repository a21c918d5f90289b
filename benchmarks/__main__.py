"""The command: measure, print a table, write docs/benchmarks.md."""

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.logs import Logs
from benchmarks.on_duckdb import OnDuckdb
from benchmarks.on_postgres import running
from benchmarks.processes import ROOT, megabytes_free, remove
from benchmarks.report import Report, machine
from benchmarks.store import Store

_DESCRIPTION = """\
Measure the warehouse on simulated logs, print a table of targets and write docs/benchmarks.md.

parts
  a  full builds on DuckDB, against a script by hand
  b  one more hour of log on DuckDB, after a short and a long history
  c  the same on PostgreSQL, against refreshing materialized views
  d  five questions, to the raw log and to the marts
  e  memory and disk: noted by the other parts
  f  an hourly run with nothing new, against dbt's own start-up
  g  an alert refresh with one more hour of log, against dbt's own start-up, after a short and a long history
  h  the page with the numbers: how long it takes, how large it is

Every measurement is kept in WORK_DIR/results.json at once. A run that was cut off goes on where it was; remove the
file to start again. Logs and databases in WORK_DIR are removed at the end, unless --keep is given."""


def main() -> None:
    """Measure what is asked for, the most telling first."""
    options = _options()
    work = options.work_dir.resolve()
    work.mkdir(parents=True, exist_ok=True)
    sizes = sorted({*options.rows, *options.postgres_rows})
    settings = {"longest": sizes[-1], "rows_per_day": options.rows_per_day, "memory": options.memory}
    store = Store(work / "results.json", settings)
    facts = {"rows": options.rows, "postgres_rows": options.postgres_rows, "command": _command()}
    for name, value in (facts | machine()).items():
        store.note(name, value)
    least_free = megabytes_free(work)

    def part(title: str, measure: Callable[..., None], *arguments: object) -> None:
        nonlocal least_free
        print(f"  {title}", file=sys.stderr, flush=True)
        start = time.perf_counter()
        measure(*arguments)
        free = megabytes_free(work)
        least_free = min(least_free, free)
        print(f"    {time.perf_counter() - start:,.0f} s; {free:,} MB of disk are free", file=sys.stderr, flush=True)
        options.output.write_text(Report(store).text())

    logs = Logs(work / "logs", sizes, options.rows_per_day)
    duckdb = OnDuckdb(work, logs, store, options.memory)
    least, *longer = options.rows
    usual = [rows for rows in longer if rows <= options.long]
    # the telling sizes first
    for rows in [*usual[::-1], least]:
        if "a" in options.parts:
            part(f"a: full build of {rows:,} rows on DuckDB", duckdb.full_build, rows, options.repeat)
    if "a" in options.parts:
        part("a: are the tables by hand the warehouse's?", duckdb.compare, least)
    for rows in usual:
        if "b" in options.parts:
            part(f"b: one more hour after {rows:,} rows on DuckDB", duckdb.hourly, rows, least, options.repeat)
    for rows in [least, *usual] if "h" in options.parts else []:
        part(f"h: the page after {rows:,} rows on DuckDB", duckdb.page, rows, options.repeat)
    if "f" in options.parts:
        part("f: nothing new on DuckDB", duckdb.nothing_new, least, options.repeat)
    if "g" in options.parts and options.rows[-1] <= options.long:
        last = options.rows[-1]
        part(f"g: alerts after {last:,} rows on DuckDB", duckdb.alerts, last, least, options.repeat)
    if {"c", "d", "g"} & set(options.parts):
        with running(work, logs, store, options.keep) as postgres:
            first, *further = options.postgres_rows
            for rows in further if "c" in options.parts else []:
                part("c: are the views by hand the warehouse's?", postgres.compare, first)
                part(
                    f"c: one more hour after {rows:,} rows on PostgreSQL",
                    postgres.hourly,
                    rows,
                    first,
                    options.repeat,
                    options.repeat_long,
                )
            last = options.postgres_rows[-1]
            if "g" in options.parts:
                part(f"g: alerts after {last:,} rows on PostgreSQL", postgres.alerts, last, first, options.repeat)
            if "d" in options.parts:
                part(f"d: questions after {last:,} rows on PostgreSQL", postgres.ask, last, options.repeat)
    for number, rows in enumerate(options.rows):
        if rows > options.long:
            before = options.rows[number - 1] if number else None
            if "a" in options.parts:
                part(
                    f"a: full build of {rows:,} rows on DuckDB",
                    duckdb.full_build,
                    rows,
                    options.repeat_long,
                    before,
                )
            if "b" in options.parts and number:
                part(
                    f"b: one more hour after {rows:,} rows on DuckDB",
                    duckdb.hourly,
                    rows,
                    least,
                    options.repeat,
                )
    if "g" in options.parts and options.rows[-1] > options.long:
        last = options.rows[-1]
        part(f"g: alerts after {last:,} rows on DuckDB", duckdb.alerts, last, least, options.repeat)
    if "d" in options.parts:
        part(
            f"d: questions after {options.rows[-1]:,} rows on DuckDB",
            duckdb.ask,
            options.rows[-1],
            options.repeat,
        )
    if not options.keep:
        remove(*(path for path in work.iterdir() if path.name != "results.json"))
    print(f"The least disk space that was free between two parts: {least_free:,} MB", file=sys.stderr)
    for what, target, value, verdict in Report(store).targets():
        print(f"{what:<95} {target:>7} {value:>12}  {verdict.strip('*')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = {"type": int, "nargs": "+", "metavar": "N"}
    parser.add_argument(
        "--rows",
        **numbers,
        default=[10**6, 10**7, 10**8],
        help="lengths of history on DuckDB (default: 1, 10, 100 million)",
    )
    parser.add_argument(
        "--postgres-rows", **numbers, default=[10**6, 10**7], help="the same on PostgreSQL (default: 1 and 10 million)"
    )
    parser.add_argument("--rows-per-day", type=int, default=100_000, metavar="N", help="rows a day (default: 100000)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="repetitions (default: 3)")
    parser.add_argument(
        "--repeat-long",
        type=int,
        default=1,
        metavar="N",
        help="repetitions of their builds, and of refreshing the materialized views (default: 1)",
    )
    parser.add_argument(
        "--long",
        type=int,
        default=10**7,
        metavar="N",
        help="longer histories on DuckDB come last and are built fewer times (default: 10 million)",
    )
    parser.add_argument(
        "--parts", nargs="+", choices=list("abcdefgh"), default=list("abcdefgh"), help="which parts (default: all)"
    )
    parser.add_argument("--memory", default="6GB", help="WAREHOUSE_MEMORY (default: 6GB)")
    parser.add_argument(
        "--work-dir",
        type=Path,
        default=ROOT / "build" / "bench",
        metavar="DIR",
        help="for all files (default: build/bench)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "docs" / "benchmarks.md",
        metavar="FILE",
        help="the document (default: docs/benchmarks.md)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep logs and databases, also those on WAREHOUSE_TEST_PG_URL"
    )
    options = parser.parse_args()
    options.rows, options.postgres_rows = sorted(set(options.rows)), sorted(set(options.postgres_rows))
    return options


def _command() -> str:
    """The command without the places that it writes to."""
    arguments = iter(sys.argv[1:])
    kept = []
    for argument in arguments:
        if argument in ("--work-dir", "--output"):
            next(arguments, None)
        elif not argument.startswith(("--work-dir=", "--output=")):
            kept.append(argument)
    return "make bench" + (f" BENCH_ARGS='{shlex.join(kept)}'" if kept else "")


if __name__ == "__main__":
    main()
