-- How is it going? Of the last 28 whole days: generations an hour, success rate, average cost of a generation, and how
-- many users come back in the week after their first. Trap: the average of a day's averages is another number than the
-- average over generations; divide sums. What a generation cost is known of costed_generation_count only.
with clock as (
    select last_complete_date from {{ ref('warehouse_clock') }}
),

generations as (
    select
        sum(generation_count) as generation_count,
        sum(success_count) as success_count,
        sum(total_cost_usd) as total_cost_usd,
        sum(costed_generation_count) as costed_generation_count
    from {{ ref('style_performance') }}
    cross join clock
    where activity_date between clock.last_complete_date - 27 and clock.last_complete_date
),

-- weekly cohorts whose second week ended in these days
cohorts as (
    select
        sum(retained_users) as retained_users,
        sum(cohort_size) as cohort_size
    from {{ ref('user_retention') }}
    cross join clock
    where cohort_grain = 'week' and period_number = 1 and is_complete and not has_older_users
        and cohort_date + 13 between clock.last_complete_date - 27 and clock.last_complete_date
)

select
    {{ ratio('generations.generation_count', '28 * 24') }} as generations_per_hour,
    {{ ratio('generations.success_count', 'generations.generation_count') }} as success_rate,
    {{ ratio('generations.total_cost_usd', 'generations.costed_generation_count') }} as avg_cost_usd,
    {{ ratio('cohorts.retained_users', 'cohorts.cohort_size') }} as week_1_retention_rate
from generations
cross join cohorts
