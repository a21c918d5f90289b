{{ config(event_time='window_start') }}

with generations as (
    select
        *,
        {{ five_minutes('created_at') }} as window_start
    from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
),

windows as (
    select window_start
    from generate_series(
        {{ first_period(five_minutes('created_at'), '5 minutes') }}, {{ as_of() }}, interval '5 minutes'
    ) as every_window (window_start)
),

health as (
    select
        window_start,
        count(*) as generation_count,
        count(*) filter (where not is_success) as failure_count,
        count(duration_ms) filter (where is_success) as timed_success_count,
        {{ percentile(0.95, 'duration_ms', 'is_success') }} as p95_duration_ms,
        count(*) filter (where error_category = 'rate_limit') as rate_limit_error_count,
        sum(total_cost_usd) as total_cost_usd
    from generations
    group by window_start
)

select
    windows.window_start,
    coalesce(health.generation_count, 0) as generation_count,
    coalesce(health.failure_count, 0) as failure_count,
    {{ ratio('health.failure_count', 'health.generation_count') }} as failure_rate,
    coalesce(health.timed_success_count, 0) as timed_success_count,
    health.p95_duration_ms,
    coalesce(health.rate_limit_error_count, 0) as rate_limit_error_count,
    cast(coalesce(health.total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
    {{ is_complete('windows.window_start', "'5' minute") }} as is_complete
from windows
left join health on windows.window_start = health.window_start
