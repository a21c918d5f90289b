-- Which scenes work best, over 28 whole days? Trap: only logs that have the column scene can answer; without it the
-- mart is empty. The type comes from words in the text, so "other" is what no pattern knows.
select
    scene_type,
    sum(generation_count) as generation_count,
    {{ ratio('sum(success_count)', 'sum(generation_count)') }} as success_rate,
    {{ ratio('sum(total_cost_usd)', 'sum(costed_generation_count)') }} as avg_cost_usd
from {{ ref('scene_performance') }}
cross join {{ ref('warehouse_clock') }} as clock
where activity_date between clock.last_complete_date - 27 and clock.last_complete_date
group by scene_type
order by generation_count desc, scene_type
