select
    lifecycle_stage,
    count(*) as user_count
from warehouse_marts.dim_users
group by lifecycle_stage
