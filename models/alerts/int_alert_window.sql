-- One row: the clock of this run's alerts, and the windows that it judges. A window is judged once, when the settle
-- delay is over; windows that were missed are judged later.
{{ config(tags=['alerts']) }}

{%- set evaluations = existing_relation('marts', 'alert_evaluations') %}
{%- set judged_until = constant_of('select max(window_end) from ' ~ evaluations, 'timestamp') if evaluations
    else constant(none, 'timestamp') %}

with clock as (
    select
        {%- if as_of_is_timestamp() %}
        {{ as_of_timestamp() }} as as_of
        {%- elif var('as_of') == 'now' %}
        {{ wall_clock() }} as as_of
        {%- else %}
        -- a log that has lost its newest rows leaves the clock where it was
        coalesce(max(created_at), {{ judged_until }}) as as_of
    from {{ ref('stg_generation_log_times') }}
    where created_at >= coalesce({{ judged_until }}, {{ earliest_created_at() }})
        and created_at <= {{ latest_created_at() }}
        {%- endif %}
),

-- how far before the end of a window its rule looks, and for how long it must hold
rules as (
    select
        coalesce(max(
            greatest(window_minutes, coalesce(longer_window_minutes, 0))
            * case when metric = 'cost_change_ratio' then 2 else 1 end
        ), 5) as longest_minutes,
        coalesce(max(fire_after_windows), 1) * 5 as hold_minutes
    from {{ valid_rules(ref('alert_rules')) }} as valid
),

-- less than what was judged, after a run that was killed in between
progress as (
    select
        max(generations_from) as kept_from,
        max(generations_until) as kept_until,
        coalesce(
            max(incidents_until),
            (select min(window_end) - interval '5' minute from {{ as_left_by_earlier_runs(
                'marts', 'alert_evaluations', {'window_end': 'timestamp'}
            ) }} as evaluations)
        ) as incidents_until
    from {{ ref('alert_progress') }}
),

-- Since when the incidents fire that may go on, since when they have not, and since when those fire whose first six
-- hours, which explain them, may not be over.
open_incidents as (
    select
        min(first_firing_at) as open_from,
        min(last_firing_at) as open_fired_at,
        min(case when last_firing_at < first_firing_at + interval '6' hour then first_firing_at end) as explained_from
    from {{ as_left_by_earlier_runs('marts', 'incidents', {
        'first_firing_at': 'timestamp',
        'last_firing_at': 'timestamp',
        'resolved_at': 'timestamp',
        'resolution': 'text',
        'reopened_count': 'bigint',
    }) }} as incidents
    cross join progress
    where {{ may_go_on() }}
),

windows as (
    select
        as_of,
        coalesce(
            {{ judged_until }},
            {{ five_minutes("as_of - interval '" ~ var('alert_settle_minutes') ~ "' minute") }}
            - interval '{{ var("alert_first_hours") }}' hour
        ) + interval '5' minute as judged_from,
        {{ five_minutes("as_of - interval '" ~ var('alert_settle_minutes') ~ "' minute") }} as judged_to
    from clock
),

-- What the warehouse knows of itself: when its last run began that came to its end, and how many rows it has set aside.
-- A day before there were as many as the alerts saw then.
built as (
    select
        max(built_at) as built_at,
        max(set_aside_row_count) as set_aside_row_count
    from {{ as_left_by_earlier_runs('marts', 'warehouse_clock', {
        'built_at': 'timestamp',
        'set_aside_row_count': 'bigint',
    }) }} as left_behind
),

set_aside as (
    select
        (array_agg(seen.sample_size order by seen.window_end desc))[1] as set_aside_a_day_before,
        {{ median('seen.observed_value') }} as set_aside_usually
    from windows
    cross join generate_series(1, 28) as days (day)
    inner join {{ as_left_by_earlier_runs('marts', 'alert_evaluations', {
        'metric': 'text',
        'window_end': 'timestamp',
        'observed_value': 'double precision',
        'sample_size': 'bigint',
    }) }} as seen
        on seen.metric = 'set_aside_row_count'
        and seen.observed_value is not null
        and windows.judged_to - interval '1' day * days.day = seen.window_end
),

-- the oldest row that a window or an incident needs
needed as (
    select
        windows.*,
        progress.*,
        open_incidents.open_from,
        least(
            least(windows.judged_from, progress.incidents_until + interval '5' minute)
            - interval '1' minute * (rules.longest_minutes + rules.hold_minutes + 60),
            -- with the window that fired first, and the hour before it
            open_incidents.explained_from - interval '1' minute * (rules.longest_minutes + 60),
            open_incidents.open_fired_at
        ) as generations_from
    from windows
    cross join rules
    cross join progress
    cross join open_incidents
)

select
    as_of,
    judged_from,
    judged_to,
    generations_from,
    -- what is at hand is not read again, unless a window now reaches further back
    {%- if existing_relation('intermediate', 'int_alert_generations') %}
    case when kept_from <= generations_from then kept_until else generations_from end as log_read_from,
    {%- else %}
    generations_from as log_read_from,
    {%- endif %}
    least(incidents_until - interval '2' day, open_from) as incidents_from,
    incidents_until,
    built.built_at,
    built.set_aside_row_count,
    set_aside.set_aside_a_day_before,
    set_aside.set_aside_usually
from needed
cross join built
cross join set_aside
