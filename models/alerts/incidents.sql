-- Made from the evaluations that can still change an incident, so a run costs what is open and recent.
{{ config(
    tags=['alerts'],
    pre_hook="{{ planned_for_one_pass() }}",
    schema='marts',
    materialized='incremental',
    on_schema_change='append_new_columns',
    contract={'enforced': true},
    incremental_strategy='delete+insert',
    unique_key='incident_key',
    full_refresh=false,
    event_time='opened_at',
    post_hook="
        insert into {{ internal_schema() }}.alert_progress (is_only_row, incidents_until)
        select true, max(window_end) from {{ ref('alert_evaluations') }}
        having max(window_end) is not null
        on conflict (is_only_row) do update set incidents_until = excluded.incidents_until
    "
) }}

with stretches as {{ computed_once() }} (
    select * from {{ ref('incident_stretches') }}
),

hit as (
    select
        incident_key,
        {{ total('generation_count') }} as affected_generation_count,
        count(distinct user_key) as affected_users,
        {{ usd('lost_cost_usd') }} as lost_cost_usd,
        -- a release without these columns may have counted a part of the incident
        case when count(affected_failure_count) = count(*) then {{ total('affected_failure_count') }} end
            as affected_failure_count,
        case when count(costed_failure_count) = count(*) then {{ total('costed_failure_count') }} end
            as costed_failure_count
    from {{ ref('int_incident_users') }}
    where incident_key in (select incident_key from stretches)
    group by incident_key
)

select
    stretches.incident_key,
    stretches.rule_name,
    stretches.severity,
    stretches.metric,
    stretches.threshold,
    stretches.comparison,
    stretches.first_firing_at,
    stretches.opened_at,
    stretches.last_firing_at,
    stretches.resolved_at,
    stretches.resolution,
    stretches.duration_minutes,
    stretches.worst_value,
    coalesce(hit.affected_generation_count, 0) as affected_generation_count,
    coalesce(hit.affected_users, 0) as affected_users,
    cast(coalesce(hit.lost_cost_usd, 0) as numeric(18, 6)) as lost_cost_usd,
    case when hit.incident_key is null then 0 else hit.affected_failure_count end as affected_failure_count,
    case when hit.incident_key is null then 0 else hit.costed_failure_count end as costed_failure_count,
    stretches.reopened_count,
    -- what was said stays where the generations are no longer at hand
    case when reasons.incident_key is null then earlier.explanation else reasons.explanation end as explanation
from stretches
left join hit on stretches.incident_key = hit.incident_key
left join {{ ref('incident_reasons') }} as reasons on stretches.incident_key = reasons.incident_key
left join {{ as_left_by_earlier_runs('marts', 'incidents', {'incident_key': 'text', 'explanation': 'text'}) }}
    as earlier on stretches.incident_key = earlier.incident_key
