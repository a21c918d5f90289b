{%- set first_date = first_period('activity_date', '1 day') %}

with user_days as (
    select
        user_key,
        activity_date,
        cast(first_ever_at as date) = activity_date as is_first_day,
        lead(activity_date) over (partition by user_key order by activity_date) as next_date
    from {{ ref('int_user_days') }}
    -- the longest span, 30 days, of the first day
    where activity_date >= cast({{ first_date }} as date) - 29
),

days as (
    select cast(every_day.activity_date as date) as activity_date
    from generate_series(
        {{ first_date }} - interval '29' day, {{ as_of() }}, interval '1 day'
    ) as every_day (activity_date)
),

generations as (
    select
        activity_date,
        count(*) as generation_count
    from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
    group by activity_date
),

-- from each active day to the user's next one; few rows, however many users
steps as (
    select
        activity_date,
        next_date,
        count(*) as users,
        count(*) filter (where is_first_day) as new_users
    from user_days
    group by activity_date, next_date
),

-- A user counts in a trailing span of n days from each active day until the next one, or until the span has passed.
-- Who enters and who leaves on each day, summed up from the first day on, is the number of distinct users in the span.
changes as (
    select
        activity_date as change_date,
        users as entering,
        new_users,
        0 as leaving_7,
        0 as leaving_14,
        0 as leaving_30
    from steps
    {%- for span in [7, 14, 30] %}

    union all

    select
        least(next_date, activity_date + {{ span }}) as change_date,
        0 as entering,
        0 as new_users,
        {%- for other in [7, 14, 30] %}
        {{ 'users' if other == span else '0' }} as leaving_{{ other }}{{ ',' if not loop.last }}
        {%- endfor %}
    from steps
    {%- endfor %}
),

changes_by_day as (
    select
        days.activity_date,
        coalesce(sum(changes.entering), 0) as daily_active_users,
        coalesce(sum(changes.new_users), 0) as new_users,
        coalesce(sum(changes.entering - changes.leaving_7), 0) as change_7,
        coalesce(sum(changes.entering - changes.leaving_14), 0) as change_14,
        coalesce(sum(changes.entering - changes.leaving_30), 0) as change_30
    from days
    left join changes on days.activity_date = changes.change_date
    group by days.activity_date
),

trailing_users as (
    select
        activity_date,
        daily_active_users,
        new_users,
        sum(new_users) over (order by activity_date rows between 6 preceding and current row) as weekly_new_users,
        sum(change_7) over (order by activity_date rows unbounded preceding) as weekly_active_users,
        sum(change_14) over (order by activity_date rows unbounded preceding) as fortnightly_active_users,
        sum(change_30) over (order by activity_date rows unbounded preceding) as monthly_active_users
    from changes_by_day
),

-- Active in both weeks are those of this week and those of the week before less those of the two together; nobody whose
-- first generation lies in this week is among them.
weeks as (
    select
        *,
        coalesce(lag(weekly_active_users, 7) over (order by activity_date), 0) as earlier_weekly_active_users,
        weekly_active_users + coalesce(lag(weekly_active_users, 7) over (order by activity_date), 0)
        - fortnightly_active_users as weekly_returning_users,
        -- a span that reaches before the warehouse's first day would count too few, and too many as new
        {{ knows_days_before('activity_date', 6) }} as knows_week,
        {{ knows_days_before('activity_date', 13) }} as knows_two_weeks,
        {{ knows_days_before('activity_date', 29) }} as knows_month
    from trailing_users
)

select
    weeks.activity_date,
    cast(weeks.daily_active_users as bigint) as daily_active_users,
    cast(case when weeks.knows_week then weeks.weekly_active_users end as bigint) as weekly_active_users,
    cast(case when weeks.knows_month then weeks.monthly_active_users end as bigint) as monthly_active_users,
    case when weeks.knows_month then {{ ratio('weeks.daily_active_users', 'weeks.monthly_active_users') }} end
        as stickiness_ratio,
    cast(weeks.new_users as bigint) as new_users,
    cast(case when weeks.knows_two_weeks then weeks.weekly_new_users end as bigint) as weekly_new_users,
    cast(case when weeks.knows_two_weeks then weeks.weekly_returning_users end as bigint) as weekly_returning_users,
    cast(case
        when weeks.knows_two_weeks
            then weeks.weekly_active_users - weeks.weekly_returning_users - weeks.weekly_new_users
    end as bigint) as weekly_resurrected_users,
    cast(case
        when weeks.knows_two_weeks then weeks.earlier_weekly_active_users - weeks.weekly_returning_users
    end as bigint) as weekly_dormant_users,
    coalesce(generations.generation_count, 0) as generation_count,
    {{ ratio('coalesce(generations.generation_count, 0)', 'weeks.daily_active_users') }} as generations_per_active_user,
    {{ has_older_users('weeks.activity_date') }} as has_older_users,
    {{ is_complete('weeks.activity_date', "'1' day") }} as is_complete
from weeks
left join generations on weeks.activity_date = generations.activity_date
where weeks.activity_date >= cast({{ first_date }} as date)
