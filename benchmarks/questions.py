"""The five questions of the application's own documentation, as it asks them of the raw table.

now() is the log's clock, given as a constant; each is answered by the analysis of the same name.
"""

RAW = {
    "styles_by_success_rate_30_days": """
        select style, count(*) as total_generations, avg(case when success then 1 else 0 end) as success_rate,
            avg({total}) as avg_cost
        from {log}
        where created_at >= timestamp '{now}' - interval '30 days'
        group by style
        order by success_rate desc""",
    "engagement_by_hour_7_days": """
        select date_trunc('hour', created_at) as hour, count(*) as generations, count(distinct user_id) as unique_users
        from {log}
        where created_at >= timestamp '{now}' - interval '7 days'
        group by hour
        order by hour""",
    "cost_by_difficulty": """
        select difficulty, count(*) as generations, avg({total}) as avg_cost, sum({total}) as total_cost
        from {log}
        where success = true
        group by difficulty
        order by difficulty""",
    "response_times_by_style_24_hours": """
        select style, avg(duration_ms) as avg_duration_ms,
            percentile_cont(0.95) within group (order by duration_ms) as p95_duration_ms
        from {log}
        where success = true and created_at >= timestamp '{now}' - interval '24 hours'
        group by style""",
    "failures_by_message_7_days": """
        select error_message, count(*) as error_count, avg(duration_ms) as avg_failure_time
        from {log}
        where success = false and created_at >= timestamp '{now}' - interval '7 days'
        group by error_message
        order by error_count desc""",
}


def raw(question: str, log: str, now: object, total: str) -> str:
    """A question to the raw log; `total` is how the engine reads the total out of the costs."""
    return RAW[question].format(log=log, now=now, total=total)
