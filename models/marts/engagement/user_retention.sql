{{ config(materialized='table', tags=['daily']) }}

with user_days as (
    select * from {{ ref('int_user_days') }}
),

first_days as (
    select
        user_key,
        cast(min(first_ever_at) as date) as first_date
    from user_days
    group by user_key
),

-- every period in which a user was active, counted from the cohort's
active_periods as (
    select
        'day' as cohort_grain,
        first_days.first_date as cohort_date,
        user_days.user_key,
        user_days.activity_date - first_days.first_date as period_number
    from user_days
    inner join first_days on user_days.user_key = first_days.user_key

    union all

    select distinct
        'week' as cohort_grain,
        cast(date_trunc('week', first_days.first_date) as date) as cohort_date,
        user_days.user_key,
        (cast(date_trunc('week', user_days.activity_date) as date) - cast(date_trunc('week', first_days.first_date) as date)) / 7
            as period_number
    from user_days
    inner join first_days on user_days.user_key = first_days.user_key
),

retained as (
    select
        cohort_grain,
        cohort_date,
        period_number,
        count(*) as retained_users
    from active_periods
    group by cohort_grain, cohort_date, period_number
),

last_periods as (
    select
        cohort_grain,
        cohort_date,
        user_key,
        max(period_number) as period_number
    from active_periods
    group by cohort_grain, cohort_date, user_key
),

-- users seen for the last time in this period
lost as (
    select
        cohort_grain,
        cohort_date,
        period_number,
        count(*) as lost_users
    from last_periods
    group by cohort_grain, cohort_date, period_number
),

cohorts as (
    select
        cohort_grain,
        cohort_date,
        count(*) as cohort_size
    from last_periods
    group by cohort_grain, cohort_date
),

-- every day and every week that has begun
periods as (
    select
        'day' as cohort_grain,
        activity_date as period_date
    from {{ ref('daily_engagement') }}

    union

    select
        'week' as cohort_grain,
        cast(date_trunc('week', activity_date) as date) as period_date
    from {{ ref('daily_engagement') }}
),

begun as (
    select
        cohorts.cohort_grain,
        cohorts.cohort_date,
        cohorts.cohort_size,
        (periods.period_date - cohorts.cohort_date) / case when cohorts.cohort_grain = 'week' then 7 else 1 end as period_number,
        periods.period_date
        + case when cohorts.cohort_grain = 'week' then interval '7' day else interval '1' day end <= {{ as_of() }} as is_complete
    from cohorts
    inner join periods
        on cohorts.cohort_grain = periods.cohort_grain
        and cohorts.cohort_date <= periods.period_date
        and (cohorts.cohort_grain = 'week' or periods.period_date <= cohorts.cohort_date + 90)
),

counted as (
    select
        begun.*,
        coalesce(retained.retained_users, 0) as retained_users,
        begun.cohort_size - coalesce(sum(lost.lost_users) over (
            partition by begun.cohort_grain, begun.cohort_date
            order by begun.period_number
            rows between unbounded preceding and 1 preceding
        ), 0) as retained_on_or_after_users
    from begun
    left join retained
        on begun.cohort_grain = retained.cohort_grain
        and begun.cohort_date = retained.cohort_date
        and begun.period_number = retained.period_number
    left join lost
        on begun.cohort_grain = lost.cohort_grain
        and begun.cohort_date = lost.cohort_date
        and begun.period_number = lost.period_number
)

select
    cohort_grain,
    cohort_date,
    cast(period_number as integer) as period_number,
    cohort_size,
    retained_users,
    case when is_complete then {{ ratio('retained_users', 'cohort_size') }} end as retention_rate,
    cast(retained_on_or_after_users as bigint) as retained_on_or_after_users,
    case when is_complete then {{ ratio('retained_on_or_after_users', 'cohort_size') }} end as unbounded_retention_rate,
    is_complete
from counted
