-- One row per day, style and spelling of its name in the log, kept for good: single generations have the style alone.
-- Between the issues and the fact, so that a run that is killed there is caught up:
-- depends_on: {{ ref('generation_log_issues') }}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='append_new_columns',
    event_time='activity_date',
    meta={'follows_log': true},
    indexes=[{'columns': ['activity_date']}]
) }}

select
    activity_date,
    style,
    coalesce(style_as_logged, style) as spelling,
    count(*) as generation_count,
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from {{ ref('int_log_dispositions') }}
where disposition = 'counted'
group by activity_date, style, coalesce(style_as_logged, style)
