{{ config(materialized='table', tags=['daily']) }}

with clock as (
    select cast(as_of as date) as today from {{ ref('int_log_window') }}
),

user_days as (
    select
        days.*,
        -- as it will be once this run has trimmed the day
        case when rare_names.name is null then days.first_style else '(other)' end as lasting_style,
        clock.today
    from {{ ref('int_user_days') }} as days
    cross join clock
    left join {{ ref('int_rare_names') }} as rare_names
        on rare_names.kind = 'style'
        and days.activity_date = rare_names.activity_date
        and days.first_style = rare_names.name
),

users as (
    select
        user_key,
        min(first_ever_at) as first_generation_at,
        max(last_generation_at) as last_generation_at,
        count(*) as active_days,
        cast(sum(generation_count) as bigint) as generation_count,
        cast(sum(success_count) as bigint) as success_count,
        cast(sum(total_cost_usd) as numeric(18, 6)) as total_cost_usd,
        -- of generations at the very same instant, one that succeeded is enough
        coalesce(min(first_success_at) = min(first_ever_at), false) as is_first_success,
        max(lasting_style) filter (where first_generation_at = first_ever_at) as first_style,
        -- the last two weeks, as in daily_engagement
        coalesce(bool_or(activity_date > today - 7), false) as was_active_this_week,
        coalesce(bool_or(
            activity_date > today - 14 and activity_date <= today - 7
        ), false) as was_active_week_before
    from user_days
    group by user_key
),

-- in the days that the fact holds: its retention, whether or not this run has trimmed it yet
user_styles as (
    select
        user_key,
        style,
        count(*) as generation_count,
        max(created_at) as last_at
    from {{ ref('fct_generations') }}
    cross join clock
    where user_key is not null
        and activity_date > today - {{ var('log_retention_days') }}
    group by user_key, style
),

styles_by_preference as (
    select
        user_key,
        style,
        row_number() over (
            partition by user_key order by generation_count desc, last_at desc, style collate "C"
        ) as place
    from user_styles
),

ranked as (
    select
        *,
        row_number() over (order by total_cost_usd desc, user_key) as spend_rank,
        count(*) over () as user_count
    from users
)

select
    ranked.user_key,
    ranked.first_generation_at,
    ranked.last_generation_at,
    ranked.active_days,
    ranked.generation_count,
    ranked.success_count,
    ranked.total_cost_usd,
    ranked.is_first_success,
    styles_by_preference.style as favourite_style,
    -- rank <= ceil(user_count / 100), in whole numbers
    case
        when ranked.total_cost_usd = 0 then 'standard'
        when (ranked.spend_rank - 1) * 100 < ranked.user_count then 'top_1_percent'
        when (ranked.spend_rank - 1) * 10 < ranked.user_count then 'next_9_percent'
        else 'standard'
    end as value_tier,
    case
        when not {{ knows_days_before('clock.today', 13) }} then null
        when ranked.was_active_this_week and cast(ranked.first_generation_at as date) > clock.today - 7 then 'new'
        when ranked.was_active_this_week and ranked.was_active_week_before then 'returning'
        when ranked.was_active_this_week then 'resurrected'
        when ranked.was_active_week_before then 'dormant'
        else 'inactive'
    end as lifecycle_stage,
    ranked.first_style
from ranked
cross join clock
left join styles_by_preference
    on ranked.user_key = styles_by_preference.user_key
    and styles_by_preference.place = 1
