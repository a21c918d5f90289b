"""Judges any rules over any past range with the SQL of the models judged_windows and incident_stretches: what they read
of this run is replaced by what is to be tried. Nothing is written."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from warehouse.backtest.metrics import FIVE_MINUTES
from warehouse.database import Database, Row, Transaction
from warehouse.run_dbt import run_dbt

# The columns of a rule that are not text.
_TYPES = {
    "window_minutes": "integer",
    "longer_window_minutes": "integer",
    "second_window_minutes": "integer",
    "threshold": "double precision",
    "minimum_evidence": "double precision",
    "minimum_sample": "bigint",
    "fire_after_windows": "integer",
    "resolve_after_windows": "integer",
    "objective": "numeric(9, 6)",
    "is_enabled": "boolean",
}
COLUMNS = ("rule_name", "metric", "comparison", "severity", "runbook", *_TYPES)
NUMBERS = {
    name: {"double precision": float, "numeric(9, 6)": Decimal}.get(_TYPES[name], int) for name in list(_TYPES)[:-1]
}
_MARK = "-- and then"
_RELATIONS = ("alert_rules", "int_alert_window", "int_alert_generations", "alert_evaluations", "incidents")
_NO_INCIDENTS = (
    "(select cast(null as text) as rule_name, cast(null as timestamp) as first_firing_at, "
    "cast(null as timestamp) as resolved_at, cast(null as text) as resolution, "
    "cast(null as bigint) as reopened_count where false)"
)


@dataclass(frozen=True)
class Judging:
    """The models' SQL, and the names of what is replaced in it."""

    steps: str
    problems: str
    is_affected: str
    fact: str
    relations: dict[str, str]

    @classmethod
    def compiled(cls, database: Database) -> "Judging":
        """As dbt compiles it."""
        parts = [
            "select * from {{ ref('judged_windows') }} as judged, {{ ref('incident_stretches') }} as stretches",
            "{{ checked_rules(ref('alert_rules')) }}",
            "{{ is_affected() }}",
            *(f"{{{{ ref('{name}') }}}}" for name in ("fct_generations", *_RELATIONS)),
        ]
        sql = run_dbt(database, ["compile", "--inline", f"\n{_MARK}\n".join(parts)])[0]
        steps, problems, is_affected, *names = (part.strip() for part in sql.split(_MARK))
        # what was added before the select are the models' steps
        steps = steps[: steps.rindex("select * from")].rstrip()
        return cls(steps, problems, is_affected, names[0], dict(zip(_RELATIONS, names[1:], strict=True)))

    def what_is_wrong(self, transaction: Transaction, rules: list[Row]) -> list[Row]:
        """The rules that make no sense, each with its problem."""
        checked = self.problems.replace(self.relations["alert_rules"], _relation(rules))
        return transaction.rows(
            f"select rule_name, problem from ({checked}) as checked where problem is not null order by rule_name"
        )

    def evaluations(
        self, transaction: Transaction, rules: list[Row], begin: dt.datetime, end: dt.datetime
    ) -> list[Row]:
        """How often each rule was judged, and how."""
        return transaction.rows(
            f"""
            {self._replaced(rules, begin, end)}
            select
                rule_name,
                count(*) as windows,
                count(*) filter (where outcome = 'firing') as firing_windows,
                count(*) filter (where outcome = 'insufficient_data') as unjudged_windows
            from __dbt__cte__judged_windows
            group by rule_name
            """
        )

    def incidents(self, transaction: Transaction, rules: list[Row], begin: dt.datetime, end: dt.datetime) -> list[Row]:
        """The incidents that would have been, with whom they hit."""
        return transaction.rows(
            f"""
            {self._replaced(rules, begin, end)},

            incidents as (
                select * from __dbt__cte__incident_stretches
            ),

            hit as (
                select
                    incidents.incident_key,
                    count(*) as affected_generation_count,
                    count(distinct generations.user_key) as affected_users,
                    sum(generations.total_cost_usd) filter (where not generations.is_success) as lost_cost_usd,
                    count(*) filter (where not generations.is_success) as affected_failure_count,
                    count(generations.total_cost_usd) filter (where not generations.is_success) as costed_failure_count
                from incidents
                inner join {self.fact} as generations
                    on generations.created_at
                        >= incidents.first_firing_at - interval '1' minute * incidents.window_minutes
                    and generations.created_at < incidents.last_firing_at
                    and {self.is_affected}
                group by incidents.incident_key
            )

            select
                incidents.*,
                coalesce(hit.affected_generation_count, 0) as affected_generation_count,
                coalesce(hit.affected_users, 0) as affected_users,
                coalesce(hit.lost_cost_usd, 0) as lost_cost_usd,
                coalesce(hit.affected_failure_count, 0) as affected_failure_count,
                coalesce(hit.costed_failure_count, 0) as costed_failure_count
            from incidents
            left join hit on incidents.incident_key = hit.incident_key
            order by incidents.opened_at, incidents.rule_name
            """
        )

    def _replaced(self, rules: list[Row], begin: dt.datetime, end: dt.datetime) -> str:
        """The steps with these rules, the windows that end after one mark up to another, the fact in place of the
        recent rows, and no incident from before."""
        window = (
            f"(select timestamp '{begin + FIVE_MINUTES}' as judged_from, timestamp '{end}' as judged_to, "
            "cast(null as timestamp) as incidents_from, cast(null as timestamp) as incidents_until, "
            # what the warehouse knew of itself then is not known
            "cast(null as timestamp) as built_at, cast(null as bigint) as set_aside_row_count, "
            "cast(null as bigint) as set_aside_a_day_before, "
            "cast(null as double precision) as set_aside_usually)"
        )
        sql = self.steps
        for name, replacement in {
            "alert_rules": _relation(rules),
            "int_alert_window": window,
            "int_alert_generations": self.fact,
            "alert_evaluations": "__dbt__cte__judged_windows",
            "incidents": _NO_INCIDENTS,
        }.items():
            # known incidents are read only where there are any
            assert self.relations[name] in sql or name == "incidents", f"the models no longer read {name}"
            sql = sql.replace(self.relations[name], replacement)
        return sql


def _relation(rules: list[Row]) -> str:
    """Rules as SQL."""
    columns = ", ".join(f"cast({name} as {_TYPES.get(name, 'text')}) as {name}" for name in COLUMNS)
    rows = ", ".join("(" + ", ".join(_literal(rule[name]) for name in COLUMNS) + ")" for rule in rules)
    return f"(select {columns} from (values {rows}) as given ({', '.join(COLUMNS)}))"


def _literal(value: object) -> str:
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"
