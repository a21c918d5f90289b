with generations as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
        and scene_type is not null
)

select
    activity_date,
    scene_type,
    {{- style_measures() }},
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from generations
group by activity_date, scene_type
