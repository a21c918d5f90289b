-- Which share of a style's money went into failures, over 28 whole days? Trap: failures that fail early log zeros,
-- which say nothing; of how many the cost is known is beside it, and the true share is at least this.
select
    style,
    sum(failure_count) as failure_count,
    sum(costed_failure_count) as costed_failure_count,
    sum(failed_cost_usd) as failed_cost_usd,
    {{ ratio('sum(failed_cost_usd)', 'sum(total_cost_usd)') }} as wasted_cost_rate
from {{ ref('style_performance') }}
cross join {{ ref('warehouse_clock') }} as clock
where activity_date between clock.last_complete_date - 27 and clock.last_complete_date
group by style
order by failed_cost_usd desc, style
