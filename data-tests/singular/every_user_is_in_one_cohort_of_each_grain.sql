-- The cohorts of a grain together are all users, and in its own period a cohort is whole.
{{ config(tags=['daily']) }}

select
    cohort_grain,
    sum(cohort_size) as users_in_cohorts,
    sum(retained_users) as users_in_their_own_period,
    sum(retained_on_or_after_users) as users_on_or_after
from {{ ref('user_retention') }}
where period_number = 0
group by cohort_grain
having sum(cohort_size) != (select count(*) from {{ ref('dim_users') }})
    or sum(retained_users) != sum(cohort_size)
    or sum(retained_on_or_after_users) != sum(cohort_size)
