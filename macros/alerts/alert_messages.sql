{#- What fires, for a tired person: a query of one row per open incident of a severity, with what its rule saw last. -#}
{% macro open_incidents(severity) %}
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
            select max(latest.window_end) from {{ ref('alert_evaluations') }} as latest where latest.rule_name = incidents.rule_name
        )
    left join {{ ref('alert_rules') }} as rules on incidents.rule_name = rules.rule_name
    where incidents.resolved_at is null and incidents.severity = '{{ severity }}'
{% endmacro %}

{#- The same in plain words on the terminal, where a test found something. -#}
{% macro tell_what_fires(severity) %}
    {%- if execute and flags.WHICH in ('test', 'build') -%}
        {%- for row in run_query(open_incidents(severity) ~ " order by first_firing_at, rule_name").rows -%}
            {%- set value = value_in_words(row.metric, row.observed_value) -%}
            {{ log((row.severity | upper) ~ ": " ~ row.rule_name ~ " has been firing since " ~ row.first_firing_at ~ " UTC, for "
                   ~ row.duration_minutes ~ " minutes.", info=true) }}
            {{ log("  Seen      " ~ value ~ " in the " ~ row.window_minutes ~ " minutes up to " ~ row.window_end ~ " UTC, of " ~ "{:,}".format(row.sample_size)
                   ~ " " ~ sample_in_words(row.metric) ~ ("" if row.outcome == 'firing' else ", which is " ~ row.outcome | replace('_', ' ') ~ ": it is not over yet")
                   ~ "; it fires where this is " ~ row.comparison ~ " " ~ value_in_words(row.metric, row.threshold) ~ "; at worst " ~ value_in_words(row.metric, row.worst_value), info=true) }}
            {{ log("  Hit       " ~ "{:,}".format(row.affected_generation_count) ~ " generations of " ~ "{:,}".format(row.affected_users)
                   ~ " users; failures cost " ~ "%.2f" % row.lost_cost_usd ~ " US dollars", info=true) }}
            {{ log("  What now  " ~ (row.runbook or "the rule is no longer among the seed's; nothing is noted"), info=true) }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro value_in_words(metric, value) %}
    {%- if value is none -%}{{ return("nothing that can be judged") }}{%- endif -%}
    {{ return({
        'failure_rate': "%.1f %% failures" % (value * 100),
        'p95_duration_ms': "a p95 of %.1f seconds" % (value / 1000),
        'rate_limit_error_count': "%d rate-limit errors" % value,
        'quota_or_billing_error_count': "%d quota or billing errors" % value,
        'cost_change_ratio': "%+.0f %% cost against the window before" % (value * 100),
        'cost_over_usual_ratio': "%.1f times the usual cost" % value,
        'traffic_over_usual_ratio': "%.0f %% of the usual traffic" % (value * 100),
        'error_budget_burn': "%.1f times the failures that the objective allows" % value,
    }[metric]) }}
{% endmacro %}

{% macro sample_in_words(metric) %}
    {{ return({'p95_duration_ms': "timed successes", 'traffic_over_usual_ratio': "generations that are usual",
               'error_budget_burn': "generations in the shorter window"}.get(metric, "generations")) }}
{% endmacro %}
