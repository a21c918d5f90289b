-- how long the successes of each day took, by bucket, of the same styles as in styles.sql
with kept as (
    select style
    from warehouse_marts.style_performance
    where activity_date >= %(first_date)s
    group by style
    order by sum(generation_count) desc, style collate "C"
    limit %(kept_styles)s
)

select
    durations.activity_date,
    kept.style,
    durations.bucket,
    max(durations.bucket_estimate_ms) as bucket_estimate_ms,
    sum(durations.generation_count) as generation_count
from warehouse_marts.duration_histogram as durations
left join kept on durations.style = kept.style
where durations.activity_date >= %(first_date)s
    and durations.is_success
group by durations.activity_date, kept.style, durations.bucket
order by durations.bucket
