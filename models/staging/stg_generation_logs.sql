-- One row per row of the log, typed, unpacked, keyed and scrubbed; nothing is dropped and nothing is stored.
-- depends_on: {{ ref('error_patterns') }}
-- What cannot be used is null here, and the columns has_* and *_problem say why; generation_log_issues explains it.

{%- set cost_keys = ['vision', 'image_generation', 'image', 'storage', 'total'] %}
{%- set input_names = ['input', 'input_tokens', 'prompt_tokens'] %}
{%- set output_names = ['output', 'output_tokens', 'completion_tokens'] %}
{%- set total_names = ['total', 'total_tokens'] %}
{%- set token_keys = input_names + output_names + total_names %}
{%- set highest_tokens = 1000000000 %}
{%- set highest_duration_ms = 86400000 %}
{%- set highest_usd = var('max_cost_usd') %}
{%- set patterns = error_patterns() %}

with log as (
    select * from {{ source('application', 'generation_logs') }}
),

timed as (
    {{ with_time_read('log') }}
),

-- each document is read once: here, where it is just as the application writes it, and else below
plain as (
    {{ with_plain_documents('timed') }}
),

documents as (
    {{ with_columns('plain', {
        'cost_document': json_document('case when not is_costs_plain then costs end', cost_keys),
        'token_document': json_document('case when not is_tokens_plain then tokens end', token_keys),
    }) }}
),

fields as (
    select
        *,
        {{ json_fields('cost_document', cost_keys) }} as cost_fields,
        {{ json_fields('token_document', token_keys) }} as token_fields,
        {{ json_step_fields('token_document', token_keys) }} as token_steps
    from documents
),

-- the values as the log has them, still text
logged as (
    select
        {{ read_uuid('id') }} as generation_id,
        logged_at as created_at,
        {{ read_user_id('user_id') }} as user_id,
        {{ blank_to_null('job_id') }} as job_id,
        cast(style as text) as style,
        difficulty,
        duration_ms,
        lower({{ trimmed('cast(success as text)') }}) as outcome,
        {{ blank_to_null('error_message') }} as error_text,
        {{ searched_text(blank_to_null('error_message')) }} as searched_error_text,
        costs is null as is_costs_null,
        tokens is null as is_tokens_null,
        is_costs_plain,
        is_tokens_plain,
        plain_vision_usd,
        plain_image_usd,
        plain_storage_usd,
        plain_total_usd,
        plain_input_tokens,
        plain_output_tokens,
        plain_total_tokens,
        cost_fields,
        token_fields,
        token_steps,
        {{ json_field('cost_fields', cost_keys, ['vision']) }} as vision_cost,
        {{ json_field('cost_fields', cost_keys, ['image_generation', 'image']) }} as image_cost,
        {{ json_field('cost_fields', cost_keys, ['storage']) }} as storage_cost,
        {{ json_field('cost_fields', cost_keys, ['total']) }} as total_cost,
        {{ json_field('token_fields', token_keys, input_names) }} as input_count,
        {{ json_field('token_fields', token_keys, output_names) }} as output_count,
        {{ json_field('token_fields', token_keys, total_names) }} as total_count
    from fields
),

-- tokens logged step by step: a step without a total of its own adds what is known of it
{%- set parts = {} %}
{%- for name, names in {'input': input_names, 'output': output_names, 'total': total_names}.items() %}
{%- set value = json_field('step', token_keys, names) %}
{%- do parts.update({name ~ '_tokens': usable_number(value, highest_tokens), 'has_' ~ name: value ~ ' is not null'}) %}
{%- endfor %}

step_sums as (
    {{ with_sums_over_steps('logged', 'token_steps', parts, {
        'step_input_tokens': 'part.input_tokens',
        'step_output_tokens': 'part.output_tokens',
        'step_total_tokens': 'part.total_tokens',
        'step_untotalled_tokens': 'case when part.total_tokens is null then coalesce(part.input_tokens, 0) + coalesce(part.output_tokens, 0) end',
        'unusable_step_inputs': 'case when part.has_input and part.input_tokens is null then 1 else 0 end',
        'unusable_step_outputs': 'case when part.has_output and part.output_tokens is null then 1 else 0 end',
        'unusable_step_totals': 'case when part.has_total and part.total_tokens is null then 1 else 0 end',
    }) }}
),

