"""Replays the rules over the past of a warehouse: what would have fired and, where it is known what happened, how good
that is. Nothing is written."""

import argparse
import csv
import datetime as dt
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from warehouse.alerts.messages import in_units
from warehouse.alerts.settings import Settings
from warehouse.backtest.judging import COLUMNS, NUMBERS, Judging
from warehouse.backtest.metrics import FIVE_MINUTES
from warehouse.backtest.truth import Alarm, Truth, Verdict, breach, in_words, judge, read_truth
from warehouse.database import Database, Row, Transaction
from warehouse.errors import ConfigurationError
from warehouse.words import at, counted, in_hours

RULES = Path("seeds/alert_rules.csv")
NAIVE = {"minimum_evidence": 0.0, "minimum_sample": None, "fire_after_windows": 1, "resolve_after_windows": 1}
# How many incidents are listed, the newest, unless all are wanted.
_LISTED = 25

DESCRIPTION = """\
Replay the alert rules over the past of the warehouse, and print what would have fired. The rules are those of
seeds/alert_rules.csv as it is, so a change is tried here before it is put into force. Nothing is written.

With the truth of what happened, as the simulator writes it beside its log, also: how many of the incidents that breach
a rule's threshold for its whole window were caught, how many missed, how many alarms were false, and how long it took
to detect; and the same for the rules without evidence, samples and holds. What the words mean: docs/alerts.md."""


@dataclass(frozen=True)
class Replay:
    """The rules, the range that they were replayed over, and what would have fired."""

    rules: list[Row]
    begin: dt.datetime
    end: dt.datetime
    evaluations: dict[str, Row]
    incidents: list[Row]
    naive: list[Row]

    @property
    def days(self) -> float:
        """How long the range is."""
        return (self.end - self.begin) / dt.timedelta(days=1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--from",
        dest="begin",
        type=_time,
        metavar="TIME",
        help="judge windows that end after this time, UTC (default: from the first that the warehouse holds whole)",
    )
    parser.add_argument(
        "--to",
        dest="end",
        type=_end,
        metavar="TIME",
        help="up to this one, or up to the end of this day (default: the newest generation)",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="what happened: a CSV file with kind, started_at, ended_at (default: the file that the simulator has "
        "written beside the log, if there is one)",
    )
    parser.add_argument(
        "--rules", type=Path, default=RULES, metavar="FILE", help=f"the rules to try (default: {RULES})"
    )
    parser.add_argument("--all", action="store_true", help=f"list every incident, not only the newest {_LISTED}")


def run(options: argparse.Namespace) -> int:
    """Replay, and print."""
    database = Database(Settings.of(os.environ).wait_seconds)
    rules = read_rules(options.rules)
    truth_file = options.truth or _truth_beside_the_log(database)
    truths = read_truth(truth_file) if truth_file else None
    with database.reading() as transaction:
        known_from, known_to = known_range(transaction, database.schema)
    begin, end = replayed_range(options, rules, known_from, known_to)
    judging = Judging.compiled(database)
    enabled = [rule for rule in rules if rule["is_enabled"]]
    naive = [rule | NAIVE for rule in rules]
    with database.reading() as transaction:
        stop_for(judging.what_is_wrong(transaction, rules), options.rules)
        replay = Replay(
            enabled,
            begin,
            end,
            {row["rule_name"]: row for row in judging.evaluations(transaction, rules, begin, end)},
            judging.incidents(transaction, rules, begin, end),
            judging.incidents(transaction, naive, begin, end),
        )
        print(_heading(replay, options, known_from))
        print(_fired(replay))
        verdicts = None
        if truths is not None:
            within = [truth for truth in truths if truth.started_at >= begin and truth.ended_at <= end]
            generations = _generations(transaction, database.schema)
            verdicts = {
                rule["rule_name"]: _judged(rule, replay, truths, within, generations, known_from) for rule in enabled
            }
            print(_truth_heading(truth_file, truths, within))
            print(_worth(replay, {name: both[0] for name, both in verdicts.items()}))
            print(
                "\nThe same rules naively: no evidence is asked for, one window is enough to fire and one to be over.\n"
            )
            print(_worth(replay, {name: both[1] for name, both in verdicts.items()}))
    print(_listed(replay, verdicts, None if options.all else _LISTED))
    return 0


