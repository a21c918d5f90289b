-- How many people use each style? Distinct users over 30 whole days. Trap: active_users of style_performance are a
-- day's and count a person once a day; a person who uses two styles is in both rows, so rows do not add up either.
select
    style,
    count(distinct user_key) as active_users,
    count(*) as generation_count
from {{ ref('fct_generations') }}
cross join {{ ref('warehouse_clock') }} as clock
where activity_date between clock.last_complete_date - 29 and clock.last_complete_date
group by style
order by active_users desc, style
