-- A view: the same numbers as int_user_days, so that they stand once, and once only must be erased.
{{ config(materialized='view', meta={'time_column': 'activity_date', 'days_of': 'int_user_days'}) }}

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
    coalesce(activity_date + interval '1' day <= (select as_of from {{ ref('int_log_window') }}), false) as is_complete
from user_days
