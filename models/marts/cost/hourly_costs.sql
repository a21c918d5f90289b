{{ config(event_time='activity_hour') }}

{%- set first_hour = first_period('activity_hour', '1 hour') %}

with generations as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
),

hours as (
    select activity_hour
    from generate_series({{ first_hour }}, {{ as_of() }}, interval '1 hour') as every_hour (activity_hour)
),

costs as (
    select
        activity_hour,
        count(*) as generation_count,
        sum(total_cost_usd) as total_cost_usd,
        sum(vision_cost_usd) as vision_cost_usd,
        sum(image_cost_usd) as image_cost_usd,
        sum(storage_cost_usd) as storage_cost_usd,
        sum(unattributed_cost_usd) as unattributed_cost_usd,
        sum(total_cost_usd) filter (where not is_success) as failed_cost_usd,
        count(total_cost_usd) filter (where not is_success) as costed_failure_count,
        count(total_cost_usd) as costed_generation_count
    from generations
    group by activity_hour
),

hourly as (
    select
        hours.activity_hour,
        coalesce(costs.generation_count, 0) as generation_count,
        cast(coalesce(costs.total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
        cast(coalesce(costs.vision_cost_usd, 0) as numeric(18, 6)) as vision_cost_usd,
        cast(coalesce(costs.image_cost_usd, 0) as numeric(18, 6)) as image_cost_usd,
        cast(coalesce(costs.storage_cost_usd, 0) as numeric(18, 6)) as storage_cost_usd,
        cast(coalesce(costs.unattributed_cost_usd, 0) as numeric(18, 6)) as unattributed_cost_usd,
        cast(coalesce(costs.failed_cost_usd, 0) as numeric(18, 6)) as failed_cost_usd,
        coalesce(costs.costed_failure_count, 0) as costed_failure_count,
        coalesce(costs.costed_generation_count, 0) as costed_generation_count
    from hours
    left join costs on hours.activity_hour = costs.activity_hour
),

-- the hour before the first rebuilt one is already here
compared as (
    select
        *,
        cast(coalesce(
            lag(total_cost_usd) over (order by activity_hour),
            {%- if is_incremental() %}
            (
                select total_cost_usd from {{ this }}
                where activity_hour = {{ first_hour }} - interval '1' hour
                    -- an hour that is replaced may be gone: its generations were the first, and were deleted
                    and activity_hour < {{ rebuild_from() }}
            )
            {%- else %}
            null
            {%- endif %}
        ) as numeric(18, 6)) as previous_hour_cost_usd
    from hourly
)

select
    activity_hour,
    generation_count,
    total_cost_usd,
    vision_cost_usd,
    image_cost_usd,
    storage_cost_usd,
    unattributed_cost_usd,
    failed_cost_usd,
    previous_hour_cost_usd,
    {{ ratio('total_cost_usd - previous_hour_cost_usd', 'previous_hour_cost_usd') }} as cost_change_ratio,
    costed_failure_count,
    costed_generation_count,
    {{ is_complete('activity_hour', "'1' hour") }} as is_complete
from compared
