-- One row: the clock of this run and the days that it rebuilds. The one place that decides both; all else reads them here.
--
-- The watermark is the newest day of fct_generations: of the models that are made from the log it is the last to be
-- replaced, so a run that was killed half-way, or missed for a week, is caught up from there.

{%- set fact = already_built('marts', 'fct_generations') %}
{%- set hours = already_built('marts', 'hourly_engagement') %}

with log as (
    select
        min(created_at) as first_at,
        max(created_at) as last_at
    from {{ ref('stg_generation_logs') }}
    where created_at >= {{ earliest_created_at() }}
        and created_at <= {{ latest_created_at() }}
        {%- if as_of_is_timestamp() %}
        and created_at <= {{ as_of_timestamp() }}
        {%- endif %}
),

built as (
    {%- if fact %}
    select
        max(activity_date) as watermark,
        max(created_at) as last_at
    from {{ fact }}
    {%- else %}
    select
        cast(null as date) as watermark,
        cast(null as timestamp) as last_at
    {%- endif %}
),

clock as (
    select
        {{ wall_clock() }} as run_at,
        -- a log that has lost all its rows leaves the clock where it was
        case
            when coalesce(log.last_at, built.last_at) is not null
                {%- if as_of_is_timestamp() %}
                then {{ as_of_timestamp() }}
                {%- elif var('as_of') == 'now' %}
                then {{ wall_clock() }}
                {%- else %}
                then coalesce(log.last_at, built.last_at)
                {%- endif %}
        end as as_of,
        log.first_at as log_first_at,
        log.last_at as log_last_at,
        cast(log.first_at as date) as log_first_date,
        built.watermark
    from log
    cross join built
),

-- A log is cut at its old end: by expiry, or because somebody points at today's file alone. Its oldest day counts as
-- whole where it misses nothing that the warehouse already holds of that day.
wholeness as (
    select
        *,
        {%- if fact %}
        case
            when exists (select 1 from {{ fact }} where activity_date = clock.log_first_date)
                then not exists (
                    select 1 from {{ fact }}
                    where activity_date = clock.log_first_date and created_at < clock.log_first_at
                )
            {%- if hours %}
            else not exists (
                select 1 from {{ hours }} where cast(activity_hour as date) = clock.log_first_date and generation_count > 0
            )
            {%- else %}
            else true
            {%- endif %}
        end as is_first_date_whole
        {%- else %}
        true as is_first_date_whole
        {%- endif %}
    from clock
),

whole_days as (
    select
        *,
        case when is_first_date_whole then log_first_date else log_first_date + 1 end as first_whole_date
    from wholeness
)

select
    run_at,
    as_of,
    log_first_at,
    log_last_at,
    watermark,
    first_whole_date,
    case
        -- greatest() would pass over the null of a log without rows, and rebuild days from nothing
        when watermark is null or first_whole_date is null then first_whole_date
        else cast(greatest(
            first_whole_date,
            least(
                watermark - {{ var('lookback_days') }},
                cast(as_of as date) - {{ var('lookback_days') }}
                {%- if var('backfill_from') %},
                cast('{{ var("backfill_from") }}' as date)
                {%- endif %}
            )
        ) as date)
    end as replaced_from
from whole_days
