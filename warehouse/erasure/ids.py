"""Whose data is to go: the ids, which are told to nobody else."""

import io
from collections.abc import Iterable

from warehouse.database import Transaction
from warehouse.errors import ConfigurationError

# An id that long is no id, and would be a file that was given by mistake.
_LONGEST = 1000


def read_ids(lines: Iterable[str]) -> list[tuple[int, str]]:
    """The ids of a text, one a line, each with the number of its line. Empty lines are none."""
    asked = [(number, line.strip("\ufeff \t\r\n")) for number, line in enumerate(lines, start=1)]
    asked = [(number, user_id) for number, user_id in asked if user_id]
    if not asked:
        raise ConfigurationError("No id was given: they come from stdin, one a line. Nothing was erased.")
    for number, user_id in asked:
        if len(user_id) > _LONGEST or "\0" in user_id:
            raise ConfigurationError(f"Line {number} is no id: it is too long, or has a zero byte. Nothing was erased.")
    return asked


def fill(transaction: Transaction, table: str, rows: list[tuple], *, is_duckdb: bool) -> None:
    """Insert rows of numbers and text whose values no statement may hold."""
    if not rows:
        return
    if is_duckdb:
        columns = {f"column_{place}": list(values) for place, values in enumerate(zip(*rows, strict=True))}
        unnested = ", ".join(f"unnest(%({name})s)" for name in columns)
        transaction.execute(f"insert into {table} select {unnested}", **columns)
        return
    escaped = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
    text = "".join("\t".join(str(value).translate(escaped) for value in row) + "\n" for row in rows)
    transaction.copy(f"copy {table} from stdin", io.StringIO(text))


def give_ids(transaction: Transaction, schema: str, asked: list[tuple[int, str]], *, is_duckdb: bool) -> None:
    """Make the temporary table `asked`: line, user_id as staging reads it, digest.

    No id is in a statement or its parameters, which a server's log, its list of activity and dbt's files show."""
    transaction.execute("create temporary table given (line integer, user_id text)")
    fill(transaction, "given", asked, is_duckdb=is_duckdb)
    salted = f"(select salt from {schema}_internal.user_key_salt) || user_id"
    digest = f"sha256({salted})" if is_duckdb else f"encode(sha256(convert_to({salted}, 'UTF8')), 'hex')"
    transaction.execute(
        f"create temporary table asked as select line, user_id, {digest} as digest "
        f"from (select line, {schema}_internal.as_user_id(user_id) as user_id from given) as spelled "
        "where user_id is not null"
    )
    # the key of today, and that of before an earlier erasure
    rekeyed = "cast(rekey as text) || digest"
    rekeyed = f"sha256({rekeyed})" if is_duckdb else f"encode(sha256(convert_to({rekeyed}, 'UTF8')), 'hex')"
    transaction.execute(
        "create temporary table gone_users as "
        "select line, digest, cast(left(digest, 32) as uuid) as user_key from asked "
        f"union select line, digest, cast(left({rekeyed}, 32) as uuid) as user_key from asked "
        f"inner join {schema}_internal.erased_users as erased "
        "on erased.erasure_hash = cast(right(digest, 32) as uuid)"
    )
    if not is_duckdb:
        transaction.execute("analyze asked; analyze gone_users")
