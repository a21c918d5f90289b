select
    activity_date,
    photo_size_band,
    generation_count,
    success_count,
    costed_generation_count,
    total_cost_usd,
    timed_success_count,
    total_duration_ms
from warehouse_marts.photo_size_performance
where activity_date >= %(first_date)s
