-- how far the warehouse reaches, and what else is known of its age
select
    clock.as_of,
    clock.first_activity_date,
    clock.last_complete_date,
    clock.newest_generation_at,
    -- retention is made once a day, the rest every hour
    (
        select max(cohort_date + period_number)
        from warehouse_marts.user_retention
        where cohort_grain = 'day'
    ) as retention_date,
    -- rows that were left out are remembered as long as the single generations
    (select min(activity_date) from warehouse_marts.fct_generations) as first_kept_date
from warehouse_marts.warehouse_clock as clock
