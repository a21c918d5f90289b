{{ config(event_time='activity_hour') }}

with successes as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
        and is_success
),

timed_steps as (
    {%- for step in ['vision', 'image', 'storage'] %}
    select
        activity_hour,
        '{{ step }}' as step,
        {{ step }}_ms as step_ms
    from successes
    where {{ step }}_ms is not null
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
)

select
    activity_hour,
    step,
    count(*) as timed_count,
    {{ total('step_ms') }} as total_ms,
    {{ ratio('sum(step_ms)', 'count(*)') }} as avg_ms,
    (percentile_cont(array[0.5, 0.95, 0.99]) within group (order by step_ms))[1] as p50_ms,
    (percentile_cont(array[0.5, 0.95, 0.99]) within group (order by step_ms))[2] as p95_ms,
    (percentile_cont(array[0.5, 0.95, 0.99]) within group (order by step_ms))[3] as p99_ms,
    max(step_ms) as max_ms,
    {{ is_complete('activity_hour', "'1' hour") }} as is_complete
from timed_steps
group by activity_hour, step
