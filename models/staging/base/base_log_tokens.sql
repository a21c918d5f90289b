-- The rows of the log with the tokens of a generation and of its steps, read from the document `tokens`; null where
-- they are unknown. The last columns say what is wrong with the document. Which key counts what: the seed
-- document_keys.
{{ config(materialized='ephemeral') }}

{%- set highest = 1000000000 %}
{%- set steps = {'vision_': 'vision_', 'image_': 'image_', 'flat_': ''} %}
{%- set logged, usable = {}, {} %}
{%- for prefix, step in steps.items() %}
{%- for counts in ['input', 'output', 'total'] %}
{%- do logged.update({'logged_' ~ prefix ~ counts: document_value('tokens', step ~ counts)}) %}
{%- do usable.update({prefix ~ counts: usable_number('logged_' ~ prefix ~ counts, highest)}) %}
{%- endfor %}
{%- endfor %}

with log_rows as (
    select * from {{ ref('base_log_costs') }}
),

opened as (
    {{ with_members('log_rows', 'tokens') }}
),

logged as (
    {{ with_columns('opened', dict(logged, tokens_with_others=document_with_others('tokens'))) }}
),

-- steps that are not listed
with_others as (
    {{ with_sums_over_keys('logged', 'tokens', {
        'logged_input': other_value('tokens', 'input'),
        'logged_output': other_value('tokens', 'output'),
        'logged_total': other_value('tokens', 'total'),
        'input': usable_number(other_value('tokens', 'input'), highest),
        'output': usable_number(other_value('tokens', 'output'), highest),
        'total': usable_number(other_value('tokens', 'total'), highest),
    }, {
        'other_input': 'part.input',
        'other_output': 'part.output',
        'other_total': 'part.total',
        'other_untotalled': 'case when part.total is null then coalesce(part.input, 0) + coalesce(part.output, 0) end',
        'unusable_other_inputs': 'case when part.logged_input is not null and part.input is null then 1 end',
        'unusable_other_outputs': 'case when part.logged_output is not null and part.output is null then 1 end',
        'unusable_other_totals': 'case when part.logged_total is not null and part.total is null then 1 end',
    }) }}
),

usable as (
    {{ with_columns('with_others', usable) }}
),

-- over all steps; a step without its own total adds what is known of it
summed as (
    select
        *,
        case
            when flat_input is not null then flat_input
            when coalesce(vision_input, image_input, other_input) is not null
                then coalesce(vision_input, 0) + coalesce(image_input, 0) + coalesce(other_input, 0)
        end as known_input,
        case
            when flat_output is not null then flat_output
            when coalesce(vision_output, image_output, other_output) is not null
                then coalesce(vision_output, 0) + coalesce(image_output, 0) + coalesce(other_output, 0)
        end as known_output,
        case
            when coalesce(vision_total, image_total, other_total) is not null
                then coalesce(vision_total, coalesce(vision_input, 0) + coalesce(vision_output, 0))
                + coalesce(image_total, coalesce(image_input, 0) + coalesce(image_output, 0))
                + coalesce(other_total, 0) + coalesce(other_untotalled, 0)
        end as total_of_steps
    from usable
),

judged as (
    select
        *,
        coalesce(flat_total, total_of_steps, known_input + known_output) as known_total,
        -- the application fills in the tokens when all is done: the zeros of a failure say nothing
        case
            when is_success or coalesce(known_input, known_output, flat_total, total_of_steps) is null then false
            else coalesce(known_input, 0) + coalesce(known_output, 0) + coalesce(flat_total, 0)
                + coalesce(total_of_steps, 0) = 0
        end as are_zero_tokens_of_failure,
        {%- for counts in ['input', 'output', 'total'] %}
        unusable_other_{{ counts }}s > 0
        {%- for prefix in steps %}
        or logged_{{ prefix }}{{ counts }} is not null and {{ prefix }}{{ counts }} is null
        {%- endfor %} as has_unusable_{{ counts }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed
)

select
    *,
    {%- for name in [
        'known_input', 'known_output', 'known_total', 'vision_input', 'vision_output', 'image_input', 'image_output',
    ] %}
    case when not are_zero_tokens_of_failure then cast({{ name }} as bigint) end as
    {{- ' ' ~ name | replace('known_', '') }}_tokens,
    {%- endfor %}
    case
        when tokens_read is null
            then case when {{ blank_to_null('tokens') }} is null then 'no tokens logged' else 'not JSON' end
        when coalesce({{ logged | join(', ') }}) is null
            and coalesce(other_input, other_output, other_total) is null
            and coalesce(unusable_other_inputs, unusable_other_outputs, unusable_other_totals) is null
            then 'no count in it'
    end as tokens_problem,
    case
        when has_unusable_input or has_unusable_output or has_unusable_total then concat_ws(
            ', ',
            case when has_unusable_input then 'input' end,
            case when has_unusable_output then 'output' end,
            case when has_unusable_total then 'total' end
        )
    end as unusable_token_names
from judged
