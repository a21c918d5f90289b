"""What the warehouse says of incidents and rules."""

from warehouse.database import Row, Transaction
from warehouse.errors import NeverBuiltError


def check_built(transaction: Transaction, schema: str) -> None:
    """Are the tables there that the models and the project's first run make?"""
    for table in ("incidents", "alert_evaluations", "alert_notifications"):
        if not transaction.exists(f"{schema}_marts", table):
            raise NeverBuiltError(
                f"There is no table {schema}_marts.{table}: the alerts were never built here. "
                "Run: dbt build --selector alerts"
            )


def incidents(transaction: Transaction, schema: str, condition: str, **parameters: object) -> list[Row]:
    """The incidents that a condition chooses, each with what its rule says and how it was judged when it last fired. A
    rule that was taken out of the seed has no runbook any more."""
    return transaction.rows(
        f"""
        select
            incidents.*,
            rules.window_minutes,
            rules.longer_window_minutes,
            rules.second_window_minutes,
            rules.runbook,
            evaluations.observed_value,
            evaluations.sample_size,
            evaluations.window_minutes as seen_minutes,
            evaluations.evidence,
            evaluations.witness_count,
            evaluations.affected_witness_count
        from {schema}_marts.incidents as incidents
        left join {schema}_seeds.alert_rules as rules on incidents.rule_name = rules.rule_name
        left join {schema}_marts.alert_evaluations as evaluations
            on incidents.rule_name = evaluations.rule_name
            and incidents.last_firing_at = evaluations.window_end
        where {condition}
        order by incidents.severity, incidents.opened_at, incidents.rule_name
        """,
        **parameters,
    )


def newest_evaluations(transaction: Transaction, schema: str) -> list[Row]:
    """How the rules were judged last, all at the same moment."""
    return transaction.rows(
        f"""
        select rule_name, window_end, outcome
        from {schema}_marts.alert_evaluations
        where window_end = (select max(window_end) from {schema}_marts.alert_evaluations)
        order by rule_name
        """
    )
