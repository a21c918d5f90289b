-- How many people were hit by rate limits, in all and more than once, in 60 days? Trap: affected_users of
-- error_analysis are a day's and do not add up. Single generations are kept for 90 days, so longer spans cannot be
-- asked.
with hits as (
    select
        user_key,
        count(*) as hit_count
    from {{ ref('fct_generations') }}
    cross join {{ ref('warehouse_clock') }} as clock
    where error_category = 'rate_limit'
        and activity_date between clock.last_complete_date - 59 and clock.last_complete_date
    group by user_key
)

select
    count(user_key) as affected_users,
    count(user_key) filter (where hit_count > 1) as affected_more_than_once_users,
    coalesce(sum(hit_count), 0) as rate_limit_error_count,
    coalesce(sum(hit_count) filter (where user_key is null), 0) as rate_limit_error_without_user_count
from hits
