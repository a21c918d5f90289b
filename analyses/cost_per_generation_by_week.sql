-- What does a generation cost, by week? Trap: the denominator is the generations whose cost is known; over all of them
-- the number is too low. A success costs more than that, as it pays for the failures.
select
    cast(date_trunc('week', activity_date) as date) as week_date,
    sum(total_cost_usd) as total_cost_usd,
    sum(generation_count) as generation_count,
    sum(costed_generation_count) as costed_generation_count,
    {{ ratio('sum(total_cost_usd)', 'sum(costed_generation_count)') }} as avg_cost_usd,
    {{ ratio('sum(total_cost_usd)', 'sum(success_count)') }} as cost_per_success_usd,
    bool_and(is_complete) as is_complete
from {{ ref('style_performance') }}
group by cast(date_trunc('week', activity_date) as date)
order by week_date
