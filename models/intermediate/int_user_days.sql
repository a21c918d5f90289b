-- One row per user and day of activity, kept for good: all that is known about users is made from it.
{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='append_new_columns',
    event_time='activity_date',
    indexes=[{'columns': ['activity_date']}, {'columns': ['user_key', 'activity_date'], 'unique': true}]
) }}

{%- set first_date = rebuild_from() %}

with generations as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ first_date }}
        and user_key is not null
),

user_days as (
    select
        user_key,
        activity_date,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count,
        {{ usd('total_cost_usd') }} as total_cost_usd,
        {{ usd('total_cost_usd', 'not is_success') }} as failed_cost_usd,
        {{ total('total_tokens') }} as total_tokens,
        min(created_at) as first_generation_at,
        max(created_at) as last_generation_at,
        min(created_at) filter (where is_success) as first_success_at,
        count(total_cost_usd) filter (where not is_success) as costed_failure_count,
        count(input_tokens) as counted_input_generation_count,
        count(output_tokens) as counted_output_generation_count,
        {{ first_in_order('style', 'created_at, style collate "C"') }} as first_style
    from generations
    group by user_key, activity_date
),

-- what is known of these users from before the days that are rebuilt
known_before as (
    {%- if is_incremental() %}
    {{ first_ever_at_before(this, 'user_days', first_date) }}
    {%- else %}
    select
        user_key,
        first_generation_at as first_ever_at
    from user_days
    where false
    {%- endif %}
)

select
    user_days.*,
    coalesce(
        known_before.first_ever_at,
        min(user_days.first_generation_at) over (partition by user_days.user_key)
    ) as first_ever_at,
    {{ is_complete('user_days.activity_date', "'1' day") }} as is_complete
from user_days
left join known_before on user_days.user_key = known_before.user_key
