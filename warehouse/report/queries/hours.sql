select
    activity_hour,
    generation_count
from warehouse_marts.hourly_engagement
where activity_hour >= %(first_date)s
