{#- Nearly all documents of a log are written just as the application, or PostgreSQL's jsonb after it, writes them:
    usable numbers under the usual keys and nothing else. They are recognised in one step and read in another, for a
    fraction of what the general way costs that all others go. The values are columns plain_*, null in those others. -#}
{% macro with_plain_costs(relation) %}{{ adapter.dispatch('with_plain_costs')(relation) }}{% endmacro %}
{% macro with_plain_tokens(relation) %}{{ adapter.dispatch('with_plain_tokens')(relation) }}{% endmacro %}

{#- jsonb's numbers are numerics already: no text is looked at. Each member is taken out of its document once. -#}
{% macro postgres__with_plain_costs(relation) -%}
    {%- set keys, members = ['vision', 'image_generation', 'image', 'storage', 'total'], {} -%}
    {%- for key in keys -%}{%- do members.update({key ~ '_cost_read': "costs_read -> '" ~ key ~ "'"}) -%}{%- endfor -%}
    {%- set is_plain -%}
        total_cost_read is not null
        {%- for key in keys %}
        and {{ postgres_is_plain_number(key ~ '_cost_read', var('max_cost_usd'), 20) }}
        {%- endfor %}
    {%- endset -%}
    {%- set amounts = {
        'vision': 'vision_cost_read',
        'image': 'coalesce(image_generation_cost_read, image_cost_read)',
        'storage': 'storage_cost_read',
        'total': 'total_cost_read',
    } -%}
    select
        *
        {%- for name, amount in amounts.items() %},
        case when is_costs_plain then cast(cast({{ amount }} as numeric) as numeric(18, 6)) end as plain_{{ name }}_usd
        {%- endfor %}
    from ({{ postgres_with_columns_in_turn(relation, [
        {'costs_read': strict_json('costs')}, members, {'is_costs_plain': is_plain}
    ]) }}) as with_plain_costs
{%- endmacro %}

{% macro postgres__with_plain_tokens(relation) -%}
    {%- set flat, members = ['input', 'output', 'total'], {} -%}
    {%- set steps = {'vision': ['prompt_tokens', 'completion_tokens'], 'image': ['input_tokens', 'output_tokens']} -%}
    {%- for key in flat + ['vision', 'image'] -%}
        {%- do members.update({key ~ '_tokens_read': "tokens_read -> '" ~ key ~ "'"}) -%}
    {%- endfor -%}
    {%- for step, keys in steps.items() -%}{%- for key in keys -%}
        {%- do members.update({key ~ '_of_' ~ step ~ '_read': "tokens_read -> '" ~ step ~ "' -> '" ~ key ~ "'"}) -%}
    {%- endfor -%}{%- endfor -%}
    {%- set is_plain -%}
        case
            when input_tokens_read is not null then
                output_tokens_read is not null
                {%- for key in flat %}
                and {{ postgres_is_plain_number(key ~ '_tokens_read', 999999999, 0) }}
                {%- endfor %}
                and tokens_read - array['{{ flat | join("', '") }}'] = '{}'
            when vision_tokens_read is not null then
                tokens_read - array['{{ steps | join("', '") }}'] = '{}'
                {%- for step, keys in steps.items() %}
                and case
                    when {{ step }}_tokens_read is null then true
                    when jsonb_typeof({{ step }}_tokens_read) = 'object' then
                        {%- for key in keys %}
                        {{ key }}_of_{{ step }}_read is not null
                        and {{ postgres_is_plain_number(key ~ '_of_' ~ step ~ '_read', 999999999, 0) }} and
                        {%- endfor %}
                        {{ step }}_tokens_read - array['{{ keys | join("', '") }}'] = '{}'
                    else false
                end
                {%- endfor %}
            else false
        end
    {%- endset -%}
    select
        *,
        coalesce(plain_logged_total_tokens, plain_input_tokens + plain_output_tokens) as plain_total_tokens
    from (
        select
            *,
            {%- for name, of_vision in [('input', 'prompt'), ('output', 'completion')] %}
            case
                when is_tokens_plain then coalesce(
                    cast({{ name }}_tokens_read as bigint),
                    cast({{ of_vision }}_tokens_of_vision_read as bigint)
                    + coalesce(cast({{ name }}_tokens_of_image_read as bigint), 0)
                )
            end as plain_{{ name }}_tokens,
            {%- endfor %}
            case when is_tokens_plain then cast(total_tokens_read as bigint) end as plain_logged_total_tokens
        from ({{ postgres_with_columns_in_turn(relation, [
            {'tokens_read': strict_json('tokens')}, members, {'is_tokens_plain': is_plain}
        ]) }}) as with_members
    ) as with_plain_tokens
{%- endmacro %}

{#- Each of these columns is made of those before it, and once a row. -#}
{% macro postgres_with_columns_in_turn(relation, turns) -%}
    {%- set nested = namespace(sql=relation) -%}
    {%- for columns in turns -%}
        {%- set rows = nested.sql if loop.first else '(' ~ nested.sql ~ ') as turn_' ~ loop.index -%}
        {%- set nested.sql = with_columns(rows, columns) -%}
    {%- endfor -%}
    {{ nested.sql }}
{%- endmacro %}

{#- Nothing at all, or a number that can be used as it is. -#}
{% macro postgres_is_plain_number(member, highest, decimals) -%}
    case
        when {{ member }} is null then true
        when jsonb_typeof({{ member }}) = 'number'
            then cast({{ member }} as numeric) between 0 and {{ highest }}
                and scale(cast({{ member }} as numeric)) <= {{ decimals }}
        else false
    end
{%- endmacro %}

{#- Read by way of a double, a number with more than six decimals could be rounded at a tie to the wrong side: the
    seventh must not be a 4 or a 5. The whole part has fewer digits than max_cost_usd. -#}
{% macro duckdb__with_plain_costs(relation) -%}
    {%- set whole_digits = (var('max_cost_usd') | int | string | length) - 1 if var('max_cost_usd') >= 1 else 0 -%}
    {%- set whole = '0' if whole_digits == 0 else '(?:0|[1-9][0-9]{0,' ~ (whole_digits - 1) ~ '})' -%}
    {%- set number = ' ?' ~ whole ~ '(?:[.](?:[0-9]{1,6}|[0-9]{6}[0-36-9][0-9]*))?' -%}
    {%- set as_written = duckdb_plain_object(number, ['vision', 'image(?:_generation)?', 'storage'], 'total', []) -%}
    {%- set as_jsonb = duckdb_plain_object(number, ['image'], 'total', ['vision', 'storage', 'image_generation']) -%}
    {%- set pattern = '^(?:' ~ as_written ~ '|' ~ as_jsonb ~ ')$' if var('max_cost_usd') >= 1 else '^never$' -%}
    select
        *,
        plain_costs is not null as is_costs_plain,
        cast(plain_costs.vision as numeric(18, 6)) as plain_vision_usd,
        cast(coalesce(plain_costs.image_generation, plain_costs.image) as numeric(18, 6)) as plain_image_usd,
        cast(plain_costs.storage as numeric(18, 6)) as plain_storage_usd,
        cast(plain_costs.total as numeric(18, 6)) as plain_total_usd
    from (
        select
            *,
            case
                when regexp_matches(costs, '{{ pattern }}') then json_transform(costs, '{
                    "vision": "DOUBLE", "image_generation": "DOUBLE", "image": "DOUBLE", "storage": "DOUBLE",
                    "total": "DOUBLE"
                }')
            end as plain_costs
        from {{ relation }}
    ) as with_plain_costs
{%- endmacro %}

{#- Nine digits at most: below 10⁹. -#}
{% macro duckdb__with_plain_tokens(relation) -%}
    {%- set number = ' ?(?:0|[1-9][0-9]{0,8})' -%}
    {%- set flat = '"input":' ~ number ~ ', ?"output":' ~ number ~ '(?:, ?"total":' ~ number ~ ')?' -%}
    {%- set flat_as_jsonb = '"input":' ~ number ~ ', ?"total":' ~ number ~ ', ?"output":' ~ number -%}
    {%- set vision = '"vision": ?[{]"prompt_tokens":' ~ number ~ ', ?"completion_tokens":' ~ number ~ '[}]' -%}
    {%- set image = '"image": ?[{]"input_tokens":' ~ number ~ ', ?"output_tokens":' ~ number ~ '[}]' -%}
    {%- set steps = vision ~ '(?:, ?' ~ image ~ ')?|' ~ image ~ ', ?' ~ vision -%}
    select
        *,
        plain_tokens is not null as is_tokens_plain,
        coalesce(plain_tokens.input, plain_tokens.vision.prompt_tokens + coalesce(plain_tokens.image.input_tokens, 0))
            as plain_input_tokens,
        coalesce(
            plain_tokens.output, plain_tokens.vision.completion_tokens + coalesce(plain_tokens.image.output_tokens, 0)
        ) as plain_output_tokens,
        coalesce(plain_tokens.total, plain_input_tokens + plain_output_tokens) as plain_total_tokens
    from (
        select
            *,
            case
                when regexp_matches(tokens, '^[{](?:{{ flat }}|{{ flat_as_jsonb }}|{{ steps }})[}]$')
                    then json_transform(tokens, '{
                        "input": "BIGINT", "output": "BIGINT", "total": "BIGINT",
                        "vision": {"prompt_tokens": "BIGINT", "completion_tokens": "BIGINT"},
                        "image": {"input_tokens": "BIGINT", "output_tokens": "BIGINT"}
                    }')
            end as plain_tokens
        from {{ relation }}
    ) as with_plain_tokens
{%- endmacro %}

{#- An object whose keys have this order; all but `needed` may be missing. -#}
{% macro duckdb_plain_object(number, before, needed, after) -%}
    [{]
    {%- for key in before -%}(?:"{{ key }}":{{ number }}, ?)?{%- endfor -%}
    "{{ needed }}":{{ number }}
    {%- for key in after -%}(?:, ?"{{ key }}":{{ number }})?{%- endfor -%}
    [}]
{%- endmacro %}
