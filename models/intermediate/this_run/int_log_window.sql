-- One row: the clock of this run and the days that it rebuilds. The one place that decides both; all else reads them here.
--
-- The watermark is the newest day of fct_generations: of the models that are made from the log it is the last to be
-- replaced, so a run that was killed half-way, or missed for a week, is caught up from there. What is older than the days
-- in question is only asked whether it exists: the size of the past must not matter. An hourly run leaves out the days at
-- the start of the lookback in which nothing has changed since they were rebuilt last; any other run rebuilds all.
-- depends_on: {{ ref('stg_generation_log_times') }}

{%- set built = built_so_far() %}

with recent_log as (
    select
        min(first_at) as first_at,
        max(last_at) as newest_at
    from {{ ref('int_log_days') }}
),

-- a log that ends before the days in question has lost its newest days, or is another one: it replaces nothing
dated_log as (
    select
        first_at,
        case when newest_at >= {{ built.wanted_from }} then newest_at end as last_at
    from recent_log
),

older_log as (
    {%- if built.watermark_is_known %}
    select exists(
        select 1 from {{ ref('stg_generation_log_times') }}
        where created_at >= {{ earliest_created_at() }} and created_at < {{ built.read_from }}
    ) as has_rows
    {%- else %}
    select false as has_rows
    {%- endif %}
),

clock as (
    select
        {{ wall_clock() }} as run_at,
        {{ built.watermark }} as watermark,
        dated_log.last_at as log_last_at,
        case when dated_log.last_at is not null and not older_log.has_rows then dated_log.first_at end as log_first_at,
        -- a log that has lost its newest rows leaves the clock where it was
        case
            when coalesce(dated_log.last_at, {{ built.last_at }}) is not null
                {%- if as_of_is_timestamp() %}
                then {{ as_of_timestamp() }}
                {%- elif var('as_of') == 'now' %}
                then {{ wall_clock() }}
                {%- else %}
                then coalesce(dated_log.last_at, {{ built.last_at }})
                {%- endif %}
        end as as_of
    from dated_log
    cross join older_log
),

wanted as (
    select
        *,
        case
            when watermark is null then cast(log_first_at as date)
            else least({{ built.wanted_from }}, cast(as_of as date) - {{ var('lookback_days') }})
        end as wanted_from
    from clock
),

-- A log is cut at its old end: by expiry, or because somebody points at today's file alone. Its oldest day counts as
-- whole where it misses nothing that the warehouse already holds of that day.
wholeness as (
    select
        *,
        {%- if built.fact %}
        case
            {%- for rows in [built.fact, built.issues] if rows %}
            when exists (
                select 1 from {{ rows }}
                where activity_date = cast(wanted.log_first_at as date) and created_at < wanted.log_first_at
            ) then true
            {%- endfor %}
            when exists (select 1 from {{ built.fact }} where activity_date = cast(wanted.log_first_at as date)) then false
            {%- if built.hours %}
            else exists (
                select 1 from {{ built.hours }}
                where cast(activity_hour as date) = cast(wanted.log_first_at as date) and generation_count > 0
            )
            {%- else %}
            else false
            {%- endif %}
        end as is_first_date_cut
        {%- else %}
        false as is_first_date_cut
        {%- endif %}
    from wanted
),

changed as (
    {%- if built.may_keep_days %}
    select
        least(
            min(coalesce(log_days.activity_date, read_days.activity_date)) filter (
                where (log_days.content_hash is distinct from read_days.content_hash or read_days.content_hash is null)
                    and coalesce(log_days.activity_date, read_days.activity_date) >= wholeness.wanted_from
            ),
            -- hours, days and windows end as the clock goes on, and begin again where it goes back, with rows or without
            min(cast(least(read_days.as_of, wholeness.as_of) as date)) filter (where read_days.as_of != wholeness.as_of)
        ) as changed_from
    from {{ ref('int_log_days') }} as log_days
    full join {{ read_days() }} as read_days on log_days.activity_date = read_days.activity_date
    cross join wholeness
    {%- else %}
    select wanted_from as changed_from from wholeness
    {%- endif %}
)

select
    run_at,
    as_of,
    watermark,
    log_first_at,
    log_last_at,
    wanted_from,
    changed_from,
    -- without rows in the log, or without a change, there is none; greatest() would pass over a null
    case
        when log_last_at is null or changed_from is null then null
        when log_first_at is null then greatest(wanted_from, changed_from)
        else greatest(wanted_from, changed_from, cast(log_first_at as date) + case when is_first_date_cut then 1 else 0 end)
    end as replaced_from
from wholeness
cross join changed
