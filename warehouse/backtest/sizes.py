"""How good the rules are for a service of which size: hours in which a known share of all tries fails, in simulated
logs in which people try again as they do, and what the rules make of them."""

import argparse
import datetime as dt
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse.alerts.settings import Settings
from warehouse.backtest import by_users
from warehouse.backtest.judging import Judging
from warehouse.backtest.replay import known_range, read_rules, replayed_range, stop_for, table
from warehouse.backtest.truth import Truth, read_truth
from warehouse.database import Database, Row, Transaction
from warehouse.errors import ConfigurationError
from warehouse.run_dbt import run_dbt

SIZES = (200, 1_000, 3_000, 11_000, 33_000, 200_000)
FOLDER = Path("build/backtest/sizes")
# The rules before evidence decided: minimum samples, and windows in a row.
BEFORE = Path(__file__).with_name("fixed_samples.csv")
# What the rules read.
READ = ("+service_health", "+hourly_engagement", "+error_analysis")
DAYS = 30
# hours of each share that fails
_HOURS = 8
_SEED = 1
_ROWS_AT_ONCE = 100_000

# What is counted by users: the limit and the windows of high_failure_rate, and when its incidents are over.
_LIMIT = 0.05
_LENGTHS = (15, 60)
_NATS = 5
_RESOLVE_AFTER = 3
# An incident is caught while it lasts, or one window later.
_LATE = dt.timedelta(minutes=_LENGTHS[0])

DESCRIPTION = f"""\
With --sizes: how good they are for services of several sizes, in logs of {DAYS} days that are simulated and built once,
in {FOLDER}. People there try again after a failure, and in {_HOURS} hours each 15, 50 and 100 percent of all tries
fail. One table: how many of these hours were caught by the evidence as a second program counts it user by user, by the
rules, and by the rules of before, how long that took, and how often people were paged for nothing."""


@dataclass(frozen=True)
class Outcome:
    """What some rules made of a log: when incidents of the failure rate were opened, and the pages for nothing."""

    opened: list[dt.datetime]
    false_pages: list[Row]


