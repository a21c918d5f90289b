-- The cohorts of a grain together are all users, but for those of whom some are forgotten; and in its own period a
-- cohort is whole.
{{ config(tags=['daily']) }}
{%- set remembered = remembered_from() %}

with users as (
    select
        'day' as cohort_grain,
        count(*) as user_count
    from {{ ref('dim_users') }}
    where cast(first_generation_at as date) >= {{ remembered }}

    union all

    select
        'week' as cohort_grain,
        count(*) as user_count
    from {{ ref('dim_users') }}
    where cast(date_trunc('week', first_generation_at) as date) >= {{ remembered }}
),

cohorts as (
    select
        cohort_grain,
        sum(cohort_size) as users_in_cohorts,
        sum(retained_users) as users_in_their_own_period,
        sum(retained_on_or_after_users) as users_on_or_after
    from {{ ref('user_retention') }}
    where period_number = 0
        and cohort_date >= {{ remembered }}
    group by cohort_grain
)

select
    users.cohort_grain,
    users.user_count,
    cohorts.users_in_cohorts,
    cohorts.users_in_their_own_period,
    cohorts.users_on_or_after
from users
left join cohorts on users.cohort_grain = cohorts.cohort_grain
-- of users and cohorts that were made of different days nothing is compared
where {{ days_in_step("date '9999-12-31'") or 'true' }}
    and (
        users.user_count != coalesce(cohorts.users_in_cohorts, 0)
        or cohorts.users_in_their_own_period != cohorts.users_in_cohorts
        or cohorts.users_on_or_after != cohorts.users_in_cohorts
    )
