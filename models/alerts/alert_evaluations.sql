-- Windows are judged once: rows are appended and never rewritten.
-- depends_on: {{ ref('service_health') }}
{{ config(
    tags=['alerts'],
    schema='marts',
    materialized='incremental',
    on_schema_change='append_new_columns',
    contract={'enforced': true},
    incremental_strategy='append',
    full_refresh=false,
    meta={'time_column': 'window_end'}
) }}

with judged as (
    {{ judged_windows(
        alert_rules(), ref('int_alert_generations'), usual_health(), judged_from(), judged_to()
    ) }}
)

select
    rule_name,
    window_end,
    severity,
    observed_value,
    threshold,
    sample_size,
    outcome,
    {{ wall_clock() }} as evaluated_at,
    metric,
    comparison,
    window_minutes,
    minimum_sample,
    fire_after_windows,
    resolve_after_windows,
    true as is_complete
from judged
{%- if is_incremental() %}
-- also where the window of the run is that of an earlier one
where window_end > coalesce((select max(window_end) from {{ this }}), timestamp '2000-01-01 00:00:00')
{%- endif %}
