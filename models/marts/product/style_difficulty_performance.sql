with generations as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
)

select
    activity_date,
    style,
    difficulty,
    {{- style_measures() }},
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from generations
group by activity_date, style, difficulty
