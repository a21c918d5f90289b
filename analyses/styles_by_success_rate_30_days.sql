-- Which styles work best? Success rate and average cost by style, over the 30 days that end with the clock's. Trap:
-- the running day is among them, and a style with few generations is first or last by chance.
select
    style,
    sum(generation_count) as generation_count,
    {{ ratio('sum(success_count)', 'sum(generation_count)') }} as success_rate,
    {{ ratio('sum(total_cost_usd)', 'sum(costed_generation_count)') }} as avg_cost_usd
from {{ ref('style_performance') }}
where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 30
group by style
order by success_rate desc, generation_count desc, style
