{#- A column of the log as uuid (36 characters in groups of 8-4-4-4-12, any case), else null. -#}
{% macro read_uuid(column) -%}
    case
        when {{ matches(trimmed("cast(" ~ column ~ " as text)"), "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$") }}
            then cast({{ trimmed('cast(' ~ column ~ ' as text)') }} as uuid)
    end
{%- endmacro %}

{#- The pseudonymous key: the first 128 bits of SHA-256 over the salt and the id. -#}
{% macro user_key(user_id) %}{{ adapter.dispatch('user_key')(user_id) }}{% endmacro %}
{% macro duckdb__user_key(user_id) -%}
    cast(left(sha256((select salt from {{ internal_schema() }}.user_key_salt) || {{ user_id }}), 32) as uuid)
{%- endmacro %}
{% macro postgres__user_key(user_id) -%}
    cast(left(encode(sha256(convert_to((select salt from {{ internal_schema() }}.user_key_salt) || {{ user_id }}, 'UTF8')), 'hex'), 32) as uuid)
{%- endmacro %}
