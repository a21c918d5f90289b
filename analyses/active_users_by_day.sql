-- How many people are active: on the day, in 7 days, in 30 days, and how sticky is it? Trap: the spans are trailing and
-- null as long as they reach before the warehouse's first day; they do not add up over days, so read one day's.
select
    activity_date,
    daily_active_users,
    weekly_active_users,
    monthly_active_users,
    stickiness_ratio
from {{ ref('daily_engagement') }}
where is_complete
order by activity_date
