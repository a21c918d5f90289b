-- The ledger of days: one row per day that fct_generations was made of, kept for good. It knows a day after its single
-- generations are gone, and int_log_window compares it with the days of the log. Written after the fact, in its
-- transaction. Made from what an older release has left, where there is such a warehouse.
{{ config(post_hook="drop table if exists {{ internal_schema() }}.read_days") }}
{%- set fact = existing_relation('marts', 'fct_generations') %}
{%- set issues = existing_relation('marts', 'generation_log_issues') %}
{%- set hours = existing_relation('marts', 'hourly_engagement') %}
{%- set window = existing_relation('intermediate', 'int_log_window') %}

{%- if none in [fact, issues, hours, window] %}
{{ no_rows() }}
{%- else %}
with log_rows as (
    select
        activity_date,
        created_at as first_at,
        created_at as last_at,
        cast(1 as bigint) as row_count
    from {{ fact }}

    union all

    select
        activity_date,
        created_at as first_at,
        created_at as last_at,
        row_count
    from {{ issues }}
    where disposition != 'counted' and activity_date is not null and issue != 'future_created_at'

    union all

    -- days whose single generations are gone count as cut, whatever the log still holds of them, and the first of all
    -- as not held from its start
    select
        cast(activity_hour as date) as activity_date,
        cast(cast(activity_hour as date) as timestamp) + interval '1 microsecond' as first_at,
        activity_hour as last_at,
        generation_count as row_count
    from {{ hours }}
    where generation_count > 0
        and cast(activity_hour as date) not in (select activity_date from {{ fact }})
),

known as (
    select
        activity_date,
        min(first_at) as first_at,
        max(last_at) as last_at,
        cast(sum(row_count) as bigint) as row_count
    from log_rows
    group by activity_date
)

select
    activity_date,
    first_at,
    last_at,
    row_count,
    activity_date > (select min(activity_date) from known) as is_whole,
    cast(null as text) as content_hash,
    coalesce((select as_of from {{ window }}), last_at) as as_of,
    cast(null as text) as held_back_hash
from known
{%- endif %}
