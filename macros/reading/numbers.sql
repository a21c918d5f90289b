{#- A text, or a column of numbers, as a number of six decimals within [0, highest], else null. Checked before any cast: no
    text, however long or odd, stops a run. -#}
{% macro usable_number(logged, highest) %}{{ adapter.dispatch('usable_number')(logged, highest) }}{% endmacro %}
{% macro postgres__usable_number(logged, highest) -%}
    {{ internal_schema() }}.usable_number({{ logged }}, {{ highest }})
{%- endmacro %}
{#- What does not fit the decimal is beyond any use here. DuckDB would read 1_000 as a thousand, and more digits than PostgreSQL has. -#}
{% macro duckdb__usable_number(logged, highest) -%}
    {%- set text = "cast(" ~ logged ~ " as varchar)" -%}
    {%- set number = "try_cast(case when not contains(" ~ text ~ ", '_') and strlen(" ~ text ~ ") < 15000 then " ~ text ~ " end as decimal(18, 6))" -%}
    case when {{ number }} between 0 and {{ highest }} then {{ number }} end
{%- endmacro %}

{% macro to_bigint(number) -%}
    cast(round({{ number }}, 0) as bigint)
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
