-- What does an active user cost, by week? Trap: users of days do not add up to users of a week; count them again.
-- What is spent on rows that name no user is in no row of cost_by_user, so this is less than all that was spent.
select
    cast(date_trunc('week', activity_date) as date) as week_date,
    count(distinct user_key) as active_users,
    sum(total_cost_usd) as total_cost_usd,
    {{ ratio('sum(total_cost_usd)', 'count(distinct user_key)') }} as cost_per_active_user_usd,
    bool_and(is_complete) as is_complete
from {{ ref('cost_by_user') }}
group by cast(date_trunc('week', activity_date) as date)
order by week_date
