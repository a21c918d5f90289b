{#- JSON in one dispatched place, each document read once. json_fields() takes the values of some keys from a document,
    null where it is no JSON; json_step_fields() the same from each object nested in it; json_field() gives one of them as
    text, the first of several names that has a value. Where a key repeats, the last one counts, on every engine. -#}

{% macro json_fields(column, keys) %}{{ adapter.dispatch('json_fields')(column, keys) }}{% endmacro %}
{% macro json_step_fields(column, keys) %}{{ adapter.dispatch('json_step_fields')(column, keys) }}{% endmacro %}
{% macro json_field(fields, keys, names) -%}
    {%- set values = [] -%}
    {%- for name in names -%}{%- do values.append(adapter.dispatch('json_field')(fields, keys, name)) -%}{%- endfor -%}
    {%- if values | length == 1 -%}{{ values[0] }}{%- else -%}coalesce({{ values | join(', ') }}){%- endif -%}
{%- endmacro %}
{#- A relation with columns added that are sums over the nested objects, each of a number that is written with `step` for
    the fields of one of them; null where there are none. -#}
{% macro with_sums_over_steps(relation, step_fields, numbers) %}{{ adapter.dispatch('with_sums_over_steps')(relation, step_fields, numbers) }}{% endmacro %}

{#- 1 for a value that stands in the log but cannot be used, else 0 -#}
{% macro is_unusable(value, usable_value) -%}
    case when {{ value }} is not null and {{ usable_value }} is null then 1 else 0 end
{%- endmacro %}

{% macro postgres__json_fields(column, keys) -%}
    {{ internal_schema() }}.as_json({{ column }})
{%- endmacro %}
{% macro postgres__json_step_fields(column, keys) -%}
    nullif(jsonb_path_query_array({{ internal_schema() }}.as_json({{ column }}), 'strict $.* ? (@.type() == "object")', '{}', true), '[]')
{%- endmacro %}
{% macro postgres__json_field(fields, keys, name) -%}
    ({{ fields }} ->> '{{ name }}')
{%- endmacro %}
{% macro postgres__with_sums_over_steps(relation, step_fields, numbers) -%}
    select *
    from {{ relation }}
    cross join lateral (
        select
            {%- for name, number in numbers.items() %}
            sum({{ number }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from jsonb_array_elements({{ step_fields }}) as steps (step)
        where {{ step_fields }} is not null
        offset 0
    ) as sums
{%- endmacro %}

{% macro duckdb__json_fields(column, keys) -%}
    json_extract_string({{ duckdb_strict_json(column, keys) }}, {{ duckdb_json_paths(keys) }})
{%- endmacro %}
{% macro duckdb__json_step_fields(column, keys) -%}
    case
        when contains(substr({{ column }}, 2), '{')
            then list_transform(
                list_filter(
                    map_values(json_transform({{ duckdb_strict_json(column, keys) }}, '"MAP(VARCHAR, JSON)"')),
                    lambda step: json_type(step) = 'OBJECT'
                ),
                lambda step: json_extract_string(step, {{ duckdb_json_paths(keys) }})
            )
    end
{%- endmacro %}
{% macro duckdb__json_field(fields, keys, name) -%}
    {{ fields }}[{{ keys.index(name) + 1 }}]
{%- endmacro %}
{% macro duckdb__with_sums_over_steps(relation, step_fields, numbers) -%}
    {%- set sums = {} -%}
    {%- for name, number in numbers.items() -%}
        {%- do sums.update({name: "case when " ~ step_fields ~ " is not null then list_sum(list_transform("
            ~ step_fields ~ ", lambda step: " ~ number ~ ")) end"}) -%}
    {%- endfor -%}
    {{ with_columns(relation, sums) }}
{%- endmacro %}

{% macro duckdb_json_paths(keys) -%}
    [{% for key in keys %}'$."{{ key }}"'{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}

{#- The document if it is JSON as PostgreSQL understands it, with the last of repeated keys alone; else null. DuckDB takes
    the first of them, and also takes a trailing comma, NaN, Infinity and \u0000 for JSON. Few documents look as if they
    held any of this; only those are taken apart. (chr(92) is a backslash: dbt's unit tests misread a literal that ends in
    one.) -#}
{% macro duckdb_strict_json(column, keys) -%}
    {%- set lax = ',\\s*[\\]}]|(^|[:,\\[])\\s*-?[NIni][an]' -%}
    {%- set repeated = [] -%}
    {%- for key in keys -%}{%- do repeated.append('"' ~ key ~ '"[^{}]*"' ~ key ~ '"\\s*:') -%}{%- endfor -%}
    case
        when not json_valid({{ column }}) then null
        when regexp_matches({{ column }}, '{{ lax }}|\\u0000|{{ repeated | join("|") }}')
            or contains(substr({{ column }}, 2), '{') and json_transform({{ column }}, '"MAP(VARCHAR, JSON)"') is null
            then case
                when not contains(replace({{ column }}, chr(92) || chr(92), ''), '\u0000')
                    and not regexp_matches(regexp_replace({{ column }}, '"(\\.|[^"\\])*"', '""', 'g'), '{{ lax }}')
                    then {{ duckdb_last_of_repeated_keys(column) }}
            end
        else {{ column }}
    end
{%- endmacro %}

{% macro duckdb_last_of_repeated_keys(document) -%}
    case
        when json_type({{ document }}) = 'OBJECT'
            then {{ duckdb_object_of_last(document, "case when json_type(member) = 'OBJECT' then "
                ~ duckdb_object_of_last("member", "member_of_member", "member_of_member") ~ " else member end", "member") }}
        else {{ document }}
    end
{%- endmacro %}
{#- Each key with the last value that it has, as an object again. -#}
{% macro duckdb_object_of_last(document, value, name) -%}
    cast(to_json(map_from_entries(list_transform(
        list_distinct(json_keys({{ document }})),
        lambda key: struct_pack(key := key, value := list_transform(
            [json_extract({{ document }}, '$.*')[
                len(json_keys({{ document }})) - list_position(list_reverse(json_keys({{ document }})), key) + 1
            ]],
            lambda {{ name }}: {{ value }}
        )[1])
    ))) as json)
{%- endmacro %}
