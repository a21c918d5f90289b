-- What comes before the common part of by_hand.sql on PostgreSQL: the clock, the fact and the issues, read from the
-- application's own table. There each `create table` becomes a materialized view; the seeds and the salt are tables.

create table clock as
select
    max(created_at) as as_of,
    min(created_at) as held_from
from public.generation_logs;

create table fct_generations as
with numbers as (
    select
        *,
        cast(costs ->> 'vision' as numeric(18, 6)) as vision_usd,
        cast(costs ->> 'image' as numeric(18, 6)) as image_usd,
        cast(costs ->> 'total' as numeric(18, 6)) as total_usd,
        cast(tokens ->> 'vision_input' as bigint) as vision_input_tokens,
        cast(tokens ->> 'vision_output' as bigint) as vision_output_tokens,
        cast(tokens ->> 'image_input' as bigint) as image_input_tokens,
        cast(tokens ->> 'image_output' as bigint) as image_output_tokens
    from public.generation_logs
    -- the zeros of a failure say nothing
    where success or cast(costs ->> 'total' as numeric) > 0

    union all

    select
        *,
        null, null, null, null, null, null, null
    from public.generation_logs
    where not success and cast(costs ->> 'total' as numeric) = 0
    offset 0
)

select
    id as generation_id,
    cast(created_at as date) as activity_date,
    cast(left(encode(sha256(convert_to((select salt from salt) || cast(user_id as text), 'UTF8')), 'hex'), 32) as uuid) as user_key,
    job_id,
    coalesce(lower(replace(replace(style, '_', ' '), '-', ' ')), 'unknown') as style,
    difficulty,
    success as is_success,
    case when not success then coalesce(known.error_category, 'unknown') end as error_category,
    case when not success then coalesce(known.error_signature, warehouse_internal.scrubbed(error_message)) end as error_signature,
    case when duration_ms <= 86400000 then cast(duration_ms as bigint) end as duration_ms,
    vision_usd as vision_cost_usd,
    image_usd as image_cost_usd,
    cast(null as numeric(18, 6)) as storage_cost_usd,
    cast(total_usd - vision_usd - image_usd as numeric(18, 6)) as unattributed_cost_usd,
    total_usd as total_cost_usd,
    vision_input_tokens + image_input_tokens as input_tokens,
    vision_output_tokens + image_output_tokens as output_tokens,
    vision_input_tokens + image_input_tokens + vision_output_tokens + image_output_tokens as total_tokens,
    created_at,
    date_trunc('hour', created_at) as activity_hour,
    vision_input_tokens,
    vision_output_tokens,
    image_input_tokens,
    image_output_tokens,
    cast(null as text) as scene_type,
    cast(null as bigint) as photo_size_bytes,
    cast(null as text) as model,
    cast(null as bigint) as vision_ms,
    cast(null as bigint) as image_ms,
    cast(null as bigint) as storage_ms,
    cast(created_at as date) + interval '1 day' <= (select as_of from clock)
    and cast(created_at as date) >= (select held_from from clock) as is_complete
from numbers
left join error_patterns as known
    on case when not success then warehouse_internal.error_pattern(error_message) end = known.position;

create table generation_log_issues as
with issues as (
    select
        id,
        created_at,
        user_id,
        'invalid_difficulty' as issue,
        'difficulty is missing, no integer, or out of range' as detail
    from public.generation_logs
    where difficulty is null

    union all

    select
        id,
        created_at,
        user_id,
        'invalid_duration' as issue,
        'duration_ms is missing, no number, negative, or above a day' as detail
    from public.generation_logs
    where duration_ms > 86400000

    union all

    select
        id,
        created_at,
        user_id,
        'unrecorded_cost' as issue,
        'a failure whose costs are all zero: unknown' as detail
    from public.generation_logs
    where not success and cast(costs ->> 'total' as numeric) = 0
)

select
    cast(created_at as date) as activity_date,
    id as generation_id,
    created_at,
    issue,
    'counted' as disposition,
    cast(1 as bigint) as row_count,
    cast(left(encode(sha256(convert_to((select salt from salt) || cast(user_id as text), 'UTF8')), 'hex'), 32) as uuid) as user_key,
    detail,
    cast(created_at as date) + interval '1 day' <= (select as_of from clock)
    and cast(created_at as date) >= (select held_from from clock) as is_complete
from issues;

