{#- Has the clock reached the end of the row's hour, day or window? -#}
{% macro is_complete(start, length) -%}
    coalesce({{ start }} + interval {{ length }} <= {{ as_of() }}, false)
{%- endmacro %}

{#- This run's clock. -#}
{% macro as_of() %}(select as_of from {{ ref('int_log_window') }}){% endmacro %}

{#- The start of the five minutes that a time lies in. -#}
{% macro five_minutes(timestamp) -%}
    date_trunc('hour', {{ timestamp }})
    + interval '5' minute * cast(floor(extract(minute from {{ timestamp }}) / 5) as integer)
{%- endmacro %}
