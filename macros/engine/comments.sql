{#- Descriptions become comments in the database. A table that is kept keeps its comments, and to write them again takes
    four statements: the frequent runs only look whether they are there, and the daily one renews them. -#}
{% macro default__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if config.get('materialized') not in ('incremental', 'seed') or which_run() not in ('hourly', 'alerts')
        or run_query(adapter.dispatch('comment_of')(relation)).rows[0][0] != model.description -%}
        {%- do dbt.default__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- endif -%}
{%- endmacro %}

{% macro postgres__comment_of(relation) -%}
    select obj_description(to_regclass('{{ relation }}'), 'pg_class')
{%- endmacro %}
{% macro duckdb__comment_of(relation) -%}
    select max(comment) from duckdb_tables()
    where database_name = current_database()
        and schema_name = '{{ relation.schema }}' and table_name = '{{ relation.identifier }}'
{%- endmacro %}
