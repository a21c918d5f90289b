{{ config(event_time='activity_hour', meta={'names_become_common': true}) }}

with timed_successes as (
    select * from ({{ generations_of_this_run() }}) as generations
    where is_success
        and duration_ms is not null
)

select
    activity_hour,
    lasting_style as style,
    {{ duration_measures() }},
    max(duration_ms) as max_duration_ms,
    {{ is_complete('activity_hour', "'1' hour") }} as is_complete
from timed_successes
group by activity_hour, lasting_style
