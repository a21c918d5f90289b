{{ config(event_time='activity_hour') }}

with timed_successes as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
        and is_success
        and duration_ms is not null
)

select
    activity_hour,
    style,
    {{ duration_measures() }},
    max(duration_ms) as max_duration_ms,
    {{ is_complete('activity_hour', "'1' hour") }} as is_complete
from timed_successes
group by activity_hour, style
