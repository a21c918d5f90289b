-- Of the weeks that this run has published: what is shown is what user_retention says, is none or enough users, and
-- leaves none or enough. What is not shown is so in all of a week together.
{{ config(tags=['daily']) }}

with published as (
    select * from {{ ref('weekly_retention') }}
    where published_at = (select run_at from {{ ref('int_log_window') }})
),

retention as (
    select
        cohort_date as cohort_week,
        cohort_date + 7 * period_number as activity_week,
        retained_users
    from {{ ref('user_retention') }}
    where cohort_grain = 'week'
),

published_weeks as (
    select distinct activity_week from published
),

cells as (
    select
        coalesce(published.activity_week, retention.activity_week) as activity_week,
        coalesce(published.cohort_week, retention.cohort_week) as cohort_week,
        coalesce(retention.retained_users, 0) as retained_users,
        published.cohort_size,
        published.retained_users as shown_users
    from retention
    full outer join published
        on retention.cohort_week = published.cohort_week and retention.activity_week = published.activity_week
    where coalesce(published.activity_week, retention.activity_week) in (select activity_week from published_weeks)
),

weeks as (
    select
        activity_week,
        sum(retained_users) as active_users,
        coalesce(sum(retained_users) filter (where shown_users is null), 0) as hidden_users
    from cells
    group by activity_week
)

select
    cells.*,
    weeks.active_users,
    weeks.hidden_users
from cells
inner join weeks on cells.activity_week = weeks.activity_week
where cells.shown_users != cells.retained_users
    or cells.shown_users between 1 and {{ var('share_min_users') - 1 }}
    or cells.cohort_size - cells.shown_users between 1 and {{ var('share_min_users') - 1 }}
    or (weeks.hidden_users between 1 and {{ var('share_min_users') - 1 }}
        and weeks.active_users >= {{ var('share_min_users') }})
