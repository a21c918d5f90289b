-- Which errors have grown? Failures of the last 7 whole days beside the 7 before. Trap: more traffic brings more
-- failures of each kind; the shares of all generations tell growth from that.
with clock as (
    select last_complete_date from {{ ref('warehouse_clock') }}
),

generations as (
    select
        sum(generation_count) filter (where activity_date > clock.last_complete_date - 7) as this_week,
        sum(generation_count) filter (where activity_date <= clock.last_complete_date - 7) as week_before
    from {{ ref('style_performance') }}
    cross join clock
    where activity_date between clock.last_complete_date - 13 and clock.last_complete_date
),

failures as (
    select
        error_category,
        error_signature,
        coalesce(sum(error_count) filter (where activity_date > clock.last_complete_date - 7), 0) as this_week,
        coalesce(sum(error_count) filter (where activity_date <= clock.last_complete_date - 7), 0) as week_before
    from {{ ref('error_analysis') }}
    cross join clock
    where activity_date between clock.last_complete_date - 13 and clock.last_complete_date
    group by error_category, error_signature
)

select
    failures.error_category,
    failures.error_signature,
    failures.this_week as error_count,
    failures.week_before as error_count_before,
    {{ ratio('failures.this_week', 'generations.this_week') }} as share_of_generations_ratio,
    {{ ratio('failures.week_before', 'generations.week_before') }} as share_of_generations_before_ratio
from failures
cross join generations
order by failures.this_week - failures.week_before desc, failures.error_signature
