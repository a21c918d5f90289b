{#- The one value of a query, as a constant of SQL: the planners skip days and files by a constant only. -#}
{% macro constant_of(query, type) %}
    {{ return(constant(ask("select cast((" ~ query ~ ") as text)").rows[0][0] if execute else none, type)) }}
{% endmacro %}

{#- The same of some columns of a relation of one row; nulls where it is not there yet. -#}
{% macro constants_of(relation, columns) %}
    {%- set found, constants = load_relation(relation) if execute else none, {} -%}
    {%- set row = ask("select cast(" ~ columns | join(" as text), cast(") ~ " as text) from " ~ found).rows[0]
        if found else [] -%}
    {%- for column, type in columns.items() -%}
        {%- do constants.update({column: constant(row[loop.index0] if found else none, type)}) -%}
    {%- endfor -%}
    {{ return(constants) }}
{% endmacro %}

{% macro constant(value, type) %}
    {{ return(type ~ " '" ~ value | string | replace("'", "") ~ "'" if value is not none
        else "cast(null as " ~ type ~ ")") }}
{% endmacro %}

{#- What a query gives while a model is compiled; it waits for no lock for long. -#}
{% macro ask(query) %}{{ return(run_query(lock_timeout() ~ query)) }}{% endmacro %}
