-- What have the users of each weekly cohort cost so far? Trap: cohorts of the first four weeks hold older users, so
-- their cost a head is no forecast for later ones; young cohorts have had less time, so compare the same number of
-- weeks.
with users as (
    select
        user_key,
        cast(date_trunc('week', first_generation_at) as date) as cohort_date
    from {{ ref('dim_users') }}
),

weeks as (
    select
        users.cohort_date,
        cast(
            (cast(date_trunc('week', days.activity_date) as date) - users.cohort_date) / 7 as integer
        ) as period_number,
        sum(days.total_cost_usd) as total_cost_usd
    from users
    inner join {{ ref('cost_by_user') }} as days on users.user_key = days.user_key
    group by
        users.cohort_date,
        cast((cast(date_trunc('week', days.activity_date) as date) - users.cohort_date) / 7 as integer)
)

select
    cohorts.cohort_date,
    cohorts.period_number,
    cohorts.cohort_size,
    {{ ratio(
        'sum(coalesce(weeks.total_cost_usd, 0)) over (partition by cohorts.cohort_date order by cohorts.period_number)',
        'cohorts.cohort_size'
    ) }} as cost_per_user_to_date_usd,
    cohorts.has_older_users
from {{ ref('user_retention') }} as cohorts
left join weeks
    on cohorts.cohort_date = weeks.cohort_date
    and cohorts.period_number = weeks.period_number
where cohorts.cohort_grain = 'week' and cohorts.is_complete
order by cohorts.cohort_date, cohorts.period_number
