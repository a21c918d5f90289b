select
    cast(activity_hour as date) as activity_date,
    step,
    sum(timed_count) as timed_count,
    sum(total_ms) as total_ms
from warehouse_marts.step_times
where activity_hour >= %(first_date)s
group by cast(activity_hour as date), step
