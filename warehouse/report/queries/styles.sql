-- each day of the most frequent styles; the others are together in the rows without a style
with kept as (
    select style
    from warehouse_marts.style_performance
    where activity_date >= %(first_date)s
    group by style
    order by sum(generation_count) desc, style collate "C"
    limit %(kept_styles)s
)

select
    styles.activity_date,
    kept.style,
    sum(styles.generation_count) as generation_count,
    sum(styles.success_count) as success_count,
    sum(styles.costed_generation_count) as costed_generation_count,
    sum(styles.total_cost_usd) as total_cost_usd,
    sum(styles.failed_cost_usd) as failed_cost_usd,
    case when count(styles.costed_failure_count) = count(*) then sum(styles.costed_failure_count) end
        as costed_failure_count
from warehouse_marts.style_performance as styles
left join kept on styles.style = kept.style
where styles.activity_date >= %(first_date)s
group by styles.activity_date, kept.style