-- the values as numbers, null where unusable
numbers as (
    {{ with_columns('step_sums', {
        'difficulty_level': usable_number('difficulty', var('max_difficulty')),
        'duration': usable_number('duration_ms', highest_duration_ms),
        'vision_usd': 'coalesce(plain_vision_usd, ' ~ usable_number('vision_cost', highest_usd) ~ ')',
        'image_usd': 'coalesce(plain_image_usd, ' ~ usable_number('image_cost', highest_usd) ~ ')',
        'storage_usd': 'coalesce(plain_storage_usd, ' ~ usable_number('storage_cost', highest_usd) ~ ')',
        'logged_total_usd': 'coalesce(plain_total_usd, ' ~ usable_number('total_cost', highest_usd) ~ ')',
        'flat_input_tokens': usable_number('input_count', highest_tokens),
        'flat_output_tokens': usable_number('output_count', highest_tokens),
        'flat_total_tokens': usable_number('total_count', highest_tokens),
        'error_pattern_place': error_pattern_place('searched_error_text', patterns),
    }) }}
),

resolved as (
    select
        *,
        coalesce(outcome in ('true', 't', '1', 'yes'), false) as is_success,
        coalesce(outcome in ('true', 't', '1', 'yes', 'false', 'f', '0', 'no'), false) as has_outcome,
        coalesce(vision_usd, 0) + coalesce(image_usd, 0) + coalesce(storage_usd, 0) as parts_usd,
        coalesce(vision_usd, image_usd, storage_usd) is not null as has_known_part,
        coalesce(flat_input_tokens, step_input_tokens) as input_tokens,
        coalesce(flat_output_tokens, step_output_tokens) as output_tokens
    from numbers
)

select
    generation_id,
    created_at,
    case when user_id is not null then {{ user_key('user_id') }} end as user_key,
    job_id,
    coalesce({{ normalised_name('style') }}, 'unknown') as style,
    cast(case
        when difficulty_level >= {{ var('min_difficulty') }} and difficulty_level = round(difficulty_level, 0)
            then difficulty_level
    end as integer) as difficulty,
    is_success,
    case when not is_success then coalesce({{ error_pattern_value('error_pattern_place', 'error_category', patterns) }}, 'unknown') end
        as error_category,
    case
        when is_success then null
        when error_text is null then '(no message)'
        else coalesce({{ error_pattern_value('error_pattern_place', 'error_signature', patterns) }}, nullif({{ scrubbed('error_text') }}, ''), '(no message)')
    end as error_signature,
    {{ to_bigint('duration') }} as duration_ms,
    cast(vision_usd as numeric(18, 6)) as vision_cost_usd,
    cast(image_usd as numeric(18, 6)) as image_cost_usd,
    cast(storage_usd as numeric(18, 6)) as storage_cost_usd,
    cast(case
        when logged_total_usd is not null then logged_total_usd - parts_usd
        when has_known_part then 0
    end as numeric(18, 6)) as unattributed_cost_usd,
    cast(case
        when logged_total_usd is not null then logged_total_usd
        when has_known_part then parts_usd
    end as numeric(18, 6)) as total_cost_usd,
    case when is_tokens_plain then plain_input_tokens else {{ to_bigint('input_tokens') }} end as input_tokens,
    case when is_tokens_plain then plain_output_tokens else {{ to_bigint('output_tokens') }} end as output_tokens,
    case
        when is_tokens_plain then plain_total_tokens
        else {{ to_bigint('coalesce(
            flat_total_tokens,
            step_total_tokens + coalesce(step_untotalled_tokens, 0),
            input_tokens + output_tokens
        )') }}
    end as total_tokens,
    case
        when is_costs_null then 'no costs logged'
        when is_costs_plain then null
        when cost_fields is null then 'not JSON'
        when coalesce(vision_cost, image_cost, storage_cost, total_cost) is null
            then 'no amount in it'
    end as costs_problem,
    case
        when is_tokens_null then 'no tokens logged'
        when is_tokens_plain then null
        when token_fields is null then 'not JSON'
        when coalesce(input_count, output_count, total_count) is null
            and coalesce(step_input_tokens, step_output_tokens, step_total_tokens) is null
            and coalesce(unusable_step_inputs + unusable_step_outputs + unusable_step_totals, 0) = 0
            then 'no count in it'
    end as tokens_problem,
    nullif(concat_ws(
        ', ',
        case when vision_cost is not null and vision_usd is null then 'vision' end,
        case when image_cost is not null and image_usd is null then 'image' end,
        case when storage_cost is not null and storage_usd is null then 'storage' end,
        case when total_cost is not null and logged_total_usd is null then 'total' end
    ), '') as unusable_cost_names,
    nullif(concat_ws(
        ', ',
        case
            when input_count is not null and flat_input_tokens is null
                or unusable_step_inputs > 0 then 'input'
        end,
        case
            when output_count is not null and flat_output_tokens is null
                or unusable_step_outputs > 0 then 'output'
        end,
        case
            when total_count is not null and flat_total_tokens is null
                or unusable_step_totals > 0 then 'total'
        end
    ), '') as unusable_token_names,
    logged_total_usd is not null and has_known_part
    and abs(logged_total_usd - parts_usd) > 0.01 as has_cost_mismatch,
    has_outcome,
    error_text is not null as has_error_message
from resolved
