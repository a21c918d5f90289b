"""The one transaction in which users go: their rows, the list that keeps them out, the ledger and the journal."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from warehouse.compact import schemas_pattern
from warehouse.database import Transaction
from warehouse.errors import DatabaseError

# An id that so large a share of the generations has is hardly one user's.
LARGE_SHARE = 0.2


@dataclass(frozen=True)
class Table:
    """A table of the warehouse in which something of a user may be, and its columns by type."""

    schema: str
    name: str
    columns: dict[str, str]

    @property
    def place(self) -> str:
        """Its name in SQL."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.schema}.{self.name}"


@dataclass
class Erased:
    """What an erasure did."""

    rows: dict[str, int] = field(default_factory=dict)
    keys: list[uuid.UUID] = field(default_factory=list)
    # lines of the input of which nothing was found
    unknown: list[int] = field(default_factory=list)
    # share of the fact by line, of those that hold too much of it
    large: dict[int, float] = field(default_factory=dict)
    first_day: dt.date | None = None
    # that can hold something of a user
    tables: list[Table] = field(default_factory=list)
    # how much the proof finds before: rows, columns with statistics, times in the bytes of the file
    found_before: int = 0
    statistics_before: int = 0
    bytes_before: int = 0
    sampled: list[uuid.UUID] = field(default_factory=list)
    sampled_ids: list[str] = field(default_factory=list)


def base_tables(transaction: Transaction, schema: str, *, is_duckdb: bool) -> list[Table]:
    """All tables of the warehouse, with their columns."""
    matches = "regexp_matches(columns.table_schema, %(pattern)s)" if is_duckdb else "columns.table_schema ~ %(pattern)s"
    here = "columns.table_catalog = current_database() and " if is_duckdb else ""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in transaction.rows(
        "select columns.table_schema, columns.table_name, columns.column_name, columns.data_type "
        "from information_schema.columns as columns inner join information_schema.tables as tables "
        "on columns.table_catalog = tables.table_catalog and columns.table_schema = tables.table_schema "
        "and columns.table_name = tables.table_name "
        f"where {here}{matches} and tables.table_type = 'BASE TABLE' order by 1, 2, 3",
        pattern=schemas_pattern(schema),
    ):
        found.setdefault((row["table_schema"], row["table_name"]), {})[row["column_name"]] = row["data_type"].lower()
    return [Table(*place, columns) for place, columns in found.items()]


