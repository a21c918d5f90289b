-- What of the log is in no number? Rows that count, are set aside or repeat another, of the days that the fact
-- holds, by reason. Trap: a row that counts may still lack a value (its cost, its user), which is an issue and in no
-- average.
select
    'counted' as disposition,
    'all' as issue,
    count(*) as row_count
from {{ ref('fct_generations') }}

union all

select
    disposition,
    issue,
    cast(sum(row_count) as bigint) as row_count
from {{ ref('generation_log_issues') }}
group by disposition, issue
order by disposition, row_count desc, issue
