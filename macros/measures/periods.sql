{#- The first hour, day or window that a mart which has a row for every one is to make: where this run starts to replace, or
    after the mart's last row where that is earlier (the log has forgotten what lay between); where the log starts if the
    mart holds nothing. -#}
{% macro first_period(column_of_fact, length) %}
    {%- set fact = ref('fct_generations') -%}
    {%- set fact = load_relation(fact) if execute else none -%}
    {%- if not fact -%}{{ return("cast(null as timestamp)") }}{%- endif -%}
    {%- set first_date = replaced_from() -%}
    {%- set from = "cast(" ~ first_date ~ " as timestamp)" -%}
    {%- set time_column = config.get('meta')['time_column'] -%}
    {%- set after_last = "(select max(" ~ time_column ~ ") + interval '" ~ length ~ "' from " ~ this ~ " where " ~ time_column ~ " < " ~ from ~ ")"
        if is_incremental() else "cast(null as timestamp)" -%}
    {%- set first = run_query(
        "select cast(case when " ~ from ~ " is null then null when " ~ after_last ~ " is not null then least(" ~ from ~ ", " ~ after_last
        ~ ") else (select min(" ~ column_of_fact ~ ") from " ~ fact ~ " where activity_date >= " ~ first_date ~ ") end as text)").rows[0][0] -%}
    {{ return(constant(first, 'timestamp')) }}
{% endmacro %}

{#- The start of the five minutes that a time lies in. -#}
{% macro five_minutes(timestamp) -%}
    date_trunc('hour', {{ timestamp }}) + interval '5' minute * cast(floor(extract(minute from {{ timestamp }}) / 5) as integer)
{%- endmacro %}
