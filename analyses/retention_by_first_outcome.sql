-- Does a first failure cost a user? Of the users whose first generation succeeded, and of those whose first one
-- failed: how many came back on a later day, within 7 days and ever. Only users who have had their 7 days, and only
-- of days whose new users are new: those who may be older than the warehouse are counted beside. Trap: older users
-- come back more often and would look like newcomers.
with users as (
    select
        dim_users.user_key,
        dim_users.is_first_success,
        cast(dim_users.first_generation_at as date) as first_date,
        days.has_older_users
    from {{ ref('dim_users') }} as dim_users
    inner join {{ ref('daily_engagement') }} as days
        on cast(dim_users.first_generation_at as date) = days.activity_date
    where
        cast(dim_users.first_generation_at as date)
        <= (select max(activity_date) from {{ ref('daily_engagement') }}) - 8
),

returns as (
    select
        users.user_key,
        min(days.activity_date) as second_date
    from users
    inner join {{ ref('cost_by_user') }} as days
        on users.user_key = days.user_key
        and users.first_date < days.activity_date
    group by users.user_key
)

select
    users.is_first_success,
    count(*) filter (where not users.has_older_users) as user_count,
    {{ ratio(
        'count(returns.user_key) filter (where not users.has_older_users'
        ' and returns.second_date <= users.first_date + 7)',
        'count(*) filter (where not users.has_older_users)'
    ) }} as returned_within_7_days_rate,
    {{ ratio(
        'count(returns.user_key) filter (where not users.has_older_users)',
        'count(*) filter (where not users.has_older_users)'
    ) }} as returned_ever_rate,
    count(*) filter (where users.has_older_users) as left_out_user_count
from users
left join returns on users.user_key = returns.user_key
group by users.is_first_success
order by users.is_first_success desc
