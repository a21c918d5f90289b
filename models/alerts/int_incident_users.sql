-- Whom the incidents hit: what each run adds to an incident, by user. A run adds the affected generations from where
-- the run before it stopped to the end of the last firing window.
{{ config(
    tags=['alerts'],
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    on_schema_change='append_new_columns',
    indexes=[{'columns': ['incident_key']}, {'columns': ['user_key']}]
) }}

with stretches as {{ computed_once() }} (
    select * from {{ ref('incident_stretches') }}
),

slices as (
    select
        stretches.*,
        {%- if is_incremental() %}
        coalesce(
            (select max(counted_until) from {{ this }} as counted where counted.incident_key = stretches.incident_key),
            stretches.first_firing_at - interval '1' minute * stretches.window_minutes
        ) as counted_from
        {%- else %}
        stretches.first_firing_at - interval '1' minute * stretches.window_minutes as counted_from
        {%- endif %}
    from stretches
)

select
    incidents.incident_key,
    incidents.last_firing_at as counted_until,
    generations.user_key,
    count(generations.generation_id) as generation_count,
    {{ usd('generations.total_cost_usd', 'not generations.is_success') }} as lost_cost_usd,
    count(generations.generation_id) filter (where not generations.is_success) as affected_failure_count,
    count(generations.total_cost_usd) filter (where not generations.is_success) as costed_failure_count
from slices as incidents
left join {{ ref('int_alert_generations') }} as generations
    on incidents.counted_from <= generations.created_at
    and incidents.last_firing_at > generations.created_at
    and {{ is_affected() }}
where incidents.last_firing_at > incidents.counted_from
group by incidents.incident_key, incidents.last_firing_at, generations.user_key
