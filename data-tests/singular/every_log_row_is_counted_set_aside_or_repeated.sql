-- Nothing is lost: by day, the rows of the log up to the clock are those in the fact and those set aside or repeated.
-- Looks at the days that the log holds whole, within the retention, and that are not kept back; those that were trimmed
-- and that no run but a backfill brings back, each daily run names. Names the days that differ; the next daily run
-- mends them, or a backfill from the first of them does at once. No model waits for it, as none is made from all that
-- it depends on.
-- depends_on: {{ ref('dim_users') }}, {{ ref('user_retention') }}, {{ ref('warehouse_clock') }}
{{ config(tags=['daily'], severity=('error' if var('strict') else 'warn')) }}

with log_begins as (
    select min(created_at) as first_at from {{ ref('stg_generation_log_times') }}
    where created_at between {{ earliest_created_at() }} and (select as_of from {{ ref('int_log_window') }})
),

-- none where the log has no usable row
bounds as (
    select
        log_window.run_at,
        log_window.as_of,
        case
            when log_begins.first_at is not null
                then greatest(
                    cast(log_window.as_of as date) - {{ var('log_retention_days') - 1 }},
                    cast(log_begins.first_at as date) + case
                        when exists (
                            select 1 from {{ ref('days') }} as ledger
                            where ledger.activity_date = cast(log_begins.first_at as date)
                                and ledger.first_at < log_begins.first_at
                        ) then 1
                        else 0
                    end
                )
        end as first_date
    from {{ ref('int_log_window') }} as log_window
    cross join log_begins
),

dated_log as (
    select
        case
            when created_at >= {{ earliest_created_at() }} and isfinite(created_at) then cast(created_at as date)
        end as activity_date
    from {{ ref('stg_generation_log_times') }}
    cross join bounds
    where created_at is null
        or created_at < {{ earliest_created_at() }}
        or created_at between first_date and as_of
        or created_at > {{ latest_created_at('run_at') }}
),

log as (
    select
        activity_date,
        count(*) as log_rows
    from dated_log
    group by activity_date
),

counted_or_not as (
    select
        activity_date,
        count(*) as warehouse_rows
    from {{ ref('fct_generations') }}
    group by activity_date

    union all

    select
        activity_date,
        sum(row_count) as warehouse_rows
    from {{ ref('generation_log_issues') }}
    where disposition != 'counted'
    group by activity_date
),

warehouse as (
    select
        activity_date,
        sum(warehouse_rows) as warehouse_rows
    from counted_or_not
    where activity_date is null or activity_date >= (select first_date from bounds)
    group by activity_date
)

select
    coalesce(log.activity_date, warehouse.activity_date) as activity_date,
    coalesce(log.log_rows, 0) as log_rows,
    coalesce(warehouse.warehouse_rows, 0) as warehouse_rows
from log
full outer join warehouse
    on coalesce(log.activity_date, date '1000-01-01') = coalesce(warehouse.activity_date, date '1000-01-01')
where coalesce(log.log_rows, 0) != coalesce(warehouse.warehouse_rows, 0)
    and not exists (
        select 1 from {{ ref('int_log_days') }} as log_days
        where log_days.is_held_back
            and log_days.activity_date = coalesce(log.activity_date, warehouse.activity_date)
    )
    and not exists (
        select 1 from ({{ trimmed_days_out_of_reach() }}) as trimmed
        where trimmed.activity_date = log.activity_date
    )
order by activity_date
