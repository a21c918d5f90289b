-- Which valuable users are being lost? The tenth that has spent most and was not here this week. Trap: dormant means
-- one week without a generation, which for many is usual; inactive means two.
select
    user_key,
    value_tier,
    lifecycle_stage,
    total_cost_usd,
    last_generation_at,
    favourite_style
from {{ ref('dim_users') }}
where value_tier in ('top_1_percent', 'next_9_percent') and lifecycle_stage in ('dormant', 'inactive')
order by total_cost_usd desc, user_key
