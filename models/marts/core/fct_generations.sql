-- The last of the models made from the log to be replaced, because its newest day is the watermark of all of them:
-- depends_on: {{ ref('generation_log_issues') }}, {{ ref('int_style_spellings') }}
{{ config(meta={'follows_log': true}, post_hook="{{ record_days() }}") }}

with generations as (
    select * from {{ ref('int_log_dispositions') }}
    where disposition = 'counted'
)

select
    generation_id,
    activity_date,
    user_key,
    job_id,
    style,
    difficulty,
    is_success,
    error_category,
    error_signature,
    duration_ms,
    vision_cost_usd,
    image_cost_usd,
    storage_cost_usd,
    unattributed_cost_usd,
    total_cost_usd,
    input_tokens,
    output_tokens,
    total_tokens,
    created_at,
    date_trunc('hour', created_at) as activity_hour,
    vision_input_tokens,
    vision_output_tokens,
    image_input_tokens,
    image_output_tokens,
    scene_type,
    photo_size_bytes,
    model,
    vision_ms,
    image_ms,
    storage_ms,
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from generations
