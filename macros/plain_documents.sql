{#- Nearly all documents of a log stand in it just as the application, or PostgreSQL's jsonb after it, writes them. On DuckDB
    one pattern tells that such a document is JSON, that no key of it repeats and that its numbers are usable, and one step
    reads it, for a fraction of what the general way costs that all others go. The values are columns plain_*, null where a
    document is not plain. On PostgreSQL none is: its jsonb was checked when it was written. -#}
{% macro with_plain_documents(relation) %}{{ adapter.dispatch('with_plain_documents')(relation) }}{% endmacro %}

{% macro postgres__with_plain_documents(relation) -%}
    select
        *,
        false as is_costs_plain,
        false as is_tokens_plain,
        cast(null as numeric(18, 6)) as plain_vision_usd,
        cast(null as numeric(18, 6)) as plain_image_usd,
        cast(null as numeric(18, 6)) as plain_storage_usd,
        cast(null as numeric(18, 6)) as plain_total_usd,
        cast(null as bigint) as plain_input_tokens,
        cast(null as bigint) as plain_output_tokens,
        cast(null as bigint) as plain_total_tokens
    from {{ relation }}
{%- endmacro %}

{% macro duckdb__with_plain_documents(relation) -%}
    select
        *,
        plain_costs is not null as is_costs_plain,
        plain_tokens is not null as is_tokens_plain,
        cast(plain_costs.vision as numeric(18, 6)) as plain_vision_usd,
        cast(coalesce(plain_costs.image_generation, plain_costs.image) as numeric(18, 6)) as plain_image_usd,
        cast(plain_costs.storage as numeric(18, 6)) as plain_storage_usd,
        cast(plain_costs.total as numeric(18, 6)) as plain_total_usd,
        coalesce(plain_tokens.input, plain_tokens.vision.prompt_tokens + coalesce(plain_tokens.image.input_tokens, 0))
            as plain_input_tokens,
        coalesce(plain_tokens.output, plain_tokens.vision.completion_tokens + coalesce(plain_tokens.image.output_tokens, 0))
            as plain_output_tokens,
        coalesce(plain_tokens.total, plain_input_tokens + plain_output_tokens) as plain_total_tokens
    from (
        select
            *,
            case
                when regexp_matches(costs, '{{ duckdb_plain_costs_pattern() }}')
                    then json_transform(costs, '{
                        "vision": "DOUBLE", "image_generation": "DOUBLE", "image": "DOUBLE", "storage": "DOUBLE", "total": "DOUBLE"
                    }')
            end as plain_costs,
            case
                when regexp_matches(tokens, '{{ duckdb_plain_tokens_pattern() }}')
                    then json_transform(tokens, '{
                        "input": "BIGINT", "output": "BIGINT", "total": "BIGINT",
                        "vision": {"prompt_tokens": "BIGINT", "completion_tokens": "BIGINT"},
                        "image": {"input_tokens": "BIGINT", "output_tokens": "BIGINT"}
                    }')
            end as plain_tokens
        from {{ relation }}
    ) as with_plain_documents
{%- endmacro %}

{#- Read by way of a double, a number with more than six decimals could be rounded at a tie to the wrong side: no 4 or 5 may
    stand in the seventh place. The whole part has fewer digits than max_cost_usd. -#}
{% macro duckdb_plain_costs_pattern() -%}
    {%- set whole_digits = (var('max_cost_usd') | int | string | length) - 1 if var('max_cost_usd') >= 1 else 0 -%}
    {%- set whole = '0' if whole_digits == 0 else '(?:0|[1-9][0-9]{0,' ~ (whole_digits - 1) ~ '})' -%}
    {%- set number = ' ?' ~ whole ~ '(?:[.](?:[0-9]{1,6}|[0-9]{6}[0-36-9][0-9]*))?' -%}
    {%- set as_written = duckdb_plain_object(number, ['vision', 'image(?:_generation)?', 'storage'], 'total', []) -%}
    {%- set as_jsonb = duckdb_plain_object(number, ['image'], 'total', ['vision', 'storage', 'image_generation']) -%}
    {{ '^(?:' ~ as_written ~ '|' ~ as_jsonb ~ ')$' if var('max_cost_usd') >= 1 else '^never$' }}
{%- endmacro %}

{#- An object whose keys have this order; all but `needed` may be missing. -#}
{% macro duckdb_plain_object(number, before, needed, after) -%}
    [{]{% for key in before %}(?:"{{ key }}":{{ number }}, ?)?{% endfor %}"{{ needed }}":{{ number }}{% for key in after %}(?:, ?"{{ key }}":{{ number }})?{% endfor %}[}]
{%- endmacro %}

{#- Nine digits at most: below 10⁹. -#}
{% macro duckdb_plain_tokens_pattern() -%}
    {%- set number = ' ?(?:0|[1-9][0-9]{0,8})' -%}
    {%- set flat = '"input":' ~ number ~ ', ?"output":' ~ number ~ '(?:, ?"total":' ~ number ~ ')?' -%}
    {%- set flat_as_jsonb = '"input":' ~ number ~ ', ?"total":' ~ number ~ ', ?"output":' ~ number -%}
    {%- set vision = '"vision": ?[{]"prompt_tokens":' ~ number ~ ', ?"completion_tokens":' ~ number ~ '[}]' -%}
    {%- set image = '"image": ?[{]"input_tokens":' ~ number ~ ', ?"output_tokens":' ~ number ~ '[}]' -%}
    ^[{](?:{{ flat }}|{{ flat_as_jsonb }}|{{ vision }}(?:, ?{{ image }})?|{{ image }}, ?{{ vision }})[}]$
{%- endmacro %}
