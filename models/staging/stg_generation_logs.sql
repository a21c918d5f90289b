-- One row per row of the log, typed, unpacked, keyed and scrubbed; nothing is dropped and nothing is stored. What
-- cannot be used is null here, and the columns has_*, *_problem and unusable_* say why; generation_log_issues explains
-- it. How a row is read, step by step: base_log_rows, base_log_costs, base_log_tokens,
-- base_log_details, base_log_errors. No user id passes from here on, and no row of a user who was erased.
-- The functions that read documents are made from this seed:
-- depends_on: {{ ref('document_keys') }}
with log_rows as (
    {{ with_columns(ref('base_log_errors'), {'user_digest': user_digest('user_id')}) }}
)

select
    generation_id,
    created_at,
    {{ user_key('user_digest', 'erased.rekey') }} as user_key,
    job_id,
    style,
    style_as_logged,
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
    vision_input_tokens,
    vision_output_tokens,
    image_input_tokens,
    image_output_tokens,
    scene_type,
    photo_size_bytes,
    model_name as model,
    vision_ms,
    image_ms,
    storage_ms,
    costs_problem,
    tokens_problem,
    unusable_cost_names,
    unusable_token_names,
    has_cost_mismatch,
    has_unrecorded_cost,
    has_unusable_photo_size,
    has_unusable_timings,
    has_outcome,
    has_error_message,
    is_unreadable,
    row_hash
from log_rows
left join {{ ref('erased_users') }} as erased on {{ erasure_hash('log_rows.user_digest') }} = erased.erasure_hash
where {{ is_not_erased('log_rows.created_at') }}
