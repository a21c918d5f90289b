-- each day of the most frequent messages; the others are together, by category, in the rows without a message
with kept as (
    select
        error_category,
        error_signature
    from warehouse_marts.error_analysis
    where activity_date >= %(first_date)s
    group by error_category, error_signature
    order by sum(error_count) desc, error_category collate "C", error_signature collate "C"
    limit %(kept_messages)s
)

select
    errors.activity_date,
    errors.error_category,
    kept.error_signature,
    bool_or(errors.is_retryable) as is_retryable,
    sum(errors.error_count) as error_count,
    sum(errors.failed_cost_usd) as failed_cost_usd,
    case when count(errors.costed_failure_count) = count(*) then sum(errors.costed_failure_count) end
        as costed_failure_count
from warehouse_marts.error_analysis as errors
left join kept
    on errors.error_category = kept.error_category
    and errors.error_signature = kept.error_signature
where errors.activity_date >= %(first_date)s
group by errors.activity_date, errors.error_category, kept.error_signature