def _time(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time: {text}. Write it as 2026-05-01 or '2026-05-01 18:30'") from None
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _end(text: str) -> dt.datetime:
    """A day alone is meant whole."""
    is_day = len(text) == len("2026-05-01")
    return _time(text) + dt.timedelta(days=1) if is_day else _time(text)


def read_rules(path: Path) -> list[Row]:
    """The rules of a file. Whether they make sense is the warehouse's to say."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rules = list(csv.DictReader(file))
    except OSError as error:
        raise ConfigurationError(f"The rules cannot be read: {error}") from None
    missing = [name for name in COLUMNS if rules and name not in rules[0]]
    if missing or not rules:
        raise ConfigurationError(f"{path} has no {'column ' + ', '.join(missing) if missing else 'rule'}.")
    return [_rule({name: rule[name] or None for name in COLUMNS}, path) for rule in rules]


def _rule(texts: Row, path: Path) -> Row:
    """A rule with its numbers."""
    rule = texts | {"is_enabled": {"true": True, "false": False}.get((texts["is_enabled"] or "").lower())}
    for name, of in NUMBERS.items():
        try:
            rule[name] = None if texts[name] is None else of(texts[name])
        except (ValueError, ArithmeticError):
            raise ConfigurationError(
                f"These alert rules make no sense ({path}):\n"
                f"  {texts['rule_name']}: {name} is '{texts[name]}'; it is a number"
            ) from None
    return rule


def _truth_beside_the_log(database: Database) -> Path | None:
    log = os.environ.get("GENERATION_LOGS")
    beside = Path(f"{log}.incidents.csv")
    return beside if log and database.reads_files and beside.is_file() else None


def known_range(transaction: Transaction, schema: str) -> tuple[dt.datetime, dt.datetime]:
    """From when and until when the warehouse has single generations."""
    for table in ("fct_generations", "service_health", "hourly_engagement", "error_analysis"):
        if not transaction.exists(f"{schema}_marts", table):
            raise ConfigurationError(
                f"There is no table {schema}_marts.{table} to replay: the warehouse was never built. Run: make build"
            )
    known = transaction.rows(
        f"select min(created_at) as known_from, max(created_at) as known_to from {schema}_marts.fct_generations"
    )[0]
    if known["known_from"] is None:
        raise ConfigurationError("The warehouse has no generations to replay.")
    return known["known_from"], known["known_to"]


def replayed_range(
    options: argparse.Namespace, rules: list[Row], known_from: dt.datetime, known_to: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """The marks after the first of these times, up to the second, are judged. The longest window must lie in the log,
    with what it is compared to."""
    lengths = [
        max(rule["window_minutes"] or 0, rule["longer_window_minutes"] or 0)
        * (2 if rule["metric"] == "cost_change_ratio" else 1)
        for rule in rules
    ]
    first = _mark(known_from) + dt.timedelta(minutes=max(lengths))
    begin, end = max(_mark(options.begin or first), first), _mark(min(options.end or known_to, known_to))
    if begin >= end:
        raise ConfigurationError(
            f"There is nothing to replay: the warehouse has generations from {at(known_from)} to {at(known_to)}, and "
            f"the rules look {in_hours(max(lengths))} back."
        )
    return begin, end


def _mark(moment: dt.datetime) -> dt.datetime:
    """The five-minute mark at or before a moment."""
    return moment - (moment - dt.datetime(2000, 1, 1)) % FIVE_MINUTES


def stop_for(problems: list[Row], path: Path) -> None:
    """No rule is replayed where one makes no sense."""
    if problems:
        lines = "".join(f"\n  {row['rule_name']}: {row['problem']}" for row in problems)
        raise ConfigurationError(f"These alert rules make no sense ({path}):{lines}")


def _generations(transaction: Transaction, schema: str) -> Callable[[dt.datetime, dt.datetime], list[Row]]:
    """Asks for single generations; several rules look at the same ones."""
    asked: dict[tuple[dt.datetime, dt.datetime], list[Row]] = {}

    def generations(begin: dt.datetime, end: dt.datetime) -> list[Row]:
        if (begin, end) not in asked:
            asked[begin, end] = transaction.rows(
                "select created_at, is_success, error_category, duration_ms, total_cost_usd "
                f"from {schema}_marts.fct_generations where created_at >= %(begin)s and created_at < %(end)s",
                begin=begin,
                end=end,
            )
        return asked[begin, end]

    return generations


def _judged(
    rule: Row,
    replay: Replay,
    truths: list[Truth],
    within: list[Truth],
    generations: Callable[[dt.datetime, dt.datetime], list[Row]],
    known_from: dt.datetime,
) -> tuple[Verdict, Verdict]:
    """How a rule has done, as it is and naively."""
    breaches = {truth: breach(rule, truth, generations, known_from) for truth in within if truth.concerns(rule)}
    as_it_stands, naive = (
        [
            Alarm(row["first_firing_at"], row["opened_at"], row["last_firing_at"])
            for row in incidents
            if row["rule_name"] == rule["rule_name"]
        ]
        for incidents in (replay.incidents, replay.naive)
    )
    return judge(rule, as_it_stands, truths, breaches), judge(rule, naive, truths, breaches)


def _heading(replay: Replay, options: argparse.Namespace, known_from: dt.datetime) -> str:
    lines = [
        f"Replayed {counted(len(replay.rules), 'rule')} of {options.rules} over {replay.days:,.1f} days, "
        f"{at(replay.begin)} to {at(replay.end)}."
    ]
    if options.begin and replay.begin > options.begin:
        lines.append(f"Not from {at(options.begin)}: the generations begin at {at(known_from)}, and windows look back.")
    return "\n".join([*lines, "Nothing was written.", "", "What would have fired:", ""])


def _fired(replay: Replay) -> str:
    lines = []
    for rule in replay.rules:
        name = rule["rule_name"]
        own = [incident for incident in replay.incidents if incident["rule_name"] == name]
        judged = replay.evaluations[name]
        minutes = [incident["duration_minutes"] for incident in own]
        lines.append(
            [
                name,
                rule["severity"],
                f"{len(own):,}",
                f"{30 * len(own) / replay.days:,.1f}",
                in_hours(round(statistics.median(minutes))) if own else "-",
                in_hours(max(minutes)) if own else "-",
                f"{100 * judged['unjudged_windows'] / judged['windows']:,.1f}%",
            ]
        )
    header = ["rule", "severity", "incidents", "in 30 days", "median length", "longest", "too little data"]
    return table(header, lines, left=2)


def _truth_heading(path: Path, truths: list[Truth], within: list[Truth]) -> str:
    line = f"\nHeld against {path}: {counted(len(truths), 'incident')} ({in_words(truths)})"
    if len(within) < len(truths):
        line += (
            f"; {len(truths) - len(within):,} of them are not wholly in the range, and are neither caught nor missed"
        )
    return f"{line}.\n"


def _worth(replay: Replay, verdicts: dict[str, Verdict]) -> str:
    lines = []
    for name, verdict in verdicts.items():
        detected, after = verdict.minutes_to_detect, verdict.minutes_after_breach
        lines.append(
            [
                name,
                f"{verdict.breaching:,}",
                f"{verdict.caught:,}",
                f"{len(verdict.missed):,}",
                f"{len(verdict.aftermaths):,}",
                f"{len(verdict.false):,}",
                f"{len(verdict.false) / replay.days:,.2f}",
                f"{30 * len(verdict.false) / replay.days:,.1f}",
                f"{statistics.median(detected):,.0f} / {max(detected):,.0f} min" if detected else "-",
                f"{max(after):+,.0f} min" if after else "-",
            ]
        )
    header = ["rule", "breaching", "caught", "missed", "aftermaths", "false", "a day", "in 30 days"]
    return table([*header, "to detect, median / max", "latest after breach"], lines)


def _listed(replay: Replay, verdicts: dict[str, tuple[Verdict, Verdict]] | None, limit: int | None) -> str:
    if not replay.incidents:
        return "\nNo rule would have opened an incident."
    shown = replay.incidents[-limit:] if limit else replay.incidents
    metrics = {rule["rule_name"]: rule["metric"] for rule in replay.rules}
    lines = []
    for incident in shown:
        name = incident["rule_name"]
        line = [
            f"{incident['opened_at']:%Y-%m-%d %H:%M}",
            name,
            in_hours(incident["duration_minutes"]) + ("" if incident["resolved_at"] else ", open"),
            in_units(metrics[name], incident["worst_value"]),
            f"{incident['affected_generation_count']:,}",
            f"{incident['affected_users']:,}",
            f"{incident['affected_failure_count']:,}",
            f"{incident['lost_cost_usd']:,.2f}" if incident["costed_failure_count"] else "unknown",
            f"{incident['costed_failure_count']:,}",
        ]
        if verdicts is not None:
            verdict = verdicts[name][0]
            opened = incident["opened_at"]
            line.append(
                "false"
                if opened in (alarm.opened_at for alarm in verdict.false)
                else "aftermath"
                if opened in (alarm.opened_at for alarm in verdict.aftermaths)
                else "true"
            )
        lines.append(line)
    header = ["opened, UTC", "rule", "for", "at worst", "generations", "users", "failures", "cost, USD", "known of"]
    earlier = len(replay.incidents) - len(shown)
    heading = (
        "\nThe incidents:" if not earlier else f"\nThe newest {len(shown)} incidents (--all lists {earlier:,} more):"
    )
    return f"{heading}\n\n" + table(header + ["alarm"] * (verdicts is not None), lines, left=3)


def table(header: list[str], lines: list[list[str]], left: int = 1) -> str:
    """Columns under their heads, the first of them to the left."""
    widths = [max(len(line[place]) for line in [header, *lines]) for place in range(len(header))]
    return "\n".join(
        "  "
        + "  ".join(
            text.ljust(width) if place < left else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [header, *lines]
    )
