-- The rows of the log with the tokens of a generation, read from the document `tokens`, flat or step by step; null
-- where they are unknown. The last columns say what is wrong with the document.
{{ config(materialized='ephemeral') }}

{%- set input_names = ['input', 'input_tokens', 'prompt_tokens'] %}
{%- set output_names = ['output', 'output_tokens', 'completion_tokens'] %}
{%- set total_names = ['total', 'total_tokens'] %}
{%- set highest = 1000000000 %}

with log_rows as (
    select * from {{ ref('base_log_costs') }}
),

plain as (
    {{ with_plain_tokens('log_rows') }}
),

documents as (
    {{ with_columns('plain', {'token_document': strict_json('case when not is_tokens_plain then tokens end')}) }}
),

logged as (
    select
        *,
        {{ first_of('token_document', input_names) }} as logged_input_count,
        {{ first_of('token_document', output_names) }} as logged_output_count,
        {{ first_of('token_document', total_names) }} as logged_total_count
    from documents
),

-- tokens logged step by step: a step without its own total adds what is known of it
over_steps as (
    {{ with_sums_over_steps('logged', 'token_document', {
        'input_tokens': usable_number(first_of('step', input_names), highest),
        'output_tokens': usable_number(first_of('step', output_names), highest),
        'total_tokens': usable_number(first_of('step', total_names), highest),
        'has_input': first_of('step', input_names) ~ ' is not null',
        'has_output': first_of('step', output_names) ~ ' is not null',
        'has_total': first_of('step', total_names) ~ ' is not null',
    }, {
        'step_input_tokens': 'part.input_tokens',
        'step_output_tokens': 'part.output_tokens',
        'step_total_tokens': 'part.total_tokens',
        'step_untotalled_tokens': 'case when part.total_tokens is null'
            ' then coalesce(part.input_tokens, 0) + coalesce(part.output_tokens, 0) end',
        'unusable_step_inputs': 'case when part.has_input and part.input_tokens is null then 1 else 0 end',
        'unusable_step_outputs': 'case when part.has_output and part.output_tokens is null then 1 else 0 end',
        'unusable_step_totals': 'case when part.has_total and part.total_tokens is null then 1 else 0 end',
    }) }}
),

usable as (
    {{ with_columns('over_steps', {
        'flat_input_tokens': usable_number('logged_input_count', highest),
        'flat_output_tokens': usable_number('logged_output_count', highest),
        'flat_total_tokens': usable_number('logged_total_count', highest),
    }) }}
),

summed as (
    select
        *,
        coalesce(flat_input_tokens, step_input_tokens) as known_input_tokens,
        coalesce(flat_output_tokens, step_output_tokens) as known_output_tokens
    from usable
)

select
    *,
    case
        when is_tokens_plain then plain_input_tokens
        else cast(round(known_input_tokens, 0) as bigint)
    end as input_tokens,
    case
        when is_tokens_plain then plain_output_tokens
        else cast(round(known_output_tokens, 0) as bigint)
    end as output_tokens,
    case
        when is_tokens_plain then plain_total_tokens
        else cast(round(coalesce(
            flat_total_tokens,
            step_total_tokens + coalesce(step_untotalled_tokens, 0),
            known_input_tokens + known_output_tokens
        ), 0) as bigint)
    end as total_tokens,
    case
        when tokens is null then 'no tokens logged'
        when is_tokens_plain then null
        when token_document is null then 'not JSON'
        when coalesce(logged_input_count, logged_output_count, logged_total_count) is null
            and coalesce(step_input_tokens, step_output_tokens, step_total_tokens) is null
            and coalesce(unusable_step_inputs + unusable_step_outputs + unusable_step_totals, 0) = 0
            then 'no count in it'
    end as tokens_problem,
    nullif(concat_ws(
        ', ',
        case
            when logged_input_count is not null and flat_input_tokens is null or unusable_step_inputs > 0
                then 'input'
        end,
        case
            when logged_output_count is not null and flat_output_tokens is null or unusable_step_outputs > 0
                then 'output'
        end,
        case
            when logged_total_count is not null and flat_total_tokens is null or unusable_step_totals > 0
                then 'total'
        end
    ), '') as unusable_token_names
from summed
