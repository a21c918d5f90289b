{#- A relation with sums over the keys of a document that document_keys does not list, null where there are none.
    `parts` are taken once from each key, written as each.key_name and each.entry; `sums` are made of them, written as
    part. -#}
{% macro with_sums_over_keys(relation, document, parts, sums) -%}
    {{ adapter.dispatch('with_sums_over_keys')(relation, document, parts, sums) }}
{%- endmacro %}

{% macro postgres__with_sums_over_keys(relation, document, parts, sums) -%}
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
            from jsonb_each({{ document }}) as each (key_name, entry)
            offset 0
        ) as part
    ) as sums
{%- endmacro %}

{% macro duckdb__with_sums_over_keys(relation, document, parts, sums) -%}
    {%- set members = [] -%}
    {%- for name, part in parts.items() -%}{%- do members.append(name ~ " := " ~ part) -%}{%- endfor -%}
    select
        *
        {%- for name, sum in sums.items() %},
        case
            when {{ document }}_parts is not null
                then list_sum(list_transform({{ document }}_parts, lambda part: {{ sum }}))
        end as {{ name }}
        {%- endfor %}
    from (
        select
            *,
            case
                when {{ document }} is not null then list_transform(
                    list_transform(
                        list_zip(json_keys({{ document }}), json_extract({{ document }}, '$.*')),
                        lambda pair: struct_pack(key_name := pair[1], entry := pair[2])
                    ),
                    lambda each: struct_pack({{ members | join(", ") }})
                )
            end as {{ document }}_parts
        from {{ relation }}
    ) as with_parts
{%- endmacro %}
