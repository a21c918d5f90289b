{#- What the rules would have seen and opened in a past range, from an existing warehouse, and nothing is written: queries for
    `python -m alerts backtest` or `dbt show --inline`. `from` and `to` are texts of times: judged is what ends after the first, up
    to the second. `rules` are those of the seed, or a list of mappings with its columns; `is_naive` judges them without minimum
    samples and holds. -#}
{% macro backtest_evaluations(from, to, rules=none, is_naive=false) %}
    {{ judged_windows(
        rules_to_try(rules, is_naive),
        ref('fct_generations'),
        ref('service_health'),
        five_minutes("timestamp '" ~ from ~ "'") ~ " + interval '5' minute",
        five_minutes("timestamp '" ~ to ~ "'")
    ) }}
{% endmacro %}

{#- One row per incident that would have been, without whom it hit. -#}
{% macro backtest_stretches(from, to, rules=none, is_naive=false) %}
    with evaluations as materialized (
        {{ backtest_evaluations(from, to, rules, is_naive) }}
    )

    select * from ({{ incident_stretches('evaluations', rules_to_try(rules, is_naive)) }}) as stretches
{% endmacro %}

{#- The same with the columns of incidents. -#}
{% macro backtest_incidents(from, to, rules=none, is_naive=false) %}
    with stretches as materialized (
        {{ backtest_stretches(from, to, rules, is_naive) }}
    ),

    hit as (
        select
            stretches.incident_key,
            count(*) as affected_generation_count,
            count(distinct generations.user_key) as affected_users,
            {{ usd('generations.total_cost_usd', 'not generations.is_success') }} as lost_cost_usd
        from stretches
        inner join {{ ref('fct_generations') }} as generations
            on generations.created_at >= stretches.first_firing_at - interval '1' minute * stretches.window_minutes
            and generations.created_at < stretches.last_firing_at
            and {{ is_affected('stretches', 'generations') }}
        group by stretches.incident_key
    )

    select
        {{ incident_columns() }}
    from stretches
    left join hit on stretches.incident_key = hit.incident_key
{% endmacro %}

{% macro rules_to_try(rules, is_naive) %}
    {%- set tried = [] -%}
    {%- for rule in alert_rules(rules) -%}
        {%- do tried.append(dict(rule, minimum_sample=0, fire_after_windows=1, resolve_after_windows=1) if is_naive else rule) -%}
    {%- endfor -%}
    {{ return(tried) }}
{% endmacro %}
