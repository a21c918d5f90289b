-- a cohort's week after may lie in the page's days although the cohort's own does not
select
    cohort_date,
    period_number,
    cohort_size,
    retained_users,
    has_older_users,
    is_complete
from warehouse_marts.user_retention
where cohort_grain = 'week'
    and cohort_date >= %(first_cohort_date)s
    and period_number <= 12
order by cohort_date, period_number