class Erasure:
    """What is asked and done within a transaction. The temporary tables of give_ids() are there."""

    def __init__(self, transaction: Transaction, schema: str, *, is_duckdb: bool) -> None:
        """Find out which tables there are."""
        self._transaction = transaction
        self._schema = schema
        self._is_duckdb = is_duckdb
        self._tables = base_tables(transaction, schema, is_duckdb=is_duckdb)
        self._by_name = {table.title: table for table in self._tables}

    def check_release(self) -> None:
        """Staging must leave erased users out, or the next run would bring them back."""
        views = (
            "select view_name, sql from duckdb_views() where schema_name = %(schema)s"
            if self._is_duckdb
            else "select viewname as view_name, definition as sql from pg_views where schemaname = %(schema)s"
        )
        found = {
            row["view_name"]: row["sql"] for row in self._transaction.rows(views, schema=f"{self._schema}_staging")
        }
        needed = ("stg_generation_logs", "stg_generation_log_times")
        if self._table("internal", "erased_users") is None or any(
            "erased_users" not in found.get(view, "") for view in needed
        ):
            raise DatabaseError(
                "This warehouse was built by a release that knows no erasure, or not at all. Nothing was erased. "
                "Run `dbt build` once, then this again."
            )

    def look(self, log: str | None) -> Erased:
        """Of which ids is something known, here or in the log, and which have too much of the fact?"""
        identifying = ("user_key", "generation_id", "job_id")
        erased = Erased(tables=[table for table in self._tables if set(identifying) & table.columns.keys()])
        known = " union ".join(
            f"select user_key from {table.place} where user_key in (select user_key from gone_users)"
            for table in self._with("user_key")
        )
        unknown = (
            f"select asked.line, asked.user_id from asked where asked.line not in ("
            f"select line from gone_users where user_key in ({known or 'select user_key from gone_users where false'}))"
        )
        self._transaction.execute(f"create temporary table unknown_users as {unknown}")
        is_known = "select user_id from unknown_users where false"
        if log and self._transaction.rows("select 1 from unknown_users limit 1"):
            logged = f"{self._schema}_internal.as_user_id(cast(user_id as text))"
            is_known = f"select {logged} from {log} where {logged} in (select user_id from unknown_users)"
        lines = self._transaction.rows(
            f"select line from unknown_users where user_id not in ({is_known}) "
            # what staging would read as no id at all
            "union select line from given where line not in (select line from asked) order by line"
        )
        erased.unknown = [row["line"] for row in lines]
        fact = self._table("marts", "fct_generations")
        if fact:
            erased.large = {
                row["line"]: float(row["share"])
                for row in self._transaction.rows(
                    "select gone_users.line, count(*) * 1.0 / (select greatest(count(*), 1) "
                    f"from {fact.place}) as share from {fact.place} as fact "
                    "inner join gone_users on fact.user_key = gone_users.user_key group by gone_users.line "
                    f"having count(*) > {LARGE_SHARE} * (select count(*) from {fact.place})"
                )
            }
        erased.keys = [row["user_key"] for row in self._transaction.rows("select distinct user_key from gone_users")]
        return erased

    def carry_out(self, erased: Erased, before: dt.datetime) -> None:
        """Delete what is found, keep it out from now on, and let the marts follow."""
        first_of_fact = self.first_day_of_fact()
        is_gone = "user_key in (select user_key from gone_users)"
        first_of_users = self._first_day("int_user_days", "intermediate", is_gone)
        self._note_generations()
        for table in self._tables:
            condition = self._rows_of_users(table)
            if condition:
                count = self._count_deleted(f"delete from {table.place} where {condition}")
                if count:
                    erased.rows[table.title] = count
        self._keep_out(before)
        self._correct_the_ledger()
        self._forget_styles()
        first_of_days = self._transaction.rows("select min(activity_date) as first_day from gone_rows")[0]["first_day"]
        known = [day for day in (first_of_users, first_of_days) if day is not None]
        if known and first_of_fact is not None:
            erased.first_day = max(min(known), first_of_fact)
            self._journal(erased.first_day)

    def first_day_of_fact(self) -> dt.date | None:
        """From which day on are there single generations?"""
        return self._first_day("fct_generations", "marts", "true")

    def _with(self, *columns: str) -> list[Table]:
        return [table for table in self._tables if all(column in table.columns for column in columns)]

    def _table(self, layer: str, name: str) -> Table | None:
        return self._by_name.get(f"{self._schema}_{layer}.{name}")

    def _first_day(self, name: str, layer: str, condition: str) -> dt.date | None:
        table = self._table(layer, name)
        if table is None:
            return None
        query = f"select min(activity_date) as first_day from {table.place} where {condition}"
        return self._transaction.rows(query)[0]["first_day"]

    def _note_generations(self) -> None:
        """The ids of the users' generations, which other tables may have alone, and the days that change."""
        parts = []
        for table in self._with("user_key"):
            held = {column: column if column in table.columns else None for column in ("generation_id", "job_id")}
            if not any(held.values()):
                continue
            day = "activity_date" if "activity_date" in table.columns else "cast(null as date)"
            generation = "cast(generation_id as text)" if held["generation_id"] else "cast(null as text)"
            job = "cast(job_id as text)" if held["job_id"] else "cast(null as text)"
            parts.append(
                f"select {generation} as generation_id, {job} as job_id, {day} as activity_date from {table.place} "
                "where user_key in (select user_key from gone_users)"
            )
        nothing = (
            "select cast(null as text) as generation_id, cast(null as text) as job_id, cast(null as date) "
            "as activity_date where false"
        )
        self._transaction.execute(f"create temporary table gone_rows as {' union '.join(parts) or nothing}")
        if not self._is_duckdb:
            self._transaction.execute("analyze gone_rows")

    def _rows_of_users(self, table: Table) -> str | None:
        """The condition for the rows of the users in a table; none where it cannot hold any."""
        columns = table.columns
        by_generation = (
            "cast(generation_id as text) in (select generation_id from gone_rows where generation_id is not null)"
        )
        if "activity_date" in columns and "generation_id" in columns:
            by_generation = (
                "(cast(generation_id as text), activity_date) in "
                "(select generation_id, activity_date from gone_rows where generation_id is not null)"
            )
        if "user_key" in columns:
            key = "user_key" if columns["user_key"] == "uuid" else "cast(user_key as uuid)"
            condition = f"{key} in (select user_key from gone_users)"
            # rows in which several users are one have no key
            if "generation_id" in columns and table.name == "generation_log_issues":
                condition += f" or user_key is null and {by_generation}"
            return condition
        if "generation_id" in columns:
            return by_generation
        if "job_id" in columns:
            # a job that somebody else has as well tells of nobody
            others = " union ".join(
                f"select cast(job_id as text) as job_id from {other.place} where user_key is null "
                "or user_key not in (select user_key from gone_users)"
                for other in self._with("user_key", "job_id")
            )
            return (
                "cast(job_id as text) in (select job_id from gone_rows) "
                f"and cast(job_id as text) not in (select job_id from ({others}) as others where job_id is not null)"
            )
        return None

    def _count_deleted(self, statement: str) -> int:
        self._transaction.execute(statement)
        return self._transaction.changed_rows()

    def _keep_out(self, before: dt.datetime) -> None:
        self._transaction.execute(
            f"insert into {self._schema}_internal.erased_users (erasure_hash, erased_before, rekey) "
            "select cast(right(digest, 32) as uuid), cast(%(before)s as timestamp), gen_random_uuid() "
            "from (select distinct digest from asked) as digests "
            "on conflict (erasure_hash) do update set erased_before = excluded.erased_before, rekey = excluded.rekey",
            before=before.replace(tzinfo=None),
        )

    def _correct_the_ledger(self) -> None:
        """The days as they are without the users, so that their rows do not count as lost from the log. What a day
        holds is not known until it is read again, which the next daily run does."""
        fact, issues = self._table("marts", "fct_generations"), self._table("marts", "generation_log_issues")
        ledger = f"{self._schema}_internal.days"
        if fact is None or issues is None or self._table("internal", "days") is None:
            return
        days = "select activity_date from gone_rows where activity_date is not null"
        self._transaction.execute(
            "create temporary table days_left as "
            "select activity_date, min(created_at) as first_at, max(created_at) as last_at, "
            "cast(sum(row_count) as bigint) as row_count from ("
            f"select activity_date, created_at, 1 as row_count from {fact.place} where activity_date in ({days}) "
            f"union all select activity_date, created_at, row_count from {issues.place} "
            f"where disposition != 'counted' and issue != 'future_created_at' and activity_date in ({days})"
            ") as log_rows group by activity_date"
        )
        self._transaction.execute(
            f"delete from {ledger} where activity_date in ({days}) "
            "and activity_date not in (select activity_date from days_left)"
        )
        self._transaction.execute(
            f"update {ledger} set first_at = days_left.first_at, last_at = days_left.last_at, "
            "row_count = days_left.row_count, content_hash = null, held_back_hash = null "
            "from days_left where days.activity_date = days_left.activity_date"
        )

    def _forget_styles(self) -> None:
        """How a style was spelled on a day on which nobody else made one: what the log no longer holds of the day is
        not read again."""
        spellings, fact = self._table("intermediate", "int_style_spellings"), self._table("marts", "fct_generations")
        if spellings and fact:
            self._transaction.execute(
                f"delete from {spellings.place} as spellings "
                "where activity_date in (select activity_date from gone_rows) "
                # not in would ask the whole fact for each of them on PostgreSQL
                f"and not exists (select 1 from {fact.place} as fact "
                "where fact.activity_date = spellings.activity_date and fact.style = spellings.style)"
            )

    def _journal(self, first_day: dt.date) -> None:
        """Say that the fact has changed from a day on, as a run does; and leave a run that was killed before it had
        replaced the fact to be caught up. How many rows went is not said: they are the users'."""
        journal = f"{self._schema}_internal.replacements"
        half_done = self._transaction.rows(
            f"select min(replaced_from) as first_day from {journal} where model = 'generation_log_issues' and id > "
            f"(select coalesce(max(id), 0) from {journal} where model = 'fct_generations')"
        )[0]["first_day"]
        for model, day in [("fct_generations", first_day), ("generation_log_issues", half_done)]:
            if day is not None:
                self._transaction.execute(
                    f"insert into {journal} (id, model, replaced_from, run_id, replaced_at) "
                    f"values (nextval('{self._schema}_internal.replacements_id'), %(model)s, cast(%(day)s as date), "
                    "'erasure', timezone('UTC', now()))",
                    model=model,
                    day=day,
                )
