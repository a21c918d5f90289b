select count(distinct style) as style_count
from warehouse_marts.style_performance
where activity_date >= %(first_date)s
