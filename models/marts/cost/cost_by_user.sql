-- A view: the same numbers as int_user_days, so that they are stored once, and once only must be erased.
{{ config(materialized='view', meta={'days_of': 'int_user_days'}) }}

with user_days as (
    select * from {{ ref('int_user_days') }}
)

select
    activity_date,
    user_key,
    generation_count,
    success_count,
    total_cost_usd,
    failed_cost_usd,
    total_tokens,
    costed_failure_count,
    counted_input_generation_count,
    counted_output_generation_count,
    -- days that no run has rebuilt since the column is there were over long ago
    coalesce(is_complete, true) as is_complete
from user_days
