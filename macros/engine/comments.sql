{#- Descriptions become comments in the database. Only those that differ are written: to write them all would be a
    hundred statements an hour that change nothing, and of which others are told. -#}
{% macro default__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set written = {} -%}
    {%- for row in run_query(adapter.dispatch('comments_of')(relation)).rows -%}
        {%- do written.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- if for_relation and config.persist_relation_docs() and written.get('') != (model.description or none) -%}
        {%- do run_query(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- set changed = {} -%}
    {%- for name, column in model.columns.items() if name in written
        and written[name] != (column.description or none) -%}
        {%- do changed.update({name: column}) -%}
    {%- endfor -%}
    {%- if for_columns and config.persist_column_docs() and changed -%}
        {%- do run_query(alter_column_comment(relation, changed)) -%}
    {%- endif -%}
{%- endmacro %}

{#- The comment of each column, and that of the relation, which has no name here. -#}
{% macro postgres__comments_of(relation) -%}
    select attname, col_description(attrelid, attnum) from pg_attribute
    where attrelid = to_regclass('{{ relation }}') and attnum > 0 and not attisdropped
    union all
    select '', obj_description(to_regclass('{{ relation }}'), 'pg_class')
{%- endmacro %}
{% macro duckdb__comments_of(relation) -%}
    select column_name, comment from duckdb_columns()
    where database_name = current_database()
        and schema_name = '{{ relation.schema }}' and table_name = '{{ relation.identifier }}'
    union all
    select '', max(comment) from (
        select database_name, schema_name, table_name, comment from duckdb_tables()
        union all
        select database_name, schema_name, view_name, comment from duckdb_views()
    )
    where database_name = current_database()
        and schema_name = '{{ relation.schema }}' and table_name = '{{ relation.identifier }}'
{%- endmacro %}
