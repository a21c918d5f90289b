-- How far do new users get? Of those whose first day the warehouse is sure of: a success on the first try, any
-- success, a second day, five days. Trap: users of the first 28 days may be older and are left out; users of the
-- last two weeks have had no time to come back and are left out, too.
with users as (
    select dim_users.*
    from {{ ref('dim_users') }} as dim_users
    inner join {{ ref('daily_engagement') }} as days
        on cast(dim_users.first_generation_at as date) = days.activity_date
    cross join {{ ref('warehouse_clock') }} as clock
    where not days.has_older_users and days.activity_date + 14 <= clock.last_complete_date
)

select
    count(*) as new_users,
    count(*) filter (where is_first_success) as users_with_first_success,
    count(*) filter (where success_count > 0) as users_with_success,
    count(*) filter (where active_days >= 2) as users_with_second_day,
    count(*) filter (where active_days >= 5) as users_with_five_days
from users
