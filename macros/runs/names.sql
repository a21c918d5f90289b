{#- What no reader is granted: the salt, the journal, the ledger, the functions. -#}
{% macro internal_schema() %}{{ target.schema }}_internal{% endmacro %}

{#- The journal of replacements by name, for hooks and strategies: dbt cannot see a ref() in them. -#}
{% macro journal() %}{{ internal_schema() }}.replacements{% endmacro %}

{#- A relation as it is in the database, or none. By name and not by ref(), for those that are made after what asks. -#}
{% macro existing_relation(layer, name) %}
    {{ return(adapter.get_relation(target.database, generate_schema_name(layer, none) | trim, name)
        if execute else none) }}
{% endmacro %}

{#- The format counts what a run finds in the database and does not make itself. `known` is raised when models/state, a
    sequence or its meaning changes; the functions are compared by their text. -#}
{% macro database_release() %}
    {%- set release = existing_relation('internal', 'release') -%}
    {%- set row = run_query("select format, functions_hash from " ~ release).rows if release else [] -%}
    {{ return({'known': 7, 'found': row[0][0] if row else 0, 'functions_hash': row[0][1] if row else none}) }}
{% endmacro %}
