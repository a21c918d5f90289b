{{ config(meta={'names_become_common': true}) }}

with generations as (
    {{ generations_of_this_run() }}
)

select
    activity_date,
    lasting_style as style,
    {{- style_measures() }},
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from generations
group by activity_date, lasting_style
