{#- What fires, for a tired person: a query of one row per open incident of a severity, with what its rule saw last.
    Where it is asked as a test, the terminal says the same. python -m warehouse alerts says it in full sentences. -#}
{% macro firing(severity) %}
    {%- set query %}
    select
        incidents.rule_name,
        incidents.severity,
        incidents.metric,
        incidents.comparison,
        incidents.threshold,
        incidents.first_firing_at,
        incidents.duration_minutes,
        incidents.worst_value,
        incidents.affected_generation_count,
        incidents.affected_users,
        incidents.lost_cost_usd,
        incidents.affected_failure_count,
        incidents.costed_failure_count,
        incidents.reopened_count,
        incidents.explanation,
        newest.window_end,
        newest.observed_value,
        newest.sample_size,
        newest.window_minutes,
        newest.outcome,
        rules.runbook
    from {{ ref('incidents') }} as incidents
    inner join {{ ref('alert_evaluations') }} as newest
        on incidents.rule_name = newest.rule_name
        and newest.window_end = (
            select max(latest.window_end) from {{ ref('alert_evaluations') }} as latest
            where latest.rule_name = incidents.rule_name
        )
    left join {{ ref('alert_rules') }} as rules on incidents.rule_name = rules.rule_name
    where incidents.resolved_at is null and incidents.severity = '{{ severity }}'
    {%- endset -%}
    {#- a run of a part of the models, in a new database, makes none of them #}
    {%- set is_made = existing_relation('marts', 'incidents') and existing_relation('marts', 'alert_evaluations')
        and existing_relation('seeds', 'alert_rules') -%}
    {%- for row in (run_query(query ~ " order by first_firing_at, rule_name").rows
        if is_made and flags.WHICH in ('test', 'build') else []) -%}
        {{ log((row.severity | upper) ~ ": " ~ row.rule_name ~ " has been firing since " ~ row.first_firing_at
            ~ " UTC, for " ~ row.duration_minutes ~ " minutes"
            ~ (", reopened " ~ row.reopened_count ~ " times" if row.reopened_count else "") ~ ": " ~ row.metric
            ~ " was " ~ "%.4g" % row.observed_value
            ~ " in the " ~ row.window_minutes ~ " minutes up to " ~ row.window_end ~ " UTC (sample: "
            ~ "{:,}".format(row.sample_size) ~ "), " ~ "%.4g" % row.worst_value ~ " at worst; it fires where this is "
            ~ row.comparison ~ " " ~ "%.4g" % row.threshold ~ ". It hits "
            ~ "{:,}".format(row.affected_generation_count) ~ " generations of " ~ "{:,}".format(row.affected_users)
            ~ " users." ~ (" Why: " ~ row.explanation ~ "." if row.explanation else "") ~ " What to do: "
            ~ (row.runbook or "the rule is no longer among the seed's; nothing is noted"), info=true) }}
    {%- endfor -%}
    {{ query }}
{% endmacro %}
