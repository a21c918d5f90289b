-- How many people use the service a little, some, a lot? Users by their generations in 28 whole days, and what share of
-- the cost is theirs. Trap: dim_users counts since ever, so its heavy users may have left long ago.
with users as (
    select
        user_key,
        sum(days.generation_count) as generation_count,
        sum(days.total_cost_usd) as total_cost_usd
    from {{ ref('cost_by_user') }} as days
    cross join {{ ref('warehouse_clock') }} as clock
    where days.activity_date between clock.last_complete_date - 27 and clock.last_complete_date
    group by user_key
),

bands as (
    select
        *,
        case when generation_count <= 2 then '1 to 2' when generation_count <= 10 then '3 to 10' else 'more than 10' end
            as generations
    from users
)

select
    generations,
    count(*) as user_count,
    sum(generation_count) as generation_count,
    {{ ratio('sum(total_cost_usd)', 'sum(sum(total_cost_usd)) over ()') }} as share_of_cost_ratio
from bands
group by generations
order by min(generation_count)
