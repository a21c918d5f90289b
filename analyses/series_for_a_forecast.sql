-- From which days may a forecast learn? The complete ones, a row a day, days without generations included. Trap: the
-- running day and a cut first day pull a trend down, and in the first weeks everybody looks new.
select
    days.activity_date,
    extract(isodow from days.activity_date) as weekday,
    days.generation_count,
    days.daily_active_users,
    case when not days.has_older_users then days.new_users end as new_users
from {{ ref('daily_engagement') }} as days
where days.is_complete
order by days.activity_date
