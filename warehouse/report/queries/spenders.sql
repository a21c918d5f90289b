select
    value_tier,
    count(*) as user_count,
    sum(generation_count) as generation_count,
    sum(total_cost_usd) as total_cost_usd
from warehouse_marts.dim_users
group by value_tier
