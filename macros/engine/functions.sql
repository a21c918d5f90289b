{#- The functions that read a value of the log. Each engine has them under the same names, made when a run starts: see
    functions_duckdb.sql and functions_postgres.sql, to be read side by side. -#}
{% macro reading_function(name) %}{{ adapter.dispatch('reading_function')(name, varargs) }}{% endmacro %}
{% macro default__reading_function(name, arguments) -%}
    {{ internal_schema() }}.{{ name }}({{ arguments | join(', ') }})
{%- endmacro %}

{#- The place of the first pattern of the seed error_patterns that a message holds. The patterns are in the function's
    text: joined, each would be compiled again for each row. Made when a run starts, and after the seed. -#}
{% macro error_pattern_function(seed) %}
    {%- set patterns = run_query("select position, pattern from " ~ seed ~ " order by position").rows
        if execute and seed else [] -%}
    {%- set body -%}
        case
            {%- for position, pattern in patterns %}
            when {{ reading_function('matches', 'logged', "'" ~ pattern | replace("'", "''") ~ "'") }}
                then {{ position }}
            {%- else %}
            when false then 0
            {%- endfor %}
        end
    {%- endset -%}
    {{ adapter.dispatch('error_pattern_function')(body) }}
{% endmacro %}
