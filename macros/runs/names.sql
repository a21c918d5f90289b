{#- What no reader is granted: the salt, the journal, the ledger, the functions. -#}
{% macro internal_schema() %}{{ target.schema }}_internal{% endmacro %}

{#- The journal of replacements by name, for hooks and strategies: dbt cannot see a ref() in them. -#}
{% macro journal() %}{{ internal_schema() }}.replacements{% endmacro %}

{#- A relation as it is in the database, or none. By name and not by ref(), for those that are made after what asks. -#}
{% macro existing_relation(layer, name) %}
    {{ return(adapter.get_relation(target.database, generate_schema_name(layer, none) | trim, name)
        if execute else none) }}
{% endmacro %}
