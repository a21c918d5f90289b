"""The command: python -m warehouse erase."""

import argparse
import datetime as dt
import os
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

from warehouse.compact import compact
from warehouse.database import Database, Transaction
from warehouse.erasure import proof
from warehouse.erasure.carry_over import carry_over
from warehouse.erasure.certificate import Certificate
from warehouse.erasure.ids import give_ids, read_ids
from warehouse.erasure.steps import LARGE_SHARE, Erased, Erasure, Table
from warehouse.errors import ConfigurationError, DatabaseError, DbtError, NeverBuiltError
from warehouse.run_dbt import run_dbt
from warehouse.secrets import scrub

NOT_FOUND = 3


class _UnknownIdsError(Exception):
    """Of some ids nothing is known."""


DESCRIPTION = """\
Erase users: their rows go from every table, the log's rows of theirs are read no longer, the tables made of them are
made again, and the bytes are written again. A certificate says what was done, and what is not. Their ids come from
stdin, one a line, as the log has them: nothing else may hold them.

  python -m warehouse erase < ids               erase
  python -m warehouse erase copy OLD NEW        give another warehouse, before its first build, the salt and the list of
                                                erased users: NEW and OLD are targets of the profile, or DuckDB files"""
EPILOG = f"""\
It exits with 0, 2 where something is broken, and {NOT_FOUND} where of some line's id nothing is known: then nothing is
erased, unless --anyway is given. docs/privacy.md says what the certificate proves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much is done at once, and what for."""
    parser.add_argument("copy", nargs="*", metavar="copy OLD NEW", help=argparse.SUPPRESS)
    parser.add_argument("--reference", default="(none given)", metavar="TEXT", help="of the request; no id, no name")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="write it there (mode 0600), not to stdout")
    parser.add_argument("--anyway", action="store_true", help="list ids of which nothing is known as well")
    parser.add_argument(
        "--large", action="store_true", help=f"erase an id that has over {LARGE_SHARE:.0%}% of the generations"
    )
    parser.add_argument(
        "--before", type=_moment, metavar="TIME", help="erase up to this time, in UTC, and not up to now"
    )
    parser.add_argument("--no-build", action="store_true", help="leave it to the next daily run to follow")
    parser.add_argument(
        "--vars", metavar="YAML", help="for that build, as for dbt: the variables of your scheduled runs"
    )
    parser.add_argument("--no-rewrite", action="store_true", help="leave the bytes to the next `make compact`")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run at work; default: 600")


def run(options: argparse.Namespace) -> int:
    """Erase, build, write again, look, and certify."""
    if options.copy:
        if len(options.copy) != 3 or options.copy[0] != "copy":
            raise ConfigurationError("It takes no id as an argument: ids come from stdin. See --help.")
        print(carry_over(*options.copy[1:], wait_seconds=options.wait))
        return 0
    began = dt.datetime.now(dt.UTC)
    before = options.before or began
    if before > began:
        raise ConfigurationError("--before is in the future. Nothing was erased.")
    if sys.stdin.isatty():
        print("The ids, one a line; then Ctrl-D:", file=sys.stderr)
    asked = read_ids(sys.stdin)
    is_new_file = _open(options.certificate) if options.certificate else False
    database = Database(options.wait)
    is_complete = not options.no_build and not options.no_rewrite
    certificate = Certificate(options.reference, database.place, began, before=before, is_complete=is_complete)
    try:
        erased = _look(database, asked, options)
        _erase(database, asked, erased, before, certificate)
    except BaseException as error:
        # nothing was done that it could tell of
        if is_new_file and not certificate.done:
            options.certificate.unlink()
        if isinstance(error, _UnknownIdsError):
            print(error, file=sys.stderr)
            return NOT_FOUND
        raise
    _let_the_marts_follow(database, options, certificate)
    _write_again(database, erased.tables, options, certificate)
    try:
        _prove(database, asked, erased, options, certificate)
    except (DatabaseError, OSError) as error:
        certificate.problems.append(f"nothing is proven, as not all could be looked through: {error}")
    _say_what_is_left(database, options, certificate)
    certificate.write(options.certificate)
    return 0 if certificate.is_proven else 2


