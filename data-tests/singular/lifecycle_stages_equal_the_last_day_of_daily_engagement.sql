-- In every run that makes the users; later runs that leave them out go on with the days.
{{ config(tags=['daily']) }}

with stages as (
    select
        count(*) as all_users,
        count(lifecycle_stage) as users_with_a_stage,
        count(*) filter (where lifecycle_stage = 'new') as new_users,
        count(*) filter (where lifecycle_stage = 'returning') as returning_users,
        count(*) filter (where lifecycle_stage = 'resurrected') as resurrected_users,
        count(*) filter (where lifecycle_stage = 'dormant') as dormant_users
    from {{ ref('dim_users') }}
)

select
    stages.*,
    last_day.*
from {{ ref('daily_engagement') }} as last_day
cross join stages
where last_day.activity_date = (select max(activity_date) from {{ ref('daily_engagement') }})
    and {{ days_in_step('last_day.activity_date') or 'true' }}
    and (
        stages.users_with_a_stage != case when last_day.weekly_new_users is null then 0 else stages.all_users end
        or stages.new_users != last_day.weekly_new_users
        or stages.returning_users != last_day.weekly_returning_users
        or stages.resurrected_users != last_day.weekly_resurrected_users
        or stages.dormant_users != last_day.weekly_dormant_users
    )
