select
    activity_date,
    scene_type,
    generation_count,
    success_count,
    costed_generation_count,
    total_cost_usd,
    timed_success_count,
    total_duration_ms
from warehouse_marts.scene_performance
where activity_date >= %(first_date)s
