{#- What the rules may look at: of each metric its value in a window and the sample that this rests on; where the
    threshold is exceeded, the evidence that this is no chance, and the witnesses it is about; which generations an
    incident of it is about; and the least and the greatest threshold that can mean something. `windows`, `percentiles`,
    `usual`, `run`, `compared`, `seen`: steps of judged_windows(), and the row of int_alert_window; `generations`,
    `incidents`: what is joined for whom one hits. -#}
{% macro alert_metrics() %}
    {{ return({
        'failure_rate': {
            'value': ratio('windows.failure_count', 'windows.generation_count'),
            'sample': 'windows.generation_count', 'thresholds': (0, 1),
            'evidence': share_evidence('seen.hit_share_sum', 'compared.witness_count', 'compared.threshold'),
            'witnesses': 'seen.hit_witness_count',
            'affected': 'not generations.is_success',
        },
        'p95_duration_ms': {
            'value': 'percentiles.p95_duration_ms',
            'sample': 'windows.timed_success_count', 'thresholds': (0, 86400000),
            'evidence': share_evidence('seen.hit_share_sum', 'compared.witness_count', '0.05'),
            'witnesses': 'seen.hit_witness_count',
            'affected': 'generations.is_success and coalesce(generations.duration_ms > incidents.threshold, false)',
        },
        'rate_limit_error_count': {
            'value': 'windows.rate_limit_error_count',
            'sample': 'windows.generation_count', 'thresholds': (0, 1000000000),
            'evidence': count_evidence(
                'seen.rate_limited_witness_count', usual_errors('compared.usual_rate_limit_share')
            ),
            'witnesses': 'seen.rate_limited_witness_count',
            'affected': "coalesce(generations.error_category = 'rate_limit', false)",
        },
        'quota_or_billing_error_count': {
            'value': 'windows.quota_or_billing_error_count',
            'sample': 'windows.generation_count', 'thresholds': (0, 1000000000),
            'evidence': count_evidence(
                'seen.quota_or_billing_witness_count', usual_errors('compared.usual_quota_or_billing_share')
            ),
            'witnesses': 'seen.quota_or_billing_witness_count',
            'affected': "coalesce(generations.error_category in ('quota', 'billing'), false)",
        },
        'cost_change_ratio': {
            'value': ratio('(windows.total_cost_usd - windows.earlier_cost_usd)', 'windows.earlier_cost_usd'),
            'sample': 'least(windows.generation_count, windows.earlier_generation_count)', 'thresholds': (-1, 1000000),
            'evidence': sum_evidence(
                'compared.total_cost_usd - (1 + compared.threshold) * compared.earlier_cost_usd',
                'coalesce(seen.squared_cost_sum, 0)'
                ~ ' + power(1 + compared.threshold, 2) * coalesce(seen.earlier_squared_cost_sum, 0)'
            ),
            'affected': 'true',
        },
        'cost_over_usual_ratio': {
            'value': ratio('windows.total_cost_usd', 'usual.total_cost_usd'),
            'sample': 'windows.generation_count', 'thresholds': (0, 1000000),
            'evidence': sum_evidence(
                'compared.total_cost_usd - compared.threshold * compared.usual_cost_usd',
                'coalesce(seen.squared_cost_sum, 0) + power(compared.threshold, 2) * greatest('
                ~ 'compared.usual_cost_variance, '
                ~ 'seen.squared_cost_sum / nullif(compared.total_cost_usd, 0) * compared.usual_cost_usd)'
            ),
            'affected': 'true',
        },
        'traffic_over_usual_ratio': {
            'value': ratio('windows.generation_count', 'usual.generation_count'),
            'sample': 'coalesce(floor(usual.generation_count + 0.5), 0)', 'thresholds': (0, 1000000),
            'evidence': count_evidence(
                'compared.witness_count',
                "compared.threshold * case when compared.comparison in ('<', '<=') then compared.usual_users "
                ~ "else compared.usual_generation_count end"
            ),
            'affected': 'false',
            'of_nothing': true,
        },
        'silent_minutes': {
            'value': 'case when usual_users.active_users is not null then windows.silent_minutes end',
            'sample': 'coalesce(floor(usual_users.active_users + 0.5), 0)', 'thresholds': (0, 1440),
            'evidence': '0.5 * compared.usual_users',
            'affected': 'false',
            'of_nothing': true,
        },
        'set_aside_row_count': {
            'value': 'run.set_aside_row_count - coalesce(run.set_aside_a_day_before, run.set_aside_row_count)',
            'sample': 'coalesce(run.set_aside_row_count, 0)', 'thresholds': (0, 1000000000),
            'evidence': count_evidence(
                'compared.observed_value', 'greatest(2 * coalesce(compared.set_aside_usually, 0), 0.2)'
            ),
            'affected': 'false',
            'of_nothing': true, 'of_warehouse': true,
        },
        'minutes_since_run': {
            'value': 'case when run.built_at is not null'
                ~ ' then greatest(extract(epoch from windows.window_end - run.built_at) / 60, 0) end',
            'sample': 'case when run.built_at is null then 0 else 1 end', 'thresholds': (0, 1000000),
            'evidence': '1000',
            'affected': 'false',
            'of_nothing': true, 'of_warehouse': true,
        },
        'error_budget_burn': {
            'value': "case when windows.shorter_generation_count > 0 then least("
                ~ ratio('windows.failure_count', 'windows.generation_count * (1 - windows.objective)') ~ ", "
                ~ ratio('windows.shorter_failure_count', 'windows.shorter_generation_count * (1 - windows.objective)')
                ~ ") end",
            'sample': 'windows.shorter_generation_count', 'thresholds': (0, 1000000),
            'evidence': share_evidence(
                'seen.hit_share_sum', 'compared.witness_count',
                'compared.threshold * cast(1 - compared.objective as double precision)'
            ),
            'witnesses': 'seen.hit_witness_count',
            'affected': 'not generations.is_success',
        },
    }) }}
{% endmacro %}

{#- The metrics of a kind, as a list in SQL: `of_nothing` are judged where the window holds nothing, as that is what
    they are about, or they are not about generations; `of_warehouse` look at the warehouse. -#}
{% macro metrics_that_are(kind) -%}
    (
        {%- set listed = [] -%}
        {%- for metric, of in alert_metrics().items() if of[kind] -%}
            {%- do listed.append("'" ~ metric ~ "'") -%}
        {%- endfor -%}
        {{ listed | join(', ') }})
{%- endmacro %}

{#- Evidence, in nats: the chance to see as much if the limit were not exceeded is at most e to the minus this. 0 where
    the limit is not exceeded. Which side exceeds it is the rule's comparison. -#}

{#- Witnesses with a share each, between 0 and 1, that come to a sum; the limit of their mean (Chernoff, Hoeffding). -#}
{% macro share_evidence(sum, witnesses, limit) -%}
    {%- set limit = "cast(least(greatest(" ~ limit ~ ", 1e-12), 1 - 1e-12) as double precision)" -%}
    case when {{ is_exceeded(sum, witnesses ~ " * " ~ limit) }} then greatest(
        coalesce({{ sum }} * ln(nullif({{ sum }}, 0) / ({{ witnesses }} * {{ limit }})), 0)
        + coalesce(
            ({{ witnesses }} - {{ sum }})
            * ln(nullif({{ witnesses }} - {{ sum }}, 0) / ({{ witnesses }} * (1 - {{ limit }}))),
            0
        ),
        0
    ) else 0 end
{%- endmacro %}

{#- So many users where the limit is a mean of so many (Poisson's tail). -#}
{% macro count_evidence(count, limit) -%}
    {%- set limit = "cast(greatest(" ~ limit ~ ", 1e-12) as double precision)" -%}
    case when {{ is_exceeded(count, limit) }} then greatest(
        coalesce({{ count }} * ln(nullif({{ count }}, 0) / {{ limit }}), 0)
        - {{ count }} + {{ limit }},
        0
    ) else 0 end
{%- endmacro %}

{#- A sum over users that is beyond its limit by a difference, of a variance: the normal tail. -#}
{% macro sum_evidence(difference, variance) -%}
    case when {{ is_exceeded(difference, '0') }} then
        power(cast({{ difference }} as double precision), 2)
        / greatest(2 * cast({{ variance }} as double precision), 1e-12)
    else 0 end
{%- endmacro %}

{% macro is_exceeded(value, limit) -%}
    (
        compared.comparison in ('>', '>=') and {{ value }} > {{ limit }}
        or compared.comparison in ('<', '<=') and {{ value }} < {{ limit }}
    )
{%- endmacro %}

{#- How many users an error may hit at most in a window if all is as usual: twice as many as the share of the last
    weeks makes of its generations, 1 % where no week is known. Where errors are rare the third user is too many. -#}
{% macro usual_errors(share) -%}
    greatest(2 * coalesce({{ share }}, 0.01) * compared.generation_count, 0.2)
{%- endmacro %}

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
