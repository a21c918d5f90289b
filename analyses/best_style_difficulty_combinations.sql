-- Which combinations of style and difficulty work best? Over the last 30 days, those with at least 20 generations:
-- below that a rate says little. Trap: a rate of a few generations says little, so those are left out; difficulty
-- null is a separate row.
select
    style,
    difficulty,
    sum(generation_count) as generation_count,
    {{ ratio('sum(success_count)', 'sum(generation_count)') }} as success_rate,
    {{ ratio('sum(total_cost_usd)', 'sum(success_count)') }} as cost_per_success_usd,
    {{ ratio('sum(total_duration_ms)', 'sum(timed_success_count)') }} as avg_duration_ms
from {{ ref('style_difficulty_performance') }}
where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 30
group by style, difficulty
having sum(generation_count) >= 20
order by success_rate desc, generation_count desc, style, difficulty