def _open(file: Path) -> bool:
    """Now, and not when the users are gone: where it cannot be written, nothing is erased. Was it not there before?"""
    if file.exists() and file.stat().st_size:
        raise ConfigurationError(f"{file} is there already, and a certificate is kept. Give another name.")
    is_new = not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    return is_new


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _look(database: Database, asked: list[tuple[int, str]], options: argparse.Namespace) -> Erased:
    """What is known of the ids, and where: nobody waits for this. Refuses what is hardly meant."""
    is_duckdb = database.reads_files
    with database.working() as transaction:
        if not transaction.exists(f"{database.schema}_internal", "user_key_salt"):
            raise NeverBuiltError("There is no warehouse here. Run `make build` or `dbt build`.")
        erasure = Erasure(transaction, database.schema, is_duckdb=is_duckdb)
        erasure.check_release()
        _check_log(database, transaction)
        first_day = erasure.first_day_of_fact()
        if options.before and first_day and options.before.date() < first_day:
            raise ConfigurationError(
                f"--before is earlier than {first_day}, from which day on the warehouse holds single generations: what "
                "the users did in between would be lost. Nothing was erased."
            )
        give_ids(transaction, database.schema, asked, is_duckdb=is_duckdb)
        erased = erasure.look(None if options.anyway else database.log)
        if erased.unknown and not options.anyway:
            raise _UnknownIdsError(
                f"Nothing is known of the ids of these lines: {_listed(erased.unknown)}. Nothing was erased. Are they "
                "spelled as in the log? --anyway keeps them out of the warehouse all the same."
            )
        if erased.large and not options.large:
            shares = ", ".join(f"line {line} {share:.0%}" for line, share in sorted(erased.large.items()))
            raise ConfigurationError(
                f"So large a share of all generations is hardly one user's: {shares}. Nothing was erased. "
                "If it is meant: --large."
            )
        found = proof.rows_with(transaction, database.schema, erased.keys, is_duckdb=is_duckdb)
        erased.found_before = sum(found.values())
        if not is_duckdb:
            erased.statistics_before = len(proof.statistics_with(transaction, database.schema))
        _drop_temporary_tables(transaction)
    return erased


