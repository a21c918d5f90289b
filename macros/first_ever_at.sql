{#- When the user was first seen, as the kept user-days from before a date say; null if they say nothing. Every one of them says
    the same. PostgreSQL reads the first alone, by the index; DuckDB has none, and finds the least of all fastest. -#}
{% macro first_ever_at_before(user_days, user_key, date) %}{{ adapter.dispatch('first_ever_at_before')(user_days, user_key, date) }}{% endmacro %}

{% macro postgres__first_ever_at_before(user_days, user_key, date) -%}
    (
        select earlier.first_ever_at from {{ user_days }} as earlier
        where earlier.user_key = {{ user_key }} and earlier.activity_date < {{ date }}
        order by earlier.activity_date
        limit 1
    )
{%- endmacro %}

{% macro duckdb__first_ever_at_before(user_days, user_key, date) -%}
    (
        select min(earlier.first_ever_at) from {{ user_days }} as earlier
        where earlier.user_key = {{ user_key }} and earlier.activity_date < {{ date }}
    )
{%- endmacro %}
