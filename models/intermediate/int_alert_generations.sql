-- The generations of the windows that this run judges, from the recent log alone and counted as in fct_generations. The next
-- run replaces them.
{{ config(tags=['alerts']) }}

with log as {{ computed_once() }} (
    select * from {{ ref('stg_generation_logs') }}
    where created_at between {{ generations_from() }} and {{ alerts_as_of() }}
        and created_at <= {{ latest_created_at() }}
        and generation_id is not null
),

placed as (
    select
        log.*,
        row_number() over (
            partition by log.generation_id, cast(log.created_at as date)
            order by
                {{ repeat_order('log') }}
        ) as place
    from log
)

select
    generation_id,
    created_at,
    user_key,
    is_success,
    error_category,
    duration_ms,
    total_cost_usd
from placed
where place = 1