@dataclass(frozen=True)
class Measured:
    """A log of one size, and what was made of it."""

    generations_a_day: int
    days: float
    truths: list[Truth]
    by_users: list[dt.datetime]
    rules: Outcome
    before: Outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the comparison takes."""
    parser.add_argument(
        "--sizes",
        nargs="*",
        type=_size,
        metavar="N",
        help=f"simulated logs of so many generations a day (default: {', '.join(f'{size:,}' for size in SIZES)})",
    )


def run(options: argparse.Namespace) -> int:
    """Simulate and build what is not there yet, replay, and print."""
    if options.begin or options.end or options.truth or options.all:
        raise ConfigurationError("--sizes replays whole simulated logs: of the other options it takes --rules alone.")
    measured = [_measure(size, options) for size in options.sizes or SIZES]
    print(_heading(options.rules))
    print(_table(measured))
    print(_pages(measured))
    return 0


def caught_at(truth: Truth, opened: list[dt.datetime], late: dt.timedelta = _LATE) -> dt.datetime | None:
    """When the first incident was opened while a failing hour lasted, or soon after."""
    return min((at for at in opened if truth.started_at < at <= truth.ended_at + late), default=None)


def outcome(incidents: list[Row], rules: list[Row], truths: list[Truth]) -> Outcome:
    """What the incidents are worth that rules would have opened."""
    # their windows may reach back into a failing hour
    reach = {rule["rule_name"]: _longest_window(rule) for rule in rules}
    return Outcome(
        [incident["opened_at"] for incident in incidents if incident["metric"] == "failure_rate"],
        [
            incident
            for incident in incidents
            if incident["severity"] == "page"
            and not any(caught_at(truth, [incident["opened_at"]], reach[incident["rule_name"]]) for truth in truths)
        ],
    )


def _size(text: str) -> int:
    number = int(text.replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1: {text}")
    return number


def _measure(size: int, options: argparse.Namespace) -> Measured:
    folder = FOLDER / str(size)
    log = folder / "log.parquet"
    truth_file = folder / "log.parquet.incidents.csv"
    with _environment(GENERATION_LOGS=str(log), WAREHOUSE_DUCKDB=str(folder / "warehouse.duckdb")):
        folder.mkdir(parents=True, exist_ok=True)
        if not (log.exists() and truth_file.exists()):
            _say(f"{size:,} generations a day: simulating {DAYS} days")
            _simulate(size, log)
        database = Database(Settings.of(os.environ).wait_seconds)
        stamp = folder / "warehouse.stamp"
        if not stamp.exists():
            _say(f"{size:,} generations a day: building the warehouse")
            run_dbt(database, ["build", "--select", *READ, "--exclude-resource-types", "test", "unit_test"])
            stamp.touch()
        _say(f"{size:,} generations a day: replaying the rules")
        return _replayed(size, options, database, read_truth(truth_file))


def _simulate(size: int, log: Path) -> None:
    arguments = {"--rows": size * DAYS, "--days": DAYS, "--failing": _HOURS, "--seed": _SEED, "--out": log}
    command = [str(part) for argument in arguments.items() for part in argument]
    subprocess.run([sys.executable, "-m", "simulator", "--bursts", "--quiet", *command], check=True)


def _replayed(size: int, options: argparse.Namespace, database: Database, truths: list[Truth]) -> Measured:
    rules, before = read_rules(options.rules), read_rules(BEFORE)
    judging = Judging.compiled(database)
    with database.reading() as transaction:
        for each, path in ((rules, options.rules), (before, BEFORE)):
            stop_for(judging.what_is_wrong(transaction, each), path)
        begin, end = replayed_range(options, [*rules, *before], *known_range(transaction, database.schema))
        within = [truth for truth in truths if truth.started_at >= begin and truth.ended_at + _LATE <= end]
        outcomes = [outcome(judging.incidents(transaction, each, begin, end), each, truths) for each in (rules, before)]
        opened = by_users.openings(_generations(transaction, database.schema), _LENGTHS, _LIMIT, _NATS, _RESOLVE_AFTER)
        opened = [at for at in opened if begin < at <= end]
    return Measured(size, (end - begin) / dt.timedelta(days=1), within, opened, *outcomes)


def _generations(transaction: Transaction, schema: str) -> Iterator[by_users.Generation]:
    cursor = transaction.cursor(
        # as text: the ids are compared often
        "select created_at, cast(user_key as text), cast(generation_id as text), is_success "
        f"from {schema}_marts.fct_generations order by created_at"
    )
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield from rows


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """The simulated log's warehouse in place of one's own."""
    kept = dict(os.environ)
    os.environ.update(variables, WAREHOUSE_TARGET="local", DBT_TARGET="local")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _longest_window(rule: Row) -> dt.timedelta:
    return dt.timedelta(minutes=max(rule["window_minutes"], rule.get("longer_window_minutes") or 0))


def _say(text: str) -> None:
    print(f"{text} …", file=sys.stderr, flush=True)


def _heading(rules: Path) -> str:
    return (
        f"The rules of {rules}, and those of before ({BEFORE.name}), over simulated logs of {DAYS} days.\n"
        f"Caught: an incident of the failure rate was opened while the hour lasted, or at most {_LENGTHS[0]} minutes "
        "later.\nOne that was open before does not count.\n"
        "Minutes: from the beginning of the hour until then, the median of those caught.\n"
        "False pages: opened outside of the failing hours, by any rule of severity page, in 30 days.\n"
    )


def _table(measured: list[Measured]) -> str:
    lines = []
    for each in measured:
        false_pages = [_in_30_days(pages.false_pages, each.days) for pages in (each.rules, each.before)]
        for share in sorted({truth.intensity for truth in each.truths}):
            truths = [truth for truth in each.truths if truth.intensity == share]
            caught = [
                [
                    (at - truth.started_at) / dt.timedelta(minutes=1)
                    for truth in truths
                    if (at := caught_at(truth, opened))
                ]
                for opened in (each.by_users, each.rules.opened, each.before.opened)
            ]
            lines.append(
                [
                    f"{each.generations_a_day:,}",
                    f"{share:.0%}",
                    f"{len(truths):,}",
                    *(f"{len(minutes):,}" for minutes in caught),
                    *(f"{statistics.median(minutes):,.0f}" if minutes else "-" for minutes in caught[1:]),
                    *false_pages,
                ]
            )
    header = ["generations a day", "of tries fail", "hours", "caught by users", "by the rules", "before"]
    header += ["minutes: the rules", "before", "false pages: the rules", "before"]
    return table(header, lines, left=0)


def _pages(measured: list[Measured]) -> str:
    """Which rules paged for nothing."""
    lines = []
    for each in measured:
        for name, pages in (("the rules", each.rules.false_pages), ("before", each.before.false_pages)):
            by_rule = sorted({page["rule_name"] for page in pages})
            counts = [
                f"{_in_30_days([page for page in pages if page['rule_name'] == rule], each.days)} by {rule}"
                for rule in by_rule
            ]
            if counts:
                lines.append(f"  {each.generations_a_day:,} a day, {name}: {', '.join(counts)}.")
    return "\n".join(["\nThe false pages:", *lines]) if lines else "\nNo page was false."


def _in_30_days(pages: list[Row], days: float) -> str:
    return f"{30 * len(pages) / days:,.1f}"
