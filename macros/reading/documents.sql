{#- A relation with one of its documents opened: the columns are_<document>_plain, <document>_read and
    <document>_members, of which document_value() picks. What they are: see document_functions(). -#}
{% macro with_members(relation, document) -%}
    {%- set is_plain, read = 'are_' ~ document ~ '_plain', document ~ '_read' -%}
    {%- set recognised = with_columns(relation, {is_plain: reading_function(document ~ '_are_plain', document)}) -%}
    {%- set opened = with_columns('(' ~ recognised ~ ') as recognised', {
        read: reading_function('document_of', document, is_plain),
    }) -%}
    {{ with_columns('(' ~ opened ~ ') as opened', {
        document ~ '_members': reading_function(document ~ '_members', read, is_plain),
    }) }}
{%- endmacro %}

{#- A step's count of an opened document, such as vision_input; of the generation as a whole: input. -#}
{% macro document_value(document, value) -%}
    {{ reading_function(document ~ '_' ~ value, document ~ '_members', 'are_' ~ document ~ '_plain') }}
{%- endmacro %}

{#- An opened document where it holds keys that are not listed, else null; and the count of one of these keys. -#}
{% macro document_with_others(document) -%}
    case when {{ reading_function(document ~ '_have_others', document ~ '_read', 'are_' ~ document ~ '_plain') }}
        then {{ document }}_read end
{%- endmacro %}
{% macro other_value(document, counts) -%}
    {{ reading_function(document ~ '_other_' ~ counts, 'each.key_name', 'each.entry') }}
{%- endmacro %}

{#- A relation with sums over the keys of a document that document_keys does not list, null where there are none.
    document_with_others() is its column `<document>_with_others`. `parts` are taken once from each key, written as
    each.key_name and each.entry; `sums`, and the `greatest` of each, are made of them, written as part. -#}
{% macro with_sums_over_keys(relation, document, parts, sums, greatest={}) -%}
    {{ adapter.dispatch('with_sums_over_keys')(relation, document, parts, sums, greatest) }}
{%- endmacro %}

{% macro postgres__with_sums_over_keys(relation, document, parts, sums, greatest) -%}
    select *
    from {{ relation }}
    cross join lateral (
        select
            {%- for name, each in dict(greatest, **sums).items() %}
            {{ 'max' if name in greatest else 'sum' }}({{ each }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select
                {%- for name, part in parts.items() %}
                {{ part }} as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from jsonb_each({{ document }}_with_others) as each (key_name, entry)
            where {{ reading_function(document ~ '_is_other', 'key_name') }}
            offset 0
        ) as part
    ) as sums
{%- endmacro %}

{% macro duckdb__with_sums_over_keys(relation, document, parts, sums, greatest) -%}
    {%- set members = [] -%}
    {%- for name, part in parts.items() -%}{%- do members.append(name ~ " := " ~ part) -%}{%- endfor -%}
    select
        *
        {%- for name, each in dict(greatest, **sums).items() %},
        case
            when {{ document }}_parts is not null
                then list_{{ 'max' if name in greatest else 'sum' }}(
                    list_transform({{ document }}_parts, lambda part: {{ each }})
                )
        end as {{ name }}
        {%- endfor %}
    from (
        select
            *,
            case
                when {{ document }}_with_others is not null then list_transform(
                    list_filter(
                        list_transform(
                            list_zip(
                                json_keys({{ document }}_with_others), json_extract({{ document }}_with_others, '$.*')
                            ),
                            lambda pair: struct_pack(key_name := pair[1], entry := pair[2])
                        ),
                        lambda each: {{ reading_function(document ~ '_is_other', 'each.key_name') }}
                    ),
                    lambda each: struct_pack({{ members | join(", ") }})
                )
            end as {{ document }}_parts
        from {{ relation }}
    ) as with_parts
{%- endmacro %}
