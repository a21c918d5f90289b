-- Which styles are slow? The 95th percentile of the successes' durations over 7 whole days, exactly. Trap: the mean of
-- seven daily percentiles is no percentile of the week, and puts rare styles first. Beyond 90 days see
-- duration_percentiles_by_style.
select
    style,
    count(duration_ms) as timed_success_count,
    percentile_cont(0.5) within group (order by duration_ms) as p50_duration_ms,
    percentile_cont(0.95) within group (order by duration_ms) as p95_duration_ms
from {{ ref('fct_generations') }}
cross join {{ ref('warehouse_clock') }} as clock
where is_success and activity_date between clock.last_complete_date - 6 and clock.last_complete_date
group by style
order by p95_duration_ms desc nulls last, style
