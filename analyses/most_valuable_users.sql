-- Who are the most valuable users? The 20 who spent most, ever. Trap: valuable means what they cost, not what they
-- pay; who spent most may have left long ago.
with ranked as (
    select
        *,
        row_number() over (order by total_cost_usd desc, user_key) as spend_rank
    from {{ ref('dim_users') }}
)

select
    spend_rank,
    user_key,
    value_tier,
    lifecycle_stage,
    total_cost_usd,
    generation_count,
    success_count,
    active_days,
    favourite_style,
    last_generation_at
from ranked
where spend_rank <= 20
order by spend_rank
