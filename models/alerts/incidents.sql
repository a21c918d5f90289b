-- Made from the evaluations that can still change an incident, so a run costs what is open and recent.
{{ config(
    tags=['alerts'],
    schema='marts',
    materialized='incremental',
    on_schema_change='append_new_columns',
    contract={'enforced': true},
    incremental_strategy='delete+insert',
    unique_key='incident_key',
    full_refresh=false,
    meta={'time_column': 'opened_at'},
    post_hook="{{ record_incidents() }}"
) }}

with evaluations as materialized (
    {{ unsettled_evaluations() }}
),

stretches as materialized (
    {{ incident_stretches('evaluations', alert_rules()) }}
),

hit as (
    select
        incident_key,
        {{ total('generation_count') }} as affected_generation_count,
        count(distinct user_key) as affected_users,
        {{ usd('lost_cost_usd') }} as lost_cost_usd
    from {{ ref('int_incident_users') }}
    where incident_key in (select incident_key from stretches)
    group by incident_key
)

select
    {{ incident_columns() }}
from stretches
left join hit on stretches.incident_key = hit.incident_key
