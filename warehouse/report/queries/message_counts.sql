select count(*) as message_count
from (
    select distinct
        error_category,
        error_signature
    from warehouse_marts.error_analysis
    where activity_date >= %(first_date)s
) as messages
