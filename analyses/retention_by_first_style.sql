-- Does the style of the first generation matter for coming back? Users who have had their 7 days, by their first
-- style. Trap: who was there before the warehouse's first day comes back more often and would look like a loyal
-- newcomer; those of the first 28 days are left out, and counted beside.
with users as (
    select
        dim_users.user_key,
        dim_users.first_style,
        cast(dim_users.first_generation_at as date) as first_date,
        days.has_older_users
    from {{ ref('dim_users') }} as dim_users
    inner join {{ ref('daily_engagement') }} as days
        on cast(dim_users.first_generation_at as date) = days.activity_date
    cross join {{ ref('warehouse_clock') }} as clock
    where cast(dim_users.first_generation_at as date) + 7 <= clock.last_complete_date
),

returns as (
    select distinct users.user_key
    from users
    inner join {{ ref('cost_by_user') }} as days
        on users.user_key = days.user_key
        and users.first_date < days.activity_date
        and users.first_date + 7 >= days.activity_date
)

select
    users.first_style,
    count(*) filter (where not users.has_older_users) as user_count,
    {{ ratio(
        'count(returns.user_key) filter (where not users.has_older_users)',
        'count(*) filter (where not users.has_older_users)'
    ) }} as returned_within_7_days_rate,
    count(*) filter (where users.has_older_users) as left_out_user_count
from users
left join returns on users.user_key = returns.user_key
group by users.first_style
order by user_count desc, users.first_style
