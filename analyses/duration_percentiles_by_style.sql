-- How long do people wait, over a whole year? Percentiles of the successes' durations by style over the 365 days
-- that end with the clock's. The single generations are gone after 90 days and percentiles of days do not add up;
-- the counts of duration_histogram do. Each is within 1 % of the exact percentile. The same macro answers for any
-- columns and any filter. Trap: percentiles of days neither average nor add up.
{{ duration_quantiles(
    {'p50_duration_ms': 0.5, 'p95_duration_ms': 0.95, 'p99_duration_ms': 0.99},
    by=['style'],
    where='is_success and activity_date > (select max(activity_date) from ' ~ ref('daily_engagement') ~ ') - 365'
) }}
order by style
