"""The command line of the simulator."""

import argparse
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import psycopg2
import pyarrow as pa
from tqdm import tqdm

from simulator import incidents, postgres, writers
from simulator.log import FORMS, Log, LogSettings

EXTENSIONS = (".parquet", ".csv", ".jsonl")

_DESCRIPTION = """\
Write a realistic log of an image-generation service: the table generation_logs, as a file or straight into
PostgreSQL. The same options give the same rows in every format, and the same bytes in a file.
"""
_EPILOG = """\
forms
  application: as the application of the log writes. Costs are {vision, image, total}, tokens are counted flat by step
  (vision_input), a failure has zeros in both, job ids collide, and errors are the application's own sentences, or now
  and then the provider's. A request that is refused before its job begins has neither style nor difficulty, and a
  duration since 1970. mixed: what many writers log, with storage costs, nested tokens, missing documents, and the
  provider's errors alone.

incidents
  --incidents knows four kinds: rate_limit_storm (most generations fail with a 429), slow_hour (durations 3 to 4 times
  as long), cost_spike (costs 2.5 to 3 times as high), outage (no rows). They start at hours of more than average
  traffic, at least 3 hours apart, and last 30 to 90 minutes (slow_hour and cost_spike 60 to 120); one at the end
  lasts 40 to 55. What happened when is written beside the log, to OUT.incidents.csv, or wherever --truth says (with
  --postgres only there). How well they show depends on the traffic: with less than about 1,000 rows a day they drown
  in chance.
  --failing adds a fifth kind, failing: one hour in which 15, 50 or 100 percent of all tries fail, each by itself, with
  an error of the provider. The intensity in the file is the share.

bursts
  Without --bursts a failure is tried again twice at most, within seconds, where its error is one that may pass. With
  --bursts it is as people do: they try again about a minute after a failure, whatever it was, until it succeeds or
  they give up (60 in 100 go on each time). 2 percent of tries fail by chance. 0.4 percent of wishes cannot succeed,
  as the photo is bad: 97 percent of their tries fail, and 85 in 100 people go on each time, up to 20 tries. In quiet
  hours some 4 percent of generations fail, more than half of them of wishes that cannot succeed. The log has as many
  rows as ever: each further try takes the place of another row of its day. Tries that would come after the end of the
  day are left out.

dirt
  The malformed rows cover broken and odd JSON, impossible numbers, missing and unreadable ids and times, repeated
  ids, styles that differ by case and spaces, and personal data in error texts. Such values do not fit the types, so
  with --dirt every column is text (VARCHAR) in Parquet and PostgreSQL, where the table then has no primary key.
  Without it, id and user_id are UUIDs, difficulty and duration_ms integers, success is boolean, created_at a
  timestamp in UTC without zone; costs and tokens are JSON text, in PostgreSQL jsonb.

examples
  python -m simulator --rows 1000000 --out log.parquet
  python -m simulator --rows 500000 --incidents 20 --seed 7 --out log.csv
  python -m simulator --rows 330000 --days 30 --bursts --failing 8 --out log.parquet
  python -m simulator --rows 20000 --dirt 0.02 --postgres --table app.generation_logs --replace
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit code 2, without the usage."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(arguments: list[str] | None = None) -> None:
    """Write the log that the arguments describe."""
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
        _check(parser, options)
        settings = LogSettings(
            rows=options.rows,
            days=options.days,
            end=options.end,
            seed=options.seed,
            dirt=options.dirt,
            incidents=options.incidents,
            failing=options.failing,
            incident_at_end=options.incident_at_end,
            form=options.form,
            bursts=options.bursts,
        )
        _write(Log(settings), options)
    # OverflowError: a range that begins or ends outside the calendar, or more rows than can be counted.
    except (incidents.DoesNotFitError, postgres.TableExistsError, psycopg2.Error, OSError, OverflowError) as problem:
        parser.error(" ".join(str(problem).split()))
    except KeyboardInterrupt:
        parser.exit(130, "interrupted; nothing was kept\n")


def _write(log: Log, options: argparse.Namespace) -> None:
    tables = _with_progress(log, options.quiet)
    if options.out:
        writers.write_file(options.out, tables, log.schema, options.nested)
    else:
        postgres.write_table(options.postgres, options.table, tables, log.schema, options.replace)
    if options.truth:
        incidents.write_truth(options.truth, log.timeline, log.incidents)
    elif options.out:
        beside = options.out.with_name(f"{options.out.name}.incidents.csv")
        if log.incidents:
            incidents.write_truth(beside, log.timeline, log.incidents)
        else:
            # The truth about an earlier log of this name would be wrong about this one.
            beside.unlink(missing_ok=True)


def _with_progress(log: Log, quiet: bool) -> Iterator[pa.Table]:
    # None: no bar where stderr is not a terminal.
    with tqdm(total=log.rows, unit=" rows", unit_scale=True, disable=True if quiet else None) as bar:
        for table in log.tables():
            yield table
            bar.update(table.num_rows)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m simulator",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=_whole, required=True, metavar="N", help="rows of the log, exactly")
    parser.add_argument("--days", type=_positive, default=90, metavar="N", help="days that it spans (default: 90)")
    parser.add_argument(
        "--end",
        type=_end,
        default="2026-06-30",
        metavar="TIME",
        help="its end in UTC: a date, whose end is meant, or a time such as 2026-06-30T18:00 (default: 2026-06-30)",
    )
    parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="another seed, another log (default: 0)")
    parser.add_argument(
        "--dirt", type=_share, default=0.0, metavar="SHARE", help="share of malformed rows, 0 to 1 (default: 0)"
    )
    parser.add_argument("--incidents", type=_whole, default=0, metavar="N", help="incidents of each kind (default: 0)")
    parser.add_argument(
        "--failing",
        type=_whole,
        default=0,
        metavar="N",
        help="hours in which 15, 50 and 100 percent of all tries fail, N of each (default: 0)",
    )
    parser.add_argument(
        "--incident-at-end", choices=incidents.KINDS, metavar="KIND", help="one more in the last hour of the log"
    )
    parser.add_argument(
        "--form", choices=FORMS, default=FORMS[0], help="whose form the rows have (default: application)"
    )
    parser.add_argument("--bursts", action="store_true", help="people try again until it succeeds or they give up")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, metavar="PATH", help="file to write or replace: .parquet, .csv or .jsonl")
    target.add_argument(
        "--postgres",
        nargs="?",
        const="",
        metavar="DSN",
        help="write to PostgreSQL; without a DSN, the PG* environment variables say where",
    )
    parser.add_argument(
        "--table",
        metavar="NAME",
        help="with --postgres: table or schema.table to create, taken literally (default: public.generation_logs)",
    )
    parser.add_argument("--replace", action="store_true", help="with --postgres: drop the table first if it exists")
    parser.add_argument(
        "--nested", action="store_true", help="with .jsonl: costs and tokens as JSON, not as text that holds JSON"
    )
    parser.add_argument(
        "--truth", type=Path, metavar="PATH", help="file for the incidents (default: OUT.incidents.csv)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.out and options.out.suffix not in EXTENSIONS:
        parser.error(f"--out must end in {', '.join(EXTENSIONS)}: {options.out}")
    for path in (options.out, options.truth):
        if path and not path.parent.is_dir():
            parser.error(f"no such folder: {path.parent}")
    if options.nested and (not options.out or options.out.suffix != ".jsonl"):
        parser.error("--nested is for .jsonl only: the other formats hold costs and tokens as JSON text")
    if options.out and (options.table or options.replace):
        parser.error("--table and --replace go with --postgres")
    options.table = options.table or "public.generation_logs"
    if not all(part for part in options.table.split(".")) or options.table.count(".") > 1:
        parser.error(f"--table must be a name or schema.name: {options.table}")


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative: {text}")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1: {text}")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a share from 0 to 1: {text}")
    return share


def _end(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), datetime.min.time())
    except ValueError:
        pass
    try:
        end = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a date or time: {text}") from None
    if end.tzinfo:
        raise argparse.ArgumentTypeError(f"must be in UTC, without an offset: {text}")
    return end


if __name__ == "__main__":
    main()
