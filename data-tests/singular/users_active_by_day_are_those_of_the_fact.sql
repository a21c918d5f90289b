-- Active and new users are counted from int_user_days; here again from the single generations.
{{ config(tags=['daily']) }}

with by_day as (
    select
        activity_date,
        count(distinct user_key) as daily_active_users
    from {{ ref('fct_generations') }}
    group by activity_date
),

by_hour as (
    select
        cast(activity_hour as date) as activity_date,
        sum(new_users) as new_users
    from {{ ref('hourly_engagement') }}
    group by cast(activity_hour as date)
)

select
    daily.activity_date,
    daily.daily_active_users,
    daily.new_users
from {{ ref('daily_engagement') }} as daily
left join by_day on daily.activity_date = by_day.activity_date
left join by_hour on daily.activity_date = by_hour.activity_date
where daily.activity_date >= (select min(activity_date) from {{ ref('fct_generations') }})
    and {{ days_in_step('daily.activity_date') or 'true' }}
    and (
        daily.daily_active_users != coalesce(by_day.daily_active_users, 0)
        or daily.new_users != coalesce(by_hour.new_users, 0)
    )
