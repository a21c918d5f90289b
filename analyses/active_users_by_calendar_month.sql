-- How many people were active in each calendar month? Trap: monthly_active_users is the trailing 30 days of each
-- day, and the sum of daily users counts a person as often as they came. Months that the log holds from their first
-- to their last day are complete.
select
    cast(date_trunc('month', days.activity_date) as date) as month_date,
    count(distinct days.user_key) as active_users,
    bool_and(days.is_complete)
    and date_trunc('month', min(days.activity_date)) + interval '1' month - interval '1' day
        <= max(clock.last_complete_date)
    and date_trunc('month', min(days.activity_date)) >= max(clock.first_activity_date) as is_complete
from {{ ref('cost_by_user') }} as days
cross join {{ ref('warehouse_clock') }} as clock
group by cast(date_trunc('month', days.activity_date) as date)
order by month_date
