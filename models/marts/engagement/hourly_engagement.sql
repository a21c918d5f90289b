{{ config(event_time='activity_hour') }}

{%- set first_date = rebuild_from() %}

with generations as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ first_date }}
),

hours as (
    select activity_hour
    from generate_series(
        {{ first_period('activity_hour', '1 hour') }}, {{ as_of() }}, interval '1 hour'
    ) as every_hour (activity_hour)
),

activity as (
    select
        activity_hour,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count,
        count(*) filter (where not is_success) as failure_count,
        count(distinct user_key) as active_users,
        sum(total_cost_usd) as total_cost_usd,
        count(total_cost_usd) as costed_generation_count
    from generations
    group by activity_hour
),

-- a user is new in the hour of the first generation ever
newcomers as (
    select
        date_trunc('hour', first_ever_at) as activity_hour,
        count(*) as new_users
    from {{ ref('int_user_days') }}
    where activity_date >= {{ first_date }}
        and first_generation_at = first_ever_at
    group by date_trunc('hour', first_ever_at)
)

select
    hours.activity_hour,
    coalesce(activity.generation_count, 0) as generation_count,
    coalesce(activity.success_count, 0) as success_count,
    coalesce(activity.failure_count, 0) as failure_count,
    coalesce(activity.active_users, 0) as active_users,
    coalesce(newcomers.new_users, 0) as new_users,
    cast(coalesce(activity.total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
    coalesce(activity.costed_generation_count, 0) as costed_generation_count,
    {{ is_complete('hours.activity_hour', "'1' hour") }} as is_complete
from hours
left join activity on hours.activity_hour = activity.activity_hour
left join newcomers on hours.activity_hour = newcomers.activity_hour
