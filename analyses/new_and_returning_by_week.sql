-- Who was active in each ISO week: new, returning, resurrected users, and who was not any more? Trap: the columns are
-- trailing weeks of every day; a Sunday's are those of its ISO week, and adding days up counts everybody seven times.
select
    activity_date - 6 as week_date,
    weekly_active_users,
    weekly_new_users,
    weekly_returning_users,
    weekly_resurrected_users,
    weekly_dormant_users,
    has_older_users
from {{ ref('daily_engagement') }}
where extract(isodow from activity_date) = 7 and is_complete
order by activity_date
