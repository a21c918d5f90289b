"""The proof: what was to go is looked for everywhere, in a way that found it before."""

import random
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from warehouse.compact import schemas_pattern
from warehouse.database import Transaction
from warehouse.erasure.ids import fill
from warehouse.erasure.steps import base_tables

_TEXTS = ("text", "character varying", "varchar")
# To look for more keys in every byte of a large file would take hours.
MOST_KEYS_IN_BYTES = 5
SHORTEST_ID_IN_BYTES = 16
_CHUNK = 2**25


def rows_with(transaction: Transaction, schema: str, keys: Iterable[uuid.UUID], *, is_duckdb: bool) -> dict[str, int]:
    """In how many rows of each column of uuids or text something of the users is: a key, or an id from the table
    `asked`. Columns without any are left out. The table `needles` is made for it."""
    transaction.execute("create temporary table needles as select user_id as needle from asked")
    fill(transaction, "needles", [(str(key),) for key in keys], is_duckdb=is_duckdb)
    found = {}
    for table in base_tables(transaction, schema, is_duckdb=is_duckdb):
        columns = [name for name, type_name in table.columns.items() if type_name in ("uuid", *_TEXTS)]
        if not columns:
            continue
        counted = ", ".join(
            f'count(*) filter (where cast("{column}" as text) in (select needle from needles)) as "{column}"'
            for column in columns
        )
        (counts,) = transaction.rows(f"select {counted} from {table.place}")
        found |= {f"{table.title}.{column}": count for column, count in counts.items() if count}
    return found


def columns_searched(transaction: Transaction, schema: str, *, is_duckdb: bool) -> int:
    """How many columns rows_with() looks through."""
    return sum(
        type_name in ("uuid", *_TEXTS)
        for table in base_tables(transaction, schema, is_duckdb=is_duckdb)
        for type_name in table.columns.values()
    )


def statistics_with(transaction: Transaction, schema: str) -> list[str]:
    """PostgreSQL: the columns of whose most common or outermost values one is a needle."""
    rows = transaction.rows(
        "select distinct schemaname || '.' || tablename || '.' || attname as place from pg_stats "
        "where schemaname ~ %(pattern)s and exists (select 1 from needles where "
        "needle = any(cast(cast(most_common_vals as text) as text[])) "
        "or needle = any(cast(cast(histogram_bounds as text) as text[]))) order by 1",
        pattern=schemas_pattern(schema),
    )
    return [row["place"] for row in rows]


def sampled(keys: list[uuid.UUID]) -> list[uuid.UUID]:
    """The keys that are looked for in bytes: all, or some of very many."""
    return keys if len(keys) <= MOST_KEYS_IN_BYTES else random.sample(keys, MOST_KEYS_IN_BYTES)


def sampled_ids(ids: Iterable[str]) -> list[str]:
    """The ids that are looked for in bytes: long ones, as a short one may be a part of anything."""
    long = [user_id for user_id in ids if len(user_id) >= SHORTEST_ID_IN_BYTES]
    return long if len(long) <= MOST_KEYS_IN_BYTES else random.sample(long, MOST_KEYS_IN_BYTES)


def occurrences(file: Path, keys: list[uuid.UUID], ids: Iterable[str] = ()) -> int:
    """DuckDB: how often the keys are in the bytes of a file, in any of the forms in which they could be, and the ids,
    also within a longer text."""
    patterns = {form for key in keys for form in _forms(key)}
    patterns |= {text.encode() for user_id in ids for text in (user_id, user_id.lower(), user_id.upper())}
    if not patterns or not file.exists() or not file.stat().st_size:
        return 0
    found, overlap = 0, max(map(len, patterns)) - 1
    with file.open("rb") as opened:
        rest = b""
        while chunk := opened.read(_CHUNK):
            content = rest + chunk
            # what lies wholly in the rest was counted with the chunk before
            found += sum(content.count(pattern) - rest.count(pattern) for pattern in patterns)
            rest = content[-overlap:]
    return found


def _forms(key: uuid.UUID) -> Iterator[bytes]:
    """As text, and as bytes in any order; DuckDB's own order is two halves from behind, with the highest bit turned."""
    for text in (str(key), str(key).upper(), key.hex, key.hex.upper()):
        yield text.encode()
    yield key.bytes
    yield key.bytes[::-1]
    yield key.bytes_le
    high, low = divmod(key.int, 2**64)
    yield low.to_bytes(8, "little") + (high ^ 2**63).to_bytes(8, "little")
    yield low.to_bytes(8, "little") + high.to_bytes(8, "little")
