-- When was nothing generated? Complete hours of the last 28 days without a generation or without a success. Trap: hours
-- without generations have a row, so a missing row is never the answer; the running hour is left out.
select
    activity_hour,
    generation_count,
    success_count,
    case when generation_count = 0 then 'no generation' else 'no success' end as what
from {{ ref('hourly_engagement') }}
cross join {{ ref('warehouse_clock') }} as clock
where is_complete and success_count = 0
    and activity_hour >= clock.last_complete_date - 27
order by activity_hour
