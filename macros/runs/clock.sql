{#- Times that the whole warehouse shares. All of them are UTC. -#}
{% macro wall_clock() %}timezone('UTC', now()){% endmacro %}

{#- An older created_at is no date of this service; a newer one is in the future. -#}
{% macro earliest_created_at() %}timestamp '2000-01-01 00:00:00'{% endmacro %}
{% macro latest_created_at(run_at=none) %}{{ run_at or wall_clock() }} + interval '5' minute{% endmacro %}

{% macro as_of_is_timestamp() %}{{ return(var('as_of') not in (none, 'now')) }}{% endmacro %}
{% macro as_of_timestamp() %}timestamp '{{ var("as_of") | string | replace("'", "") }}'{% endmacro %}

{#- This run's clock and window, from int_log_window, as constants: the planners prune by a constant only. -#}
{% macro as_of() %}{{ return(log_window('as_of', 'timestamp')) }}{% endmacro %}
{% macro run_at() %}{{ return(log_window('run_at', 'timestamp')) }}{% endmacro %}
{% macro log_replaced_from() %}{{ return(log_window('replaced_from', 'date')) }}{% endmacro %}

{% macro log_window(column, type) %}
    {%- set window = ref('int_log_window') -%}
    {%- set window = load_relation(window) if execute else none -%}
    {%- set value = run_query("select cast(" ~ column ~ " as text) from " ~ window).rows[0][0] if window else none -%}
    {{ return(constant(value, type)) }}
{% endmacro %}

{% macro constant(value, type) %}
    {{ return(type ~ " '" ~ value ~ "'" if value is not none else "cast(null as " ~ type ~ ")") }}
{% endmacro %}

{#- Has the clock reached the end of the row's hour, day or window? -#}
{% macro is_complete(start, length) -%}
    coalesce({{ start }} + interval {{ length }} <= {{ as_of() }}, false)
{%- endmacro %}

{#- Days do not turn back: a clock before what is already built would leave newer days standing. -#}
{% macro check_as_of() %}
    {%- if execute and as_of_is_timestamp() and flags.WHICH in ('run', 'build') -%}
        {%- set fact = already_built('marts', 'fct_generations') -%}
        {%- set newer = run_query("select max(created_at) from " ~ fact ~ " where created_at > " ~ as_of_timestamp()) if fact else none -%}
        {%- if newer and newer.rows[0][0] is not none -%}
            {{ exceptions.raise_compiler_error("as_of is " ~ var('as_of') ~ ", but the warehouse is already built up to "
               ~ newer.rows[0][0] ~ ". Build the past into another database: WAREHOUSE_DUCKDB=past.duckdb dbt build --vars 'as_of: ...'") }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro check_session() %}
    {%- if execute -%}{{ adapter.dispatch('check_session')() }}{%- endif -%}
{% endmacro %}
{% macro postgres__check_session() %}{% endmacro %}
{% macro duckdb__check_session() %}
    {%- set zone = run_query("select current_setting('TimeZone')").rows[0][0] -%}
    {%- if zone not in ('UTC', 'Etc/UTC') -%}
        {{ exceptions.raise_compiler_error("The session's time zone is " ~ zone
           ~ "; sessions run in UTC. Set it in profiles.yml: settings: {TimeZone: UTC}") }}
    {%- endif -%}
{% endmacro %}
