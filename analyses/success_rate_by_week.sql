-- How does the success rate develop from week to week? Trap: the running week, and the log's first if it is cut, look
-- worse or better than they are; only weeks of seven complete days are compared.
select
    cast(date_trunc('week', activity_date) as date) as week_date,
    sum(generation_count) as generation_count,
    {{ ratio('sum(success_count)', 'sum(generation_count)') }} as success_rate,
    {{ ratio('sum(success_count)', 'sum(generation_count)') }}
    - lag({{ ratio('sum(success_count)', 'sum(generation_count)') }})
        over (order by cast(date_trunc('week', activity_date) as date)) as change_of_success_rate
from {{ ref('style_performance') }}
cross join {{ ref('warehouse_clock') }} as clock
where date_trunc('week', activity_date) + interval '6' day <= clock.last_complete_date
group by cast(date_trunc('week', activity_date) as date)
having bool_and(is_complete)
order by week_date
