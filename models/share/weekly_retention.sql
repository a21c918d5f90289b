-- Retention by weekly cohort for people outside. A cohort is shown if it is large enough and its week says no more than
-- that; how many of it came in a later week, unless few did or all but few. The numbers of a week's users in
-- weekly_generations could give a hidden one away by subtraction, so of each week as many are hidden as tell of enough
-- users together. A week is published once and never again; a cohort keeps the size that was published first.
{{ config(pre_hook="{{ planned_with_hashes() }}") }}

with periods as (
    select
        cohort_date as cohort_week,
        cohort_date + 7 * period_number as activity_week,
        cohort_size,
        retained_users
    from {{ ref('user_retention') }}
    where cohort_grain = 'week'
),

weeks as (
    select activity_week
    from {{ ref('int_whole_weeks') }}
    {%- if is_incremental() %}
    where activity_week > (select coalesce(max(activity_week), date '1000-01-01') from {{ this }})
    {%- endif %}
),

older_users as (
    select
        activity_week,
        sum(cohort_size) as cohort_size,
        sum(retained_users) as retained_users
    from periods
    where cohort_week < activity_week
    group by activity_week
),

users_of_weeks as (
    select
        weeks.activity_week,
        coalesce(new_users.cohort_size, 0) as new_users,
        coalesce(older_users.retained_users, 0) as older_users,
        coalesce(older_users.cohort_size, 0) as all_older_users
    from weeks
    left join periods as new_users
        on weeks.activity_week = new_users.activity_week and weeks.activity_week = new_users.cohort_week
    left join older_users on weeks.activity_week = older_users.activity_week
),

-- who knows a week's users and its new ones knows the older ones
cohorts as (
    select
        activity_week as cohort_week,
        cast(new_users as bigint) as cohort_size
    from users_of_weeks
    where new_users >= {{ var('share_min_users') }}
        and {{ is_safe_part('older_users', 'all_older_users') }}
    {%- if is_incremental() %}

    union all

    select
        cohort_week,
        cohort_size
    from {{ this }}
    where cohort_week = activity_week and cohort_size is not null
    {%- endif %}
),

cells as (
    select
        weeks.activity_week,
        cohorts.cohort_week,
        cohorts.cohort_size,
        coalesce(periods.retained_users, 0) as retained_users
    from weeks
    inner join cohorts on weeks.activity_week > cohorts.cohort_week
    left join periods
        on weeks.activity_week = periods.activity_week and cohorts.cohort_week = periods.cohort_week
),

-- first of all who is never shown, in one; then the cells that may not be shown; then the others, the smallest first
parts as (
    select
        weeks.activity_week,
        cast(null as date) as cohort_week,
        coalesce(sum(periods.cohort_size), 0) as cohort_size,
        coalesce(sum(periods.retained_users), 0) as retained_users,
        0 as kind
    from weeks
    left join periods
        on weeks.activity_week = periods.activity_week
        and periods.cohort_week not in (select cohort_week from cohorts)
    group by weeks.activity_week

    union all

    select
        activity_week,
        cohort_week,
        cohort_size,
        retained_users,
        case when {{ is_safe_part('retained_users', 'cohort_size') }} then 2 else 1 end as kind
    from cells
),

first_parts as (
    select
        activity_week,
        cohort_week,
        row_number() over up_to_here as place,
        sum(cohort_size) over up_to_here as cohort_size,
        sum(retained_users) over up_to_here as retained_users,
        count(*) filter (where kind < 2) over (partition by activity_week) as unsafe_count
    from parts
    window up_to_here as (partition by activity_week order by kind, retained_users, cohort_week)
),

hidden as (
    select
        activity_week,
        min(place) as last_place
    from first_parts
    where place >= unsafe_count and {{ is_safe_part('retained_users', 'cohort_size') }}
    group by activity_week
),

shown as (
    select
        cells.cohort_week,
        cells.activity_week,
        cells.cohort_size,
        case when first_parts.place > hidden.last_place then cells.retained_users end as retained_users
    from cells
    inner join first_parts
        on cells.activity_week = first_parts.activity_week and cells.cohort_week = first_parts.cohort_week
    left join hidden on cells.activity_week = hidden.activity_week

    union all

    -- each week has the row of its own cohort, also where that is never shown
    select
        weeks.activity_week as cohort_week,
        weeks.activity_week,
        cohorts.cohort_size,
        cohorts.cohort_size as retained_users
    from weeks
    left join cohorts on weeks.activity_week = cohorts.cohort_week
)

select
    cohort_week,
    activity_week,
    cast((activity_week - cohort_week) / 7 as integer) as period_number,
    cast(cohort_size as bigint) as cohort_size,
    cast(retained_users as bigint) as retained_users,
    {{ ratio('retained_users', 'cohort_size') }} as retention_rate,
    {{ has_older_users('cohort_week') }} as has_older_users,
    (select run_at from {{ ref('int_log_window') }}) as published_at
from shown
