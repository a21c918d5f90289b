{#- The measures of a group of generations. Beside every average are its numerator and its denominator. -#}
{% macro style_measures() %}
    count(*) as generation_count,
    count(*) filter (where is_success) as success_count,
    count(*) filter (where not is_success) as failure_count,
    {{ ratio('count(*) filter (where is_success)', 'count(*)') }} as success_rate,
    count(distinct user_key) as active_users,
    {{ duration_measures() }},
    count(total_cost_usd) as costed_generation_count,
    {{ usd('total_cost_usd') }} as total_cost_usd,
    {{ ratio('sum(total_cost_usd)', 'count(total_cost_usd)') }} as avg_cost_usd,
    {{ usd('total_cost_usd', 'not is_success') }} as failed_cost_usd,
    {{ ratio(usd('total_cost_usd'), 'count(*) filter (where is_success)') }} as cost_per_success_usd,
    {{ total('input_tokens') }} as input_tokens,
    {{ total('output_tokens') }} as output_tokens,
    {{ total('total_tokens') }} as total_tokens,
    count(total_cost_usd) filter (where not is_success) as costed_failure_count,
    count(input_tokens) as counted_input_generation_count,
    count(output_tokens) as counted_output_generation_count
{%- endmacro %}

{#- Durations of successes whose duration is known; percentiles are exact. -#}
{% macro duration_measures() -%}
    count(duration_ms) filter (where is_success) as timed_success_count,
    {{ total('duration_ms', 'is_success') }} as total_duration_ms,
    {{ ratio('sum(duration_ms) filter (where is_success)', 'count(duration_ms) filter (where is_success)') }}
        as avg_duration_ms,
    {%- set percentiles = "percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms)"
        " filter (where is_success)" %}
    ({{ percentiles }})[1] as p50_duration_ms,
    ({{ percentiles }})[2] as p95_duration_ms,
    ({{ percentiles }})[3] as p99_duration_ms
{%- endmacro %}

{% macro percentile(share, column, filter) -%}
    cast(
        percentile_cont({{ share }}) within group (order by {{ column }}) filter (where {{ filter }})
        as double precision
    )
{%- endmacro %}

{#- A quotient in double precision; null where the denominator is 0. -#}
{% macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as double precision) / nullif({{ denominator }}, 0)
{%- endmacro %}

{#- A sum of money: of the known values, 0 where there are none. -#}
{% macro usd(amount, filter=none) -%}
    cast(coalesce(sum({{ amount }}){% if filter %} filter (where {{ filter }}){% endif %}, 0) as numeric(18, 6))
{%- endmacro %}

{#- A sum of whole numbers: of the known values, 0 where there are none. DuckDB's own sums are wider than a bigint. -#}
{% macro total(amount, filter=none) -%}
    cast(coalesce(sum({{ amount }}){% if filter %} filter (where {{ filter }}){% endif %}, 0) as bigint)
{%- endmacro %}
