-- One row per generation with which a user goes on, after midnight, with a wish of the day before. Where that day is
-- trimmed while this one stays, nothing else knows it.
{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='append_new_columns',
    event_time='activity_date',
    indexes=[{'columns': ['activity_date', 'generation_id'], 'unique': true}]
) }}

{%- set first_date = rebuild_from() %}

with attempts as (
    select
        activity_date,
        generation_id,
        lag(activity_date) over (partition by user_key order by created_at, generation_id) as previous_date,
        {{ is_first_attempt() }} as is_first
    from {{ ref('fct_generations') }}
    where activity_date >= {{ first_date }} - 1
)

select
    activity_date,
    generation_id
from attempts
where activity_date >= {{ first_date }}
    and previous_date < activity_date
    and not is_first
{%- if is_incremental() %}

union all

select
    activity_date,
    generation_id
from {{ this }}
where activity_date >= {{ first_date }}
    and activity_date = (select min(activity_date) from {{ ref('fct_generations') }})
{%- endif %}
