-- Found by the two columns alone, so that only the rows of a repeated id need to be compared whole.
select
    generation_id,
    activity_date
from {{ ref('int_log_rows') }}
where set_aside_because is null
group by generation_id, activity_date
having count(*) > 1
