-- When do people come? Generations and distinct users of each hour, over the 7 days that end with the clock's. Trap:
-- the users of hours do not add up to the users of a day, and the last hour still runs.
select
    activity_hour,
    generation_count,
    active_users
from {{ ref('hourly_engagement') }}
where activity_hour >= (select max(activity_date) from {{ ref('daily_engagement') }}) - 6
order by activity_hour
