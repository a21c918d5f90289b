{#- Has the clock reached the end of the row's hour, day or window, and did the log hold it from its start? -#}
{% macro is_complete(start, length) -%}
    coalesce({{ start }} + interval {{ length }} <= {{ as_of() }}, false)
    and coalesce({{ start }} >= {{ held_from() }}, true)
{%- endmacro %}

{#- From when on the log was held without a gap at its start. -#}
{% macro held_from() %}(select held_from from {{ ref('int_log_window') }}){% endmacro %}

{#- Do so many days before a day, and the day, lie within the time that the warehouse knows? Before it there may have
    been users whom it never saw. -#}
{% macro knows_days_before(date, days) -%}
    coalesce({{ date }} - {{ days }} >= {{ unknown_before() }}, true)
{%- endmacro %}

{#- May users who look new on this day, or in a cohort of it, be older than the warehouse? -#}
{% macro has_older_users(date) -%}
    coalesce({{ date }} - 28 < {{ unknown_before() }}, false)
{%- endmacro %}

{#- The warehouse's first day; null where the log really begins there. -#}
{% macro unknown_before() %}(select unknown_before from {{ ref('int_log_window') }}){% endmacro %}

{#- This run's clock. -#}
{% macro as_of() %}(select as_of from {{ ref('int_log_window') }}){% endmacro %}

{#- The start of the five minutes that a time lies in. -#}
{% macro five_minutes(timestamp) -%}
    date_trunc('hour', {{ timestamp }})
    + interval '5' minute * cast(floor(extract(minute from {{ timestamp }}) / 5) as integer)
{%- endmacro %}
