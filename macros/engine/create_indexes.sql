{#- The indexes in the models' configs are for PostgreSQL's readers. DuckDB scans columns and has no use for them;
    making them would cost memory and time on every load. -#}
{% macro duckdb__create_indexes(relation) %}{% endmacro %}
