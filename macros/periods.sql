{#- The first hour, day or window of a mart that has a row for every one: where this run starts to replace, or where the
    log starts if the mart holds nothing before that. -#}
{% macro first_period(column_of_fact) %}
    {%- set fact = ref('fct_generations') -%}
    {%- set fact = load_relation(fact) if execute else none -%}
    {%- if not fact -%}{{ return("cast(null as timestamp)") }}{%- endif -%}
    {%- set from = "cast(" ~ replaced_from() ~ " as timestamp)" -%}
    {%- set before = "select 1 from " ~ this ~ " where " ~ config.get('meta')['time_column'] ~ " < " ~ from if is_incremental() else "select 1 where false" -%}
    {%- set first = run_query(
        "select cast(case when exists (" ~ before ~ ") then " ~ from ~ " else (select min(" ~ column_of_fact ~ ") from " ~ fact
        ~ " where activity_date >= " ~ replaced_from() ~ ") end as text)").rows[0][0] -%}
    {{ return(constant(first, 'timestamp')) }}
{% endmacro %}

{#- The start of the five minutes that a time lies in. -#}
{% macro five_minutes(timestamp) -%}
    date_trunc('hour', {{ timestamp }}) + interval '5' minute * cast(floor(extract(minute from {{ timestamp }}) / 5) as integer)
{%- endmacro %}
