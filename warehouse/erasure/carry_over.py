"""Another warehouse of the same log must not bring back who was erased: it gets the salt and the list."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.database import Database, Transaction
from warehouse.erasure.ids import fill
from warehouse.errors import ConfigurationError, DatabaseError, NeverBuiltError


def carry_over(old: str, new: str, *, wait_seconds: float) -> str:
    """Copy the salt and the list of erased users. What was done, in words."""
    with _database(old, wait_seconds) as source, source.reading() as here:
        internal = f"{source.schema}_internal"
        if not here.exists(internal, "erased_users"):
            raise NeverBuiltError(f"{old} is no warehouse of this release. Run `dbt build` on it first.")
        ((salt,),) = [row.values() for row in here.rows(f"select salt from {internal}.user_key_salt")]
        erased = here.rows(f"select erasure_hash, erased_before, rekey from {internal}.erased_users")
    with _database(new, wait_seconds) as target, target.alone() as there:
        internal = f"{target.schema}_internal"
        if there.exists(internal, "user_key_salt"):
            if there.rows(f"select salt from {internal}.user_key_salt") != [{"salt": salt}]:
                raise DatabaseError(
                    f"{new} has keys that were made with another salt: the list says nothing there. Nothing was "
                    "changed. Erase the same ids in it, or build it once more from nothing after this."
                )
        else:
            _make_tables(there, internal)
            fill(there, f"{internal}.user_key_salt", [("true", salt)], is_duckdb=target.reads_files)
        rows = there.rows(f"select erasure_hash, erased_before from {internal}.erased_users")
        # one engine gives a uuid, the other its text
        known = {str(row["erasure_hash"]): row["erased_before"] for row in rows}
        is_new = any(known.get(str(row["erasure_hash"]), dt.datetime.min) < row["erased_before"] for row in erased)
        if is_new and there.exists(f"{target.schema}_marts", "fct_generations"):
            raise DatabaseError(
                f"{new} is built already, and the list takes nobody out of it. Nothing was changed. Erase the same ids "
                "in it, or build it once more from nothing after this."
            )
        for row in erased:
            there.execute(
                f"insert into {internal}.erased_users (erasure_hash, erased_before, rekey) "
                "values (cast(%(erasure_hash)s as uuid), %(erased_before)s, cast(%(rekey)s as uuid)) "
                "on conflict (erasure_hash) do update set erased_before = excluded.erased_before, "
                f"rekey = excluded.rekey where {internal}.erased_users.erased_before < excluded.erased_before",
                **{name: str(value) if isinstance(value, uuid.UUID) else value for name, value in row.items()},
            )
    return f"{new} has the salt of {old}, and its list of {len(erased):,} erased users."


def _make_tables(there: Transaction, internal: str) -> None:
    """As the first build would make them, which leaves them as they are."""
    if not there.rows("select 1 from information_schema.schemata where schema_name = %(name)s", name=internal):
        there.execute(f"create schema {internal}")
    there.execute(
        f"create table {internal}.user_key_salt "
        "(is_only_row boolean primary key check (is_only_row), salt text not null)"
    )
    there.execute(
        f"create table if not exists {internal}.erased_users "
        "(erasure_hash uuid primary key, erased_before timestamp not null, rekey uuid not null)"
    )


@contextmanager
def _database(name: str, wait_seconds: float) -> Iterator[Database]:
    """A target of the profile, or a file of DuckDB."""
    is_file = name.endswith((".duckdb", ".db")) or os.sep in name
    if not is_file:
        yield Database(wait_seconds, target=name)
        return
    if Path(name).is_dir():
        raise ConfigurationError(f"{name} is a folder; a file of DuckDB is needed.")
    before = os.environ.get("WAREHOUSE_DUCKDB")
    os.environ["WAREHOUSE_DUCKDB"] = name
    try:
        yield Database(wait_seconds, target="local")
    finally:
        os.environ.pop("WAREHOUSE_DUCKDB")
        if before is not None:
            os.environ["WAREHOUSE_DUCKDB"] = before
