-- what the log's rows lack; without a day are those whose date is missing or wrong
select
    case when activity_date <= %(last_date)s then activity_date end as activity_date,
    issue,
    disposition,
    sum(row_count) as row_count
from warehouse_marts.generation_log_issues
where activity_date >= %(first_date)s
    or activity_date is null
group by
    case when activity_date <= %(last_date)s then activity_date end,
    issue,
    disposition
