{#- JSON in one dispatched place, each document read once. json_document() takes a column as JSON, null where it is none;
    json_fields() takes the values of some keys from it, json_step_fields() the same from each object nested in it;
    json_field() gives one of them as text, the first of several names that has a value. Where a key repeats, the last one
    counts, on every engine. -#}

{% macro json_document(column, keys) %}{{ adapter.dispatch('json_document')(column, keys) }}{% endmacro %}
{% macro json_fields(document, keys) %}{{ adapter.dispatch('json_fields')(document, keys) }}{% endmacro %}
{% macro json_step_fields(document, keys) %}{{ adapter.dispatch('json_step_fields')(document, keys) }}{% endmacro %}
{% macro json_field(fields, keys, names) -%}
    {%- set values = [] -%}
    {%- for name in names -%}{%- do values.append(adapter.dispatch('json_field')(fields, keys, name)) -%}{%- endfor -%}
    {%- if values | length == 1 -%}{{ values[0] }}{%- else -%}coalesce({{ values | join(', ') }}){%- endif -%}
{%- endmacro %}

{#- A relation with sums over the nested objects added, null where there are none. `parts` are taken once from the fields
    of each object, written with `step`; `sums` are made of them, written with `part`. -#}
{% macro with_sums_over_steps(relation, step_fields, parts, sums) %}{{ adapter.dispatch('with_sums_over_steps')(relation, step_fields, parts, sums) }}{% endmacro %}

{% macro postgres__json_document(column, keys) -%}
    {{ internal_schema() }}.as_json({{ column }})
{%- endmacro %}
{% macro postgres__json_fields(document, keys) -%}
    {{ document }}
{%- endmacro %}
{% macro postgres__json_step_fields(document, keys) -%}
    nullif(jsonb_path_query_array({{ document }}, 'strict $.* ? (@.type() == "object")', '{}', true), '[]')
{%- endmacro %}
{% macro postgres__json_field(fields, keys, name) -%}
    ({{ fields }} ->> '{{ name }}')
{%- endmacro %}
{% macro postgres__with_sums_over_steps(relation, step_fields, parts, sums) -%}
    select *
    from {{ relation }}
    cross join lateral (
        select
            {%- for name, sum in sums.items() %}
            sum({{ sum }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select
                {%- for name, part in parts.items() %}
                {{ part }} as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from jsonb_array_elements({{ step_fields }}) as steps (step)
            where {{ step_fields }} is not null
            offset 0
        ) as part
    ) as sums
{%- endmacro %}

{% macro duckdb__json_document(column, keys) -%}
    {{ duckdb_strict_json(column, keys) }}
{%- endmacro %}
{% macro duckdb__json_fields(document, keys) -%}
    json_extract_string({{ document }}, {{ duckdb_json_paths(keys) }})
{%- endmacro %}
{% macro duckdb__json_step_fields(document, keys) -%}
    case
        when contains(substr({{ document }}, 2), '{')
            then list_filter(
                list_transform(
                    json_extract({{ document }}, '$.*'),
                    lambda step: case when json_type(step) = 'OBJECT' then json_extract_string(step, {{ duckdb_json_paths(keys) }}) end
                ),
                lambda fields: fields is not null
            )
    end
{%- endmacro %}
{% macro duckdb__json_field(fields, keys, name) -%}
    {{ fields }}[{{ keys.index(name) + 1 }}]
{%- endmacro %}
{% macro duckdb__with_sums_over_steps(relation, step_fields, parts, sums) -%}
    {%- set members = [] -%}
    {%- for name, part in parts.items() -%}{%- do members.append(name ~ " := " ~ part) -%}{%- endfor -%}
    select
        *
        {%- for name, sum in sums.items() %},
        case when step_parts is not null then list_sum(list_transform(step_parts, lambda part: {{ sum }})) end as {{ name }}
        {%- endfor %}
    from (
        select
            *,
            case
                when {{ step_fields }} is not null
                    then list_transform({{ step_fields }}, lambda step: struct_pack({{ members | join(", ") }}))
            end as step_parts
        from {{ relation }}
    ) as with_parts
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
