-- How much of the spend is that of few users? Trap: the tiers do not overlap; the tenth that spends most is
-- top_1_percent and next_9_percent together, which the running share says. It is cost, not revenue: the log knows no
-- prices.
with tiers as (
    select
        value_tier,
        count(*) as user_count,
        sum(total_cost_usd) as total_cost_usd
    from {{ ref('dim_users') }}
    group by value_tier
)

select
    value_tier,
    user_count,
    total_cost_usd,
    {{ ratio('total_cost_usd', 'sum(total_cost_usd) over ()') }} as share_of_cost_ratio,
    {{ ratio(
        "sum(total_cost_usd) over (order by case value_tier when 'top_1_percent' then 1 when 'next_9_percent' then 2 "
        ~ "else 3 end)",
        'sum(total_cost_usd) over ()'
    ) }} as running_share_ratio
from tiers
order by running_share_ratio
