-- One row, written when every other mart of the run has been: where one fails, the clock stays.
-- depends_on: {{ ref('dim_styles') }}, {{ ref('dim_users') }}
-- depends_on: {{ ref('style_performance') }}, {{ ref('style_difficulty_performance') }}, {{ ref('scene_performance') }}
-- depends_on: {{ ref('photo_size_performance') }}, {{ ref('cost_by_difficulty') }}, {{ ref('cost_by_user') }}
-- depends_on: {{ ref('hourly_costs') }}, {{ ref('hourly_engagement') }}, {{ ref('user_retention') }}
-- depends_on: {{ ref('wish_outcomes') }}
-- depends_on: {{ ref('response_times') }}, {{ ref('step_times') }}, {{ ref('error_analysis') }}
-- depends_on: {{ ref('service_health') }}, {{ ref('duration_histogram') }}, {{ ref('alert_evaluations') }}
{{ config(materialized='table', meta={'is_one_row': true}) }}

{#- by name: they are there once the alerts have run, which are separate runs -#}
{%- set evaluations = existing_relation('marts', 'alert_evaluations') %}
{%- set retention_lag_days = constant_of('select coalesce(max(retention_lag_days), 0) from ' ~ as_left_by_earlier_runs(
    'marts', 'warehouse_clock', {'retention_lag_days': 'integer'}
) ~ ' as left_behind', 'integer') %}

with run as (
    select * from {{ ref('int_log_window') }}
),

days as (
    select
        min(activity_date) as first_activity_date,
        max(activity_date) filter (where is_complete) as last_complete_date
    from {{ ref('daily_engagement') }}
),

generations as (
    select max(created_at) as newest_generation_at
    from {{ ref('fct_generations') }}
),

issues as (
    select {{ total('row_count', "disposition = 'set_aside'") }} as set_aside_row_count
    from {{ ref('generation_log_issues') }}
),

alerts as (
    {%- if evaluations %}
    select
        min(window_end) as judged_from,
        max(window_end) as judged_to
    from {{ evaluations }}
    {%- else %}
    select
        cast(null as timestamp) as judged_from,
        cast(null as timestamp) as judged_to
    {%- endif %}
)

select
    -- a log that has lost its newest rows, on a day that is left as it was, does not set the tables back
    greatest(run.as_of, generations.newest_generation_at) as as_of,
    days.first_activity_date,
    days.last_complete_date,
    generations.newest_generation_at,
    run.run_at as built_at,
    alerts.judged_from as alerts_judged_from,
    alerts.judged_to as alerts_judged_to,
    issues.set_aside_row_count,
    -- as it was at the end of the run before; at the end of this one it is measured again
    {{ retention_lag_days }} as retention_lag_days
from run
cross join days
cross join generations
cross join issues
cross join alerts
