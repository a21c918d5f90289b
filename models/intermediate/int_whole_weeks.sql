-- The weeks that are known whole and that late rows no longer change: what is shared is made of these alone.
{{ config(materialized='ephemeral') }}

with ledger as (
    select
        activity_date,
        is_whole,
        lag(activity_date) over (order by activity_date) as previous_date
    from {{ ref('days') }}
),

-- nothing ran for so long that the log had lost what lay between two days, and may have lost a part of the second
lost as (
    select
        previous_date + 1 as first_date,
        activity_date as last_date
    from ledger
    where not is_whole and previous_date is not null
),

weeks as (
    select
        cast(date_trunc('week', activity_date) as date) as activity_week,
        count(*) as days,
        bool_and(coalesce(is_complete, false)) as is_complete
    from {{ ref('daily_engagement') }}
    group by cast(date_trunc('week', activity_date) as date)
)

select activity_week
from weeks
where days = 7
    and is_complete
    and activity_week + {{ 7 + var('lookback_days') }} <= cast({{ as_of() }} as date)
    and not exists (
        select 1 from lost
        where lost.first_date < weeks.activity_week + 7 and lost.last_date >= weeks.activity_week
    )
