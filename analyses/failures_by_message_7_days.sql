-- What fails? Failures and their mean duration by message, over the 7 days that end with the clock's. Trap: the
-- running day is among them; the affected users of days would not add up.
select
    error_category,
    error_signature,
    sum(error_count) as error_count,
    {{ ratio('sum(total_failure_duration_ms)', 'sum(timed_failure_count)') }} as avg_failure_duration_ms
from {{ ref('error_analysis') }}
where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 7
group by error_category, error_signature
order by error_count desc, error_signature
