"""The command: python -m warehouse summary, which `make build` ends with."""

import argparse

from warehouse.database import Database, Row, Transaction
from warehouse.errors import NeverBuiltError

DESCRIPTION = "Say what the last run read, what the warehouse holds, and which styles work."
# How long to wait for another process that has the file of DuckDB.
_WAIT_SECONDS = 60
_NEEDED = {
    "intermediate": ("int_log_window", "int_log_rows"),
    "marts": ("fct_generations", "generation_log_issues", "style_performance"),
}
_DISPOSITIONS = {
    "set_aside": ("set aside", "rows that cannot be counted"),
    "repeated": ("repeated", "rows whose id is counted already"),
    "counted": ("counted in part", "issues of rows whose other values are used"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(options: argparse.Namespace) -> int:
    """Look, and print."""
    database = Database(_WAIT_SECONDS)
    with database.reading() as transaction:
        _check_built(transaction, database.schema)
        lines = [
            "",
            f"The log: {database.log_place}",
            *_read(transaction, database.schema),
            "In the warehouse:",
            *_held(transaction, database.schema),
            "",
            "Styles by success rate, last 30 days (of 10 generations or more):",
            *_styles(transaction, database.schema),
            "",
            f"The database: {database.place}",
            f"  the marts are in the schema {database.schema}_marts; "
            f"for example: select * from {database.schema}_marts.style_performance",
            "Next:",
            f"  your own log        {_own_log(database)}",
            "  a question          .venv/bin/dbt show --limit -1 --select failures_by_message_7_days   "
            "(all: analyses/)",
            "  what the tables say make docs",
            "",
        ]
    print("\n".join(lines))
    return 0


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
    return [f"  {'style':<24}{'generations':>12}{'success':>10}{'USD per success':>18}", *map(line, styles)]


def _own_log(database: Database) -> str:
    if database.reads_files:
        return "GENERATION_LOGS='exports/*.parquet' WAREHOUSE_DUCKDB=mine.duckdb make build"
    return "GENERATION_LOGS_SCHEMA, GENERATION_LOGS_TABLE"
