{#- A relation with columns added that are computed once a row, however many later columns are made of them. DuckDB does
    so anyway. PostgreSQL would put the whole expression wherever the column is used; an offset keeps it from that. -#}
{% macro with_columns(relation, columns) %}{{ adapter.dispatch('with_columns')(relation, columns) }}{% endmacro %}

{% macro duckdb__with_columns(relation, columns) -%}
    select
        *
        {%- for name, expression in columns.items() %},
        {{ expression }} as {{ name }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{% macro postgres__with_columns(relation, columns) -%}
    select *
    from {{ relation }}
    cross join lateral (
        select
            {%- for name, expression in columns.items() %}
            {{ expression }} as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        offset 0
    ) as added
{%- endmacro %}

{#- The same for a common table expression: PostgreSQL keeps its rows. DuckDB need not; it would hold all in memory. -#}
{% macro computed_once() %}{{ adapter.dispatch('computed_once')() }}{% endmacro %}
{% macro duckdb__computed_once() %}{% endmacro %}
{% macro postgres__computed_once() %}materialized{% endmacro %}
