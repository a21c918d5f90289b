{{ config(materialized='table', tags=['daily']) }}

{%- set remembered = remembered_from() %}

-- Of older cohorts users are forgotten one by one: they stay as they were while all of their users were known.
with older_cohorts as (
    select * from {{ as_left_by_earlier_runs('marts', 'user_retention', {
        'cohort_grain': 'text',
        'cohort_date': 'date',
        'period_number': 'integer',
        'cohort_size': 'bigint',
        'retained_users': 'bigint',
        'retention_rate': 'double precision',
        'retained_on_or_after_users': 'bigint',
        'unbounded_retention_rate': 'double precision',
        'has_older_users': 'boolean',
        'is_complete': 'boolean',
    }) }} as left_behind
    where cohort_date < {{ remembered }}
        {%- if flags.FULL_REFRESH %} and false{% endif %}
),

user_days as (
    select
        activity_date,
        cast(min(first_ever_at) over (partition by user_key) as date) as first_date,
        lead(activity_date) over (partition by user_key order by activity_date) as next_date
    from {{ ref('int_user_days') }}
),

-- from each active day of a cohort's users to their next one; few rows, however many users
steps as (
    select
        first_date,
        activity_date,
        next_date,
        count(*) as users
    from user_days
    group by first_date, activity_date, next_date
),

active as (
    select
        'day' as cohort_grain,
        first_date as cohort_date,
        activity_date as period_date,
        users,
        next_date is null as is_last
    from steps

    union all

    -- the last day that a user was active in a week counts for the week
    select
        'week' as cohort_grain,
        cast(date_trunc('week', first_date) as date) as cohort_date,
        cast(date_trunc('week', activity_date) as date) as period_date,
        users,
        next_date is null as is_last
    from steps
    where next_date is null
        or date_trunc('week', next_date) > date_trunc('week', activity_date)
),

counted as (
    select
        cohort_grain,
        cohort_date,
        period_date,
        cast(sum(users) as bigint) as retained_users,
        -- seen for the last time in this period
        cast(coalesce(sum(users) filter (where is_last), 0) as bigint) as lost_users
    from active
    group by cohort_grain, cohort_date, period_date
),

cohorts as (
    select
        cohort_grain,
        cohort_date,
        cast(sum(lost_users) as bigint) as cohort_size
    from counted
    where cohort_date >= {{ remembered }}
        or not exists (
            select 1 from older_cohorts
            where older_cohorts.cohort_grain = counted.cohort_grain and older_cohorts.cohort_date = counted.cohort_date
        )
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
        (periods.period_date - cohorts.cohort_date)
        / case when cohorts.cohort_grain = 'week' then 7 else 1 end as period_number,
        coalesce(counted.retained_users, 0) as retained_users,
        cohorts.cohort_size - coalesce(sum(counted.lost_users) over (
            partition by cohorts.cohort_grain, cohorts.cohort_date
            order by periods.period_date
            rows between unbounded preceding and 1 preceding
        ), 0) as retained_on_or_after_users,
        case
            when cohorts.cohort_grain = 'week' then {{ is_complete('periods.period_date', "'7' day") }}
            else {{ is_complete('periods.period_date', "'1' day") }}
        end as is_complete
    from cohorts
    inner join periods
        on cohorts.cohort_grain = periods.cohort_grain
        and cohorts.cohort_date <= periods.period_date
        and (cohorts.cohort_grain = 'week' or periods.period_date <= cohorts.cohort_date + 90)
    left join counted
        on cohorts.cohort_grain = counted.cohort_grain
        and cohorts.cohort_date = counted.cohort_date
        and periods.period_date = counted.period_date
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
    {{ has_older_users('cohort_date') }} as has_older_users,
    is_complete
from begun
-- of a small one that is no longer made, each user could be told apart
where cohort_date >= {{ remembered }} or cohort_size >= {{ var('share_min_users') }}

union all

select * from older_cohorts
where cohort_size >= {{ var('share_min_users') }}
