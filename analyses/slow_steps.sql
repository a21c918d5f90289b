-- Which step is slow, over 7 whole days? Means by step. Trap: only logs with the column timings can answer; the
-- percentiles of step_times are an hour's, and do not average.
select
    step,
    sum(timed_count) as timed_count,
    {{ ratio('sum(total_ms)', 'sum(timed_count)') }} as avg_ms,
    max(max_ms) as max_ms
from {{ ref('step_times') }}
cross join {{ ref('warehouse_clock') }} as clock
where activity_hour >= clock.last_complete_date - 6 and activity_hour < clock.last_complete_date + 1
group by step
order by avg_ms desc, step
