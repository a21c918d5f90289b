-- One row per incident that may still change, made of the evaluations of its rule.
--
-- A rule opens when it has fired fire_after_windows times in a row; a window of insufficient_data, or one that was not
-- judged, breaks the row. It closes after resolve_after_windows windows that were ok, not counting those of
-- insufficient_data, since it fired last; or without any firing window for 24 hours; or when it is switched off. So
-- what lies between two closing signals is one segment, and a segment that holds an opening signal is a firing stretch.
-- A stretch that opens within an hour after the one before it ended as ok is the same incident, which has reopened.
{{ config(materialized='ephemeral', tags=['alerts']) }}

with judged as (
    select rule_name from {{ valid_rules(ref('alert_rules')) }} as valid
),

known_until as (
    select alert_window.incidents_until from {{ ref('int_alert_window') }} as alert_window
),

-- what is known of each rule's incidents from before this run; the newest of a rule may go on
known as (
    select
        rule_name,
        max(first_firing_at) as newest_from,
        max(case when {{ may_go_on() }} then first_firing_at end) as open_from,
        max(resolved_at) as closed_at
    from {{ as_left_by_earlier_runs('marts', 'incidents', {
        'rule_name': 'text',
        'first_firing_at': 'timestamp',
        'resolved_at': 'timestamp',
        'resolution': 'text',
        'reopened_count': 'bigint',
    }) }} as incidents
    cross join known_until
    group by rule_name
),

-- The evaluations from which incidents may still change: of a rule with one that may go on, since it began; of any
-- other, since its last one ended, at most two days before what the incidents know.
evaluations as (
    select evaluations.*
    from {{ ref('alert_evaluations') }} as evaluations
    left join known on evaluations.rule_name = known.rule_name
    where evaluations.window_end >= coalesce(
            (select alert_window.incidents_from from {{ ref('int_alert_window') }} as alert_window),
            timestamp '2000-01-01 00:00:00'
        )
        and case
            when known.open_from = known.newest_from then evaluations.window_end >= known.open_from
            when known.closed_at is not null then evaluations.window_end > known.closed_at
            else true
        end
),

in_order as (
    select
        *,
        lag(window_end) over (partition by rule_name order by window_end) as previous_end
    from evaluations
),

marked as (
    select
        *,
        outcome = 'firing' as is_firing,
        coalesce(previous_end < window_end - interval '5' minute, false) as is_after_gap
    from in_order
),

runs as (
    select
        *,
        sum(case when is_firing and not is_after_gap then 0 else 1 end) over up_to_here as firing_run,
        sum(case when is_firing or is_after_gap then 1 else 0 end) over up_to_here as ok_run,
        max(case when is_firing then window_end end) over up_to_here as fired_at
    from marked
    window up_to_here as (partition by rule_name order by window_end rows between unbounded preceding and current row)
),

signals as (
    select
        *,
        case
            when is_firing
                then min(case when is_firing then window_end end) over (partition by rule_name, firing_run)
        end as streak_began_at,
        is_firing and sum(case when is_firing then 1 else 0 end)
            over (partition by rule_name, firing_run order by window_end) >= fire_after_windows as is_opening,
        case
            when is_after_gap then 'rule_disabled'
            when outcome = 'ok' and sum(case when outcome = 'ok' then 1 else 0 end)
                over (partition by rule_name, ok_run order by window_end) >= resolve_after_windows then 'ok'
            when window_end - fired_at >= interval '24' hour then 'no_data'
        end as closing
    from runs
),

segments as (
    select
        *,
        max(case
            when closing = 'rule_disabled' then previous_end + interval '5' minute
            when closing is not null then window_end
        end) over (
            partition by rule_name
            order by window_end
            rows between unbounded preceding and current row
        ) as segment_began_at
    from signals
),

-- the firing windows before the streak that opened the incident are not part of it
opened as (
    select
        *,
        min(case when is_opening then window_end end) over (partition by rule_name, segment_began_at) as opened_at,
        min(case when is_opening then streak_began_at end) over (
            partition by rule_name, segment_began_at
        ) as first_firing_at
    from segments
),

summed as (
    select
        rule_name,
        segment_began_at,
        opened_at,
        first_firing_at,
        max(window_end) as newest_end,
        max(case when is_firing then window_end end) as last_firing_at,
        -- how the segment before this one ended
        max(case when window_end = segment_began_at or is_after_gap then closing end) as began_because,
        max(case when is_firing and window_end >= first_firing_at then observed_value end) as highest_value,
        min(case when is_firing and window_end >= first_firing_at then observed_value end) as lowest_value
    from opened
    group by rule_name, segment_began_at, opened_at, first_firing_at
),

closed as (
    select
        *,
        lead(segment_began_at) over by_segment as next_began_at,
        lead(began_because) over by_segment as next_began_because
    from summed
    window by_segment as (partition by rule_name order by segment_began_at nulls first)
),

stretches as (
    select
        *,
        case
            when next_began_at is not null then next_began_at
            when rule_name not in (select rule_name from judged) then newest_end + interval '5' minute
        end as resolved_at,
        case
            when next_began_at is not null then next_began_because
            when rule_name not in (select rule_name from judged) then 'rule_disabled'
        end as resolution
    from closed
    where opened_at is not null
),

-- what ended otherwise than as ok is final
reopened as (
    select
        *,
        coalesce(
            lag(resolution) over by_stretch = 'ok'
            and opened_at <= lag(resolved_at) over by_stretch + interval '60' minute,
            false
        ) as is_reopening
    from stretches
    window by_stretch as (partition by rule_name order by opened_at)
),

numbered as (
    select
        *,
        sum(case when is_reopening then 0 else 1 end) over (
            partition by rule_name order by opened_at
        ) as incident_number
    from reopened
),

-- of the stretches of an incident only the last can be open, or have ended otherwise than as ok
joined as (
    select
        rule_name,
        min(first_firing_at) as first_firing_at,
        min(opened_at) as opened_at,
        max(last_firing_at) as last_firing_at,
        case when count(resolved_at) = count(*) then max(resolved_at) end as resolved_at,
        case when count(resolved_at) = count(*) then coalesce(max(nullif(resolution, 'ok')), 'ok') end as resolution,
        max(newest_end) as newest_end,
        max(highest_value) as highest_value,
        min(lowest_value) as lowest_value,
        count(*) - 1 as reopened_count
    from numbered
    group by rule_name, incident_number
)

select
    md5(joined.rule_name || ' ' || cast(joined.opened_at as text)) as incident_key,
    joined.rule_name,
    opening.severity,
    opening.metric,
    opening.threshold,
    opening.comparison,
    opening.window_minutes,
    joined.first_firing_at,
    joined.opened_at,
    joined.last_firing_at,
    joined.resolved_at,
    joined.resolution,
    cast(
        extract(epoch from coalesce(joined.resolved_at, joined.newest_end) - joined.first_firing_at) / 60
        as bigint
    ) as duration_minutes,
    case
        when opening.comparison in ('>', '>=') then joined.highest_value
        else joined.lowest_value
    end as worst_value,
    joined.reopened_count
from joined
inner join marked as opening
    on joined.rule_name = opening.rule_name
    and joined.opened_at = opening.window_end
