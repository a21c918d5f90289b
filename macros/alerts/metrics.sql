{#- What the rules may look at: of each metric its value in a window and the sample that this rests on, which
    generations an incident of it is about, and the least and the greatest threshold that can mean something. `windows`,
    `percentiles`, `usual`: steps of judged_windows(); `generations`, `incidents`: what is joined for whom one hits. -#}
{% macro alert_metrics() %}
    {{ return({
        'failure_rate': {
            'value': ratio('windows.failure_count', 'windows.generation_count'),
            'sample': 'windows.generation_count', 'thresholds': (0, 1),
            'affected': 'not generations.is_success',
        },
        'p95_duration_ms': {
            'value': 'percentiles.p95_duration_ms',
            'sample': 'windows.timed_success_count', 'thresholds': (0, 86400000),
            'affected': 'generations.is_success and coalesce(generations.duration_ms > incidents.threshold, false)',
        },
        'rate_limit_error_count': {
            'value': 'windows.rate_limit_error_count',
            'sample': 'windows.generation_count', 'thresholds': (0, 1000000000),
            'affected': "coalesce(generations.error_category = 'rate_limit', false)",
        },
        'quota_or_billing_error_count': {
            'value': 'windows.quota_or_billing_error_count',
            'sample': 'windows.generation_count', 'thresholds': (0, 1000000000),
            'affected': "coalesce(generations.error_category in ('quota', 'billing'), false)",
        },
        'cost_change_ratio': {
            'value': ratio('(windows.total_cost_usd - windows.earlier_cost_usd)', 'windows.earlier_cost_usd'),
            'sample': 'least(windows.generation_count, windows.earlier_generation_count)', 'thresholds': (-1, 1000000),
            'affected': 'true',
        },
        'cost_over_usual_ratio': {
            'value': ratio('windows.total_cost_usd', 'usual.total_cost_usd'),
            'sample': 'windows.generation_count', 'thresholds': (0, 1000000),
            'affected': 'true',
        },
        'traffic_over_usual_ratio': {
            'value': ratio('windows.generation_count', 'usual.generation_count'),
            'sample': 'coalesce(floor(usual.generation_count + 0.5), 0)', 'thresholds': (0, 1000000),
            'affected': 'false',
        },
        'error_budget_burn': {
            'value': "case when windows.shorter_generation_count > 0 then least("
                ~ ratio('windows.failure_count', 'windows.generation_count * (1 - windows.objective)') ~ ", "
                ~ ratio('windows.shorter_failure_count', 'windows.shorter_generation_count * (1 - windows.objective)')
                ~ ") end",
            'sample': 'windows.shorter_generation_count', 'thresholds': (0, 1000000),
            'affected': 'not generations.is_success',
        },
    }) }}
{% endmacro %}

{#- Is a generation one of those that an incident is about? Nobody is hit by traffic that is not there. -#}
{% macro is_affected() -%}
    case incidents.metric
        {%- for metric, of in alert_metrics().items() %}
        when '{{ metric }}' then {{ of.affected }}
        {%- endfor %}
    end
{%- endmacro %}

{#- The median, the mean of the two middle values: exact, where engines' percentile_cont differs in its last digit. -#}
{% macro median(value) -%}
    cast(
                percentile_disc(0.5) within group (order by {{ value }})
                + percentile_disc(0.5) within group (order by {{ value }} desc) as double precision
            ) / 2
{%- endmacro %}
