-- Does a first failure cost a user? Of the users whose first generation succeeded, and of those whose first one failed:
-- how many came back on a later day, within 7 days and ever. Only users who have had their 7 days.
with users as (
    select
        user_key,
        is_first_success,
        cast(first_generation_at as date) as first_date
    from {{ ref('dim_users') }}
    where cast(first_generation_at as date) <= (select max(activity_date) from {{ ref('daily_engagement') }}) - 8
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
    count(*) as user_count,
    {{ ratio('count(returns.user_key) filter (where returns.second_date <= users.first_date + 7)', 'count(*)') }}
        as returned_within_7_days_rate,
    {{ ratio('count(returns.user_key)', 'count(*)') }} as returned_ever_rate
from users
left join returns on users.user_key = returns.user_key
group by users.is_first_success
order by users.is_first_success desc
