{#- What a document holds under the first of several names that has a value, as text. A key that repeats is read as the
    engine reads it. -#}
{% macro first_of(document, names) -%}
    {%- set values = [] -%}
    {%- for name in names -%}{%- do values.append("(" ~ document ~ " ->> '" ~ name ~ "')") -%}{%- endfor -%}
    {{ values[0] if values | length == 1 else "coalesce(" ~ values | join(", ") ~ ")" }}
{%- endmacro %}

{#- A relation with sums over the objects that are nested in a document, null where there are none. `parts` are taken
    once from each object, written as `step`; `sums` are made of them, written as `part`. -#}
{% macro with_sums_over_steps(relation, document, parts, sums) -%}
    {{ adapter.dispatch('with_sums_over_steps')(relation, document, parts, sums) }}
{%- endmacro %}

{% macro postgres__with_sums_over_steps(relation, document, parts, sums) -%}
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
            from jsonb_path_query({{ document }}, 'strict $.* ? (@.type() == "object")', '{}', true) as steps (step)
            offset 0
        ) as part
    ) as sums
{%- endmacro %}

{% macro duckdb__with_sums_over_steps(relation, document, parts, sums) -%}
    {%- set members = [] -%}
    {%- for name, part in parts.items() -%}{%- do members.append(name ~ " := " ~ part) -%}{%- endfor -%}
    select
        *
        {%- for name, sum in sums.items() %},
        case
            when step_parts is not null then list_sum(list_transform(step_parts, lambda part: {{ sum }}))
        end as {{ name }}
        {%- endfor %}
    from (
        select
            *,
            case
                when contains(substr({{ document }}, 2), '{') then list_transform(
                    list_filter(json_extract({{ document }}, '$.*'), lambda step: json_type(step) = 'OBJECT'),
                    lambda step: struct_pack({{ members | join(", ") }})
                )
            end as step_parts
        from {{ relation }}
    ) as with_parts
{%- endmacro %}
