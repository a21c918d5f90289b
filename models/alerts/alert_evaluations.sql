-- Windows are judged once: rows are appended and never rewritten.
{{ config(
    tags=['alerts'],
    pre_hook="{{ planned_for_one_pass() }}",
    schema='marts',
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    on_schema_change='append_new_columns',
    contract={'enforced': true},
    event_time='window_end'
) }}

with judged as (
    select * from {{ ref('judged_windows') }}
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
    evidence,
    witness_count,
    affected_witness_count,
    minimum_evidence,
    true as is_complete
from judged
{%- if is_incremental() %}
-- also where the window of the run is that of an earlier one
where window_end > coalesce((select max(window_end) from {{ this }}), timestamp '2000-01-01 00:00:00')
{%- endif %}
