-- One row: the clock of this run and the days that it rebuilds. The one place that decides both; all else reads them
-- here.
--
-- It compares the days of the log (int_log_days) with the ledger of the days that the fact was made of (days). A run
-- that was killed half-way, or missed for a week, is caught up from the newest of them. What is older than the days in
-- question is only asked whether it exists: the size of the past must not matter. An hourly run leaves out the days at
-- the start of the lookback in which nothing has changed since they were rebuilt last; any other run rebuilds all of
-- it, and begins earlier where an older day has changed.

{%- set wanted = wanted_days() %}

with ledger as (
    select * from {{ ref('days') }}
    {%- if not wanted.are_known %}
    where false
    {%- endif %}
),

newest as (
    select
        max(activity_date) as watermark,
        max(last_at) as last_at
    from ledger
),

-- a log that ends before the days in question has lost its newest days, or is another one: it replaces nothing
log as (
    select
        case when max(last_at) >= {{ wanted.first }} then min(first_at) end as first_at,
        case when max(last_at) >= {{ wanted.first }} then max(last_at) end as last_at
    from {{ ref('int_log_days') }}
),

-- the newest time of the days that are kept as they are
held_back as (
    select max(ledger.last_at) as last_at
    from {{ ref('int_log_days') }} as log_days
    inner join ledger on log_days.activity_date = ledger.activity_date
    where log_days.is_held_back
),

-- the first row ever; of a log that has been cut since, the ledger knows it
beginning as (
    select least(
        (select min(first_at) from ledger),
        (select min(first_at) from {{ ref('int_log_days') }})
    ) as first_at
),

older_log as (
    select exists(
        select 1 from {{ ref('stg_generation_log_times') }}
        where created_at >= {{ earliest_created_at() }} and created_at < {{ wanted.read_from }}
    ) as has_rows
),

clock as (
    select
        {{ wall_clock() }} as run_at,
        newest.watermark,
        log.last_at as log_last_at,
        case when not older_log.has_rows then log.first_at end as log_first_at,
        -- a log that has lost its newest rows leaves the clock where it was
        case
            when coalesce(log.last_at, newest.last_at) is not null
                {%- if as_of_is_timestamp() %}
                then {{ as_of_timestamp() }}
                {%- elif var('as_of') == 'now' %}
                then {{ wall_clock() }}
                {%- else %}
                then coalesce(greatest(log.last_at, held_back.last_at), newest.last_at)
                {%- endif %}
        end as as_of
    from newest
    cross join log
    cross join held_back
    cross join older_log
),

-- A log is cut at its old end: by expiry, or because somebody points at today's file alone. Its oldest day counts as
-- whole where it misses nothing that the warehouse already holds of that day.
wholeness as (
    select
        clock.*,
        case
            when clock.watermark is null then cast(clock.log_first_at as date)
            else least({{ wanted.first }}, cast(clock.as_of as date) - {{ var('lookback_days') }})
        end as wanted_from,
        coalesce(ledger.first_at < clock.log_first_at, false) as is_first_date_cut,
        coalesce(ledger.is_whole, false) as is_first_date_whole
    from clock
    left join ledger on cast(clock.log_first_at as date) = ledger.activity_date
),

first_whole as (
    select
        *,
        cast(log_first_at as date) + case when is_first_date_cut then 1 else 0 end as first_whole_date
    from wholeness
),

-- what is kept back is no change; nor are days that the log no longer holds whole, or that the retention would trim
changed as (
    select
        {%- if wanted.may_be_left_alone %}
        least(
            min(log_days.activity_date) filter (where log_days.is_changed and not log_days.is_held_back),
            -- hours, days and windows end as the clock goes on, and begin again where it goes back, with rows or
            -- without
            min(cast(least(ledger.as_of, first_whole.as_of) as date)) filter (where ledger.as_of != first_whole.as_of)
        ) as changed_from
        {%- else %}
        least(min(first_whole.wanted_from), min(log_days.activity_date) filter (
            where log_days.is_changed and not log_days.is_held_back
                and log_days.activity_date >= {{ wanted.compared_from }}
                and log_days.activity_date > cast(first_whole.as_of as date) - {{ var('log_retention_days') }}
        )) as changed_from
        {%- endif %}
    from first_whole
    left join {{ ref('int_log_days') }} as log_days
        on log_days.activity_date >= coalesce(first_whole.first_whole_date, log_days.activity_date)
        {%- if wanted.may_be_left_alone %}
        and log_days.activity_date >= first_whole.wanted_from
    left join ledger on log_days.activity_date = ledger.activity_date
        {%- endif %}
)

select
    run_at,
    as_of,
    watermark,
    log_first_at,
    log_last_at,
    is_first_date_whole,
    wanted_from,
    changed_from,
    -- without rows in the log, or without a change, there is none; greatest() would pass over a null
    case
        when log_last_at is not null and changed_from is not null
            then greatest(changed_from, coalesce(first_whole_date, changed_from))
    end as rebuild_from,
    {%- if var('log_begins_on') %}
    least(cast(date_trunc('day', beginning.first_at) as timestamp), {{ constant(var('log_begins_on'), 'timestamp') }})
        as held_from,
    cast(null as date) as unknown_before
    {%- else %}
    beginning.first_at as held_from,
    cast(beginning.first_at as date) as unknown_before
    {%- endif %}
from first_whole
cross join changed
cross join beginning
