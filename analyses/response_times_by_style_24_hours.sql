-- How long do people wait? Mean and 95th percentile of the successes' durations by style, over the 24 hours that end
-- with the clock's. Percentiles do not add up over hours, so this asks the single generations, which 24 hours allow.
-- Trap: the log's duration is that of the whole generation, failures are left out.
select
    style,
    count(duration_ms) as timed_success_count,
    {{ ratio('sum(duration_ms)', 'count(duration_ms)') }} as avg_duration_ms,
    percentile_cont(0.95) within group (order by duration_ms) as p95_duration_ms
from {{ ref('fct_generations') }}
where is_success
    and created_at >= (select max(activity_hour) from {{ ref('hourly_engagement') }}) - interval '23' hour
group by style
order by style