def _place(path: str) -> str:
    """A path or pattern as the disk has its folder: a run may have come there by a link."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _check_log(database: Database, transaction: Transaction) -> None:
    """Is the log that the environment names the one of the last run? The build would put another in its place."""
    if database.reads_files:
        pattern = _place(database.log_place)
        files = [row["path"] for row in transaction.rows(f"select path from {database.schema}_internal.log_files")]
        is_known = not files or any(_place(file) == pattern or fnmatch(_place(file), pattern) for file in files)
        name = "GENERATION_LOGS"
    else:
        rows = transaction.rows(
            "select 1 from pg_depend inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid "
            "where pg_depend.refobjid = to_regclass(%(log)s) and pg_rewrite.ev_class = to_regclass(%(view)s)",
            log=database.log,
            view=f"{database.schema}_staging.stg_generation_log_times",
        )
        is_known, name = bool(rows), "GENERATION_LOGS_SCHEMA and GENERATION_LOGS_TABLE"
    if not is_known:
        raise ConfigurationError(
            f"The warehouse was made of another log than {database.log_place}. Nothing was erased. Set {name} as for "
            "your runs; if the log has moved, `dbt build` first."
        )


def _erase(
    database: Database, asked: list[tuple[int, str]], erased: Erased, before: dt.datetime, certificate: Certificate
) -> None:
    """The transaction."""
    with database.alone() as transaction:
        begun = time.monotonic()
        erasure = Erasure(transaction, database.schema, is_duckdb=database.reads_files)
        erasure.check_release()
        give_ids(transaction, database.schema, asked, is_duckdb=database.reads_files)
        erasure.carry_out(erased, before)
        (users,) = transaction.rows("select count(distinct digest) as users from asked")
        certificate.users = users["users"]
        _drop_temporary_tables(transaction)
        transaction.execute("commit; begin")
        seconds = time.monotonic() - begun
    certificate.rows = erased.rows
    certificate.done.append(f"deleted, and kept out from now on, in one transaction of {seconds:.1f} s")
    if database.reads_files:
        # to delete rows takes nothing out of the bytes: they are as before until the file is written again
        erased.sampled = proof.sampled(erased.keys)
        erased.sampled_ids = proof.sampled_ids(user_id for _, user_id in asked)
        try:
            erased.bytes_before = proof.occurrences(Path(database.file), erased.sampled, erased.sampled_ids)
        except OSError as error:
            certificate.problems.append(f"the bytes of the file could not be read: {error.strerror}")
    certificate.has_found = bool(erased.rows or erased.found_before or erased.bytes_before)
    if erased.unknown:
        certificate.left.append(
            f"Of the ids of these lines nothing was known; they are kept out as well: {_listed(erased.unknown)}."
        )


def _listed(lines: list[int]) -> str:
    return ", ".join(map(str, lines))


def _drop_temporary_tables(transaction: Transaction) -> None:
    for name in ("given", "asked", "gone_users", "unknown_users", "gone_rows", "days_left", "needles"):
        transaction.execute(f"drop table if exists {name}")


def _let_the_marts_follow(database: Database, options: argparse.Namespace, certificate: Certificate) -> None:
    if options.no_build:
        certificate.left.append(
            "The tables made of the generations still count them: the next daily run makes them again (--no-build)."
        )
        return
    try:
        run_dbt(database, ["build", "--selector", "daily", *(["--vars", options.vars] if options.vars else [])])
    except (DbtError, DatabaseError) as error:
        certificate.problems.append(
            f"The rows are gone, but the build after it failed; run `dbt build --selector daily`: {scrub(error)}"
        )
    else:
        certificate.done.append("the tables made of the generations were made again, and no test failed")


def _write_again(
    database: Database, tables: list[Table], options: argparse.Namespace, certificate: Certificate
) -> None:
    if options.no_rewrite:
        certificate.left.append(
            "The bytes of the deleted rows are still in the database: `make compact` writes it again (--no-rewrite)."
        )
        return
    begun = time.monotonic()
    try:
        before, after, left = compact(database, [table.place for table in tables])
    except DatabaseError as error:
        certificate.problems.append(f"the database was not written again; `make compact` tries again: {error}")
        return
    certificate.done.append(
        f"the database was written again in {time.monotonic() - begun:.1f} s: {before:,} bytes before, {after:,} now"
    )
    for what in left:
        if what.startswith("pg_catalog.pg_statistic"):
            certificate.left.append(
                "What the planner remembered of the keys is in dead rows of pg_catalog.pg_statistic. The database's "
                "owner, or from PostgreSQL 17 on a member of pg_maintain, removes it: vacuum full "
                "pg_catalog.pg_statistic;"
            )
        else:
            certificate.problems.append(f"not written again: {what}; `make compact` tries again")


def _prove(
    database: Database,
    asked: list[tuple[int, str]],
    erased: Erased,
    options: argparse.Namespace,
    certificate: Certificate,
) -> None:
    is_duckdb = database.reads_files
    with database.working() as transaction:
        give_ids(transaction, database.schema, asked, is_duckdb=is_duckdb)
        found = proof.rows_with(transaction, database.schema, erased.keys, is_duckdb=is_duckdb)
        columns = proof.columns_searched(transaction, database.schema, is_duckdb=is_duckdb)
        certificate.checks.append(
            (f"rows, in all {columns} columns of uuids and text", erased.found_before, sum(found.values()))
        )
        certificate.problems += [f"{count:,} rows still in {name}" for name, count in found.items()]
        if not is_duckdb and not options.no_rewrite:
            places = proof.statistics_with(transaction, database.schema)
            certificate.checks.append(("columns whose statistics show one", erased.statistics_before, len(places)))
        _drop_temporary_tables(transaction)
    certificate.left.append(_rows_in_the_log(database, asked, certificate.until))
    if is_duckdb and not options.no_rewrite:
        now = proof.occurrences(Path(database.file), erased.sampled, erased.sampled_ids)
        some = (
            "" if len(erased.sampled) == len(erased.keys) else f", of {len(erased.sampled)} keys of {len(erased.keys)}"
        )
        certificate.checks.append((f"times in the bytes of the file, in nine forms{some}", erased.bytes_before, now))
        if not erased.bytes_before:
            certificate.left.append(
                "The keys were in no bytes before either: that they are in none now proves nothing."
            )


def _rows_in_the_log(database: Database, asked: list[tuple[int, str]], until: str) -> str:
    """What the log still holds is its owner's to delete."""
    read = f"{database.schema}_internal.as_user_id(cast(user_id as text))"
    try:
        with database.working() as transaction:
            give_ids(transaction, database.schema, asked, is_duckdb=database.reads_files)
            (held,) = transaction.rows(
                f"select count(*) as log_rows from {database.log} where {read} in (select user_id from asked)"
            )
            _drop_temporary_tables(transaction)
    except DatabaseError:
        return f"Whether the log ({database.log_place}) still holds rows of theirs is not known: it cannot be read."
    if not held["log_rows"]:
        return f"The log ({database.log_place}) holds no row of theirs any more."
    return (
        f"{held['log_rows']:,} rows of theirs are in the log ({database.log_place}): the application's to delete. "
        f"The warehouse reads none of those up to {until}."
    )


def _say_what_is_left(database: Database, options: argparse.Namespace, certificate: Certificate) -> None:
    if database.reads_files:
        published = os.environ.get("WAREHOUSE_PUBLISHED") or "published.duckdb"
        copies = [str(path) for path in (Path(published), Path("build/report.html"), Path("backups")) if path.exists()]
        certificate.left.append(
            "Copies keep what they hold: `make publish`, `make backup` and `make move` the users' keys, `make report` "
            f"counts{' (here: ' + ', '.join(copies) + ')' if copies else ''}. Publish again; delete old backups, or "
            "erase the same ids when one is restored, before anybody uses it."
        )
        certificate.left.append("The disk may hold bytes of the old file until it uses its blocks again.")
    else:
        certificate.left.append(
            "The write-ahead log, its archive, standbys and backups hold the rows until they expire; when one is "
            "restored, erase the same ids before anybody uses it."
        )
    certificate.left += [
        "What left the warehouse before: extracts of BI tools, published pages, messages about alerts.",
        "Aggregates older than the generations at hand keep their counts, which name nobody; so do incidents that "
        "were judged.",
    ]
    if options.reference == "(none given)":
        certificate.left.append("No reference of the request was given (--reference).")
