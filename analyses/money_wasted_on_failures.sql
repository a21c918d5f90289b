-- Where is money wasted on failures? Their cost by category over the last 30 days, and its share of all that was
-- spent; of as many failures as have a known cost. Trap: a failure that logs zeros has an unknown cost, so the share
-- is at least this.
with spent as (
    select sum(total_cost_usd) as total_cost_usd
    from {{ ref('style_performance') }}
    where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 30
),

wasted as (
    select
        error_category,
        bool_or(is_retryable) as is_retryable,
        sum(error_count) as error_count,
        sum(costed_failure_count) as costed_failure_count,
        sum(failed_cost_usd) as failed_cost_usd
    from {{ ref('error_analysis') }}
    where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 30
    group by error_category
)

select
    wasted.error_category,
    wasted.is_retryable,
    wasted.error_count,
    wasted.costed_failure_count,
    wasted.failed_cost_usd,
    {{ ratio('wasted.failed_cost_usd', 'spent.total_cost_usd') }} as share_of_total_cost_ratio
from wasted
cross join spent
order by wasted.failed_cost_usd desc, wasted.error_category
