"""The command: python -m warehouse summary, which `make build` ends with."""

import argparse
import csv
import io
import re

from warehouse.database import Database, Row, Transaction
from warehouse.errors import NeverBuiltError
from warehouse.report.data import Marts, key_data
from warehouse.report.numbers import last_days, period_in_words, tiles

DESCRIPTION = "Say what the last run read, what the warehouse holds, and which styles work."
# How long to wait for another process that has the file of DuckDB.
_WAIT_SECONDS = 60
# Two periods of 28 days, and the days around them that are not whole.
_DAYS_OF_NUMBERS = 58
_NEEDED = {
    "intermediate": ("int_log_window", "int_log_rows"),
    "marts": ("fct_generations", "generation_log_issues", "style_performance", "warehouse_clock"),
}
_DISPOSITIONS = {
    "set_aside": ("set aside", "rows that cannot be counted"),
    "repeated": ("repeated", "rows whose id is counted already"),
    "counted": ("counted in part", "issues of rows whose other values are used"),
}


# Fewer users than this could be told apart by what befell them.
_LEAST_USERS = 11
_SHOWN_TEXTS = 3
# The scrubber's placeholders, and one that the end of a long signature has cut.
_PLACEHOLDER = re.compile(r"<(?:url|email|key|time|id|ip|file|number)>|(?<=.{190})<[a-z]*$", re.DOTALL)
_NO_MESSAGE = "(no message)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(options: argparse.Namespace) -> int:
    """Look, and print."""
    database = Database(_WAIT_SECONDS)
    with database.reading() as transaction:
        _check_built(transaction, database.schema)
        lines = [
            "",
            *_key_numbers(transaction, database.schema),
            "",
            f"The log: {database.log_place}",
            *_read(transaction, database.schema),
            "In the warehouse:",
            *_held(transaction, database.schema),
            "",
            "Styles by success rate, last 30 days (of 10 generations or more):",
            *_styles(transaction, database.schema),
            "",
            "Failures, last 30 days:",
            *_failures(transaction, database.schema),
            "",
            f"The database: {database.place}",
            f"  the marts are in the schema {database.schema}_marts; "
            f"for example: select * from {database.schema}_marts.style_performance",
            "Next:",
            "  a page of all this  make report",
            f"  your own log        {_own_log(database)}",
            '  a question          ./sql "select * from style_performance"   (others: docs/questions.md)',
            "  what the tables say make docs",
            "",
        ]
    print("\n".join(lines))
    return 0


def _key_numbers(transaction: Transaction, schema: str) -> list[str]:
    """The four numbers that the page begins with, in four lines."""
    data = key_data(Marts(transaction, schema, _DAYS_OF_NUMBERS))
    period = last_days(data)
    if not period:
        return ["The warehouse holds no whole day yet: no numbers."]
    lines = [f"{tile.name:<30}{tile.value:>9}   {tile.change}" for tile in tiles(data, period)]
    return [*lines, f"  ({period_in_words(data, period)})"]


def _check_built(transaction: Transaction, schema: str) -> None:
    for layer, tables in _NEEDED.items():
        for table in tables:
            if not transaction.exists(f"{schema}_{layer}", table):
                raise NeverBuiltError("The warehouse is not built yet. Run `make build` or `dbt build`.")


def _read(transaction: Transaction, schema: str) -> list[str]:
    window = transaction.rows(
        "select cast(as_of as text) as as_of, cast(rebuild_from as text) as rebuild_from, "
        f"log_last_at is not null as has_rows from {schema}_intermediate.int_log_window"
    )[0]
    if not window["has_rows"]:
        return ["  WARNING             it has no usable row in the days in question; the marts are as they were."]
    if window["rebuild_from"] is None:
        return ["  Nothing has changed in it; the marts are as they were."]
    rows = transaction.rows(f"select count(*) as row_count from {schema}_intermediate.int_log_rows")[0]["row_count"]
    return [f"  read in this run    {rows:,} rows, from {window['rebuild_from']} up to {window['as_of']} UTC"]


def _held(transaction: Transaction, schema: str) -> list[str]:
    fact = transaction.rows(
        "select count(*) as row_count, min(activity_date) as first, max(activity_date) as last "
        f"from {schema}_marts.fct_generations"
    )[0]
    days = f", {fact['first']} to {fact['last']}" if fact["row_count"] else ""
    lines = [f"  counted             {fact['row_count']:,} generations{days}"]
    first = transaction.rows(f"select first_activity_date from {schema}_marts.warehouse_clock")[0][
        "first_activity_date"
    ]
    if fact["row_count"] and first and first < fact["first"]:
        lines.append(
            f"                      single rows are kept so long; the days from {first} on are in the other tables"
        )
    issues = transaction.rows(
        f"""
        select disposition, issue, cast(sum(row_count) as bigint) as row_count
        from {schema}_marts.generation_log_issues
        group by disposition, issue
        order by row_count desc, issue
        """
    )
    for disposition, (title, note) in _DISPOSITIONS.items():
        found = [issue for issue in issues if issue["disposition"] == disposition]
        lines.append(f"  {title:<19} {sum(issue['row_count'] for issue in found):,} {note}")
        lines += [f"      {issue['issue']:<24}{issue['row_count']:>10,}" for issue in found]
    return lines


