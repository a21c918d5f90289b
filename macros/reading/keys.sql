{#- A column of the log as uuid (36 characters in groups of 8-4-4-4-12, any case), else null. -#}
{% macro read_uuid(column) %}{{ adapter.dispatch('read_uuid')(column) }}{% endmacro %}

{#- typeof() is a constant: a column that is a uuid already is not read as text. DuckDB takes other spellings for uuids as well. -#}
{% macro duckdb__read_uuid(column) -%}
    {%- set text = trimmed("cast(" ~ column ~ " as text)") -%}
    case
        when typeof({{ column }}) = 'UUID' then try_cast({{ column }} as uuid)
        when cast(try_cast({{ text }} as uuid) as text) = lower({{ text }}) then try_cast({{ text }} as uuid)
    end
{%- endmacro %}

{% macro postgres__read_uuid(column) -%}
    {{ internal_schema() }}.as_uuid({{ column }})
{%- endmacro %}

{#- A user's id as text, whatever its type, null where blank; of a uuid the one spelling that all its spellings share. -#}
{% macro read_user_id(column) %}{{ adapter.dispatch('read_user_id')(column) }}{% endmacro %}
{% macro default__read_user_id(column) -%}
    coalesce(cast({{ read_uuid(column) }} as text), {{ blank_to_null(column) }})
{%- endmacro %}
{% macro duckdb__read_user_id(column) -%}
    case when typeof({{ column }}) = 'UUID' then cast({{ column }} as text) else {{ default__read_user_id(column) }} end
{%- endmacro %}

{#- The pseudonymous key: the first 128 bits of SHA-256 over the salt and the id. -#}
{% macro user_key(user_id) %}{{ adapter.dispatch('user_key')(user_id) }}{% endmacro %}
{% macro duckdb__user_key(user_id) -%}
    cast(left(sha256((select salt from {{ internal_schema() }}.user_key_salt) || {{ user_id }}), 32) as uuid)
{%- endmacro %}
{% macro postgres__user_key(user_id) -%}
    cast(left(encode(sha256(convert_to((select salt from {{ internal_schema() }}.user_key_salt) || {{ user_id }}, 'UTF8')), 'hex'), 32) as uuid)
{%- endmacro %}

{#- 64 bits that tell whether a row of the log has changed. -#}
{% macro row_hash(relation) %}{{ adapter.dispatch('row_hash')(relation) }}{% endmacro %}
{% macro duckdb__row_hash(relation) -%}
    hash({{ log_columns() | join(', ') }})
{%- endmacro %}
{% macro postgres__row_hash(relation) -%}
    hashtextextended(cast({{ relation }} as text), 0)
{%- endmacro %}
