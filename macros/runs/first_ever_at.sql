{#- When users were first seen, as the kept user-days from before a date say: a query of one row per user that they know. All days of
    a user say the same. PostgreSQL reads the first alone, by the index. DuckDB has none: it reads the keys of all, once, past a
    hash table of the few users. -#}
{% macro first_ever_at_before(kept, users, date) %}{{ adapter.dispatch('first_ever_at_before')(kept, users, date) }}{% endmacro %}

{% macro postgres__first_ever_at_before(kept, users, date) -%}
    select
        user_key,
        (
            select earlier.first_ever_at from {{ kept }} as earlier
            where earlier.user_key = users.user_key and earlier.activity_date < {{ date }}
            order by earlier.activity_date
            limit 1
        ) as first_ever_at
    from (select distinct user_key from {{ users }}) as users
{%- endmacro %}

{% macro duckdb__first_ever_at_before(kept, users, date) -%}
    select
        earlier.user_key,
        min(earlier.first_ever_at) as first_ever_at
    from {{ kept }} as earlier
    inner join (select distinct user_key from {{ users }}) as users on earlier.user_key = users.user_key
    where earlier.activity_date < {{ date }}
    group by earlier.user_key
{%- endmacro %}
