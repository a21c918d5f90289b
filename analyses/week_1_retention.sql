-- How many new users come back in the week after their first? By weekly cohort, and over all that are sure. Trap:
-- cohorts of the first 28 days hold users who are older than the warehouse and come back more often: shown, and in
-- no average. The running week is no drop.
select
    cohort_date,
    cohort_size,
    retained_users,
    retention_rate,
    has_older_users,
    {{ ratio(
        'sum(retained_users) filter (where not has_older_users) over ()',
        'sum(cohort_size) filter (where not has_older_users) over ()'
    ) }} as retention_rate_of_all
from {{ ref('user_retention') }}
where cohort_grain = 'week' and period_number = 1 and is_complete
order by cohort_date