def _styles(transaction: Transaction, schema: str) -> list[str]:
    def line(style: Row) -> str:
        cost = "-" if style["cost_per_success"] is None else f"{style['cost_per_success']:.4f}"
        return f"  {style['style'][:24]:<24}{style['generations']:>12,}{style['success_rate']:>10.1%}{cost:>18}"

    styles = transaction.rows(
        f"""
        select
            style,
            cast(sum(generation_count) as bigint) as generations,
            cast(sum(success_count) as double precision) / sum(generation_count) as success_rate,
            sum(total_cost_usd) / nullif(sum(success_count), 0) as cost_per_success
        from {schema}_marts.style_performance
        where activity_date > (select cast(as_of as date) from {schema}_intermediate.int_log_window) - 30
        group by style
        having sum(generation_count) >= 10
        order by success_rate desc, generations desc, style
        limit 10
        """
    )
    if not styles:
        return ["  none"]
    return [f"  {'style':<24}{'generations':>12}{'success':>10}{'USD per success':>18}", *map(line, styles)]


def _failures(transaction: Transaction, schema: str) -> list[str]:
    texts = transaction.rows(
        f"""
        select
            error_signature as signature,
            error_category = 'unknown' as is_unknown,
            count(*) as failures,
            count(distinct user_key) as users
        from {schema}_marts.fct_generations
        where not is_success
            and activity_date > (select cast(as_of as date) from {schema}_intermediate.int_log_window) - 30
        group by error_signature, error_category = 'unknown'
        """
    )
    texts.sort(key=lambda text: (-text["failures"], text["signature"]))
    unknown = [text for text in texts if text["is_unknown"]]
    every, count = (sum(text["failures"] for text in some) for some in (texts, unknown))
    if not every:
        return ["  none"]
    if not count:
        return [f"  unknown             0 of {every:,}: the seed error_patterns knows every text"]
    lines = [f"  unknown             {count:,} of {every:,} ({count / every:.1%})"]
    silent = sum(text["failures"] for text in unknown if text["signature"] == _NO_MESSAGE)
    if silent:
        lines.append(f"      {silent:>10,}  without a message")
    named = [text for text in unknown if text["signature"] != _NO_MESSAGE and text["users"] >= _LEAST_USERS]
    shown = named[:_SHOWN_TEXTS]
    position = transaction.rows(f"select coalesce(max(position), 0) as last from {schema}_seeds.error_patterns")[0][
        "last"
    ]
    addable = False
    for text in shown:
        lines.append(f"      {text['failures']:>10,}  {text['signature']}")
        pattern = pattern_of(text["signature"])
        if pattern:
            addable = True
            position += 10
            lines.append(f"      {'':>10}  {seed_line(position, pattern, text['signature'])}")
    rest = count - silent - sum(text["failures"] for text in shown)
    if rest:
        others = sum(text["signature"] != _NO_MESSAGE for text in unknown) - len(shown)
        lines.append(f"      {rest:>10,}  of {others:,} other texts: rarer, or of fewer than {_LEAST_USERS} users")
    if addable:
        lines.append("  To name one, add its line to seeds/error_patterns.csv, with its category in place of unknown.")
    return lines


def pattern_of(signature: str) -> str | None:
    """A pattern of the words that a scrubbed text still has; None where they are too few to tell it from others."""
    words = [" ".join(piece.split()) for piece in _PLACEHOLDER.split(signature)]
    if sum(letter.isalpha() for letter in "".join(words)) < 6:
        return None
    # what both engines escape alike; between two words may have been the end of a line
    escaped = [re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", piece).replace(" ", r"\s+") for piece in words if piece]
    return ".*".join(escaped)


def seed_line(position: int, pattern: str, signature: str) -> str:
    """The line of seeds/error_patterns.csv that knows a pattern."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([position, pattern, "unknown", signature])
    return line.getvalue()


def _own_log(database: Database) -> str:
    if database.reads_files:
        return "GENERATION_LOGS='exports/*.parquet' WAREHOUSE_DUCKDB=mine.duckdb make build"
    return "GENERATION_LOGS_SCHEMA, GENERATION_LOGS_TABLE"
