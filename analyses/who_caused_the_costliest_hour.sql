-- Who caused the costliest hour of the last 28 days? Its ten costliest users. Trap: an hour is costly by use as well
-- as by price; the cost of a generation is beside it. Rows without a user are one line, with no key.
with costliest as (
    select hours.activity_hour
    from {{ ref('hourly_costs') }} as hours
    cross join {{ ref('warehouse_clock') }} as clock
    where hours.activity_hour >= clock.last_complete_date - 27
    order by hours.total_cost_usd desc, hours.activity_hour
    limit 1
)

select
    generations.activity_hour,
    generations.user_key,
    count(*) as generation_count,
    {{ usd('generations.total_cost_usd') }} as total_cost_usd,
    {{ ratio('sum(generations.total_cost_usd)', 'count(generations.total_cost_usd)') }} as avg_cost_usd
from {{ ref('fct_generations') }} as generations
inner join costliest on generations.activity_hour = costliest.activity_hour
group by generations.activity_hour, generations.user_key
order by total_cost_usd desc, generations.user_key nulls last
limit 10
