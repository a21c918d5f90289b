with generations as (
    select
        *,
        case
            when photo_size_bytes < 1048576 then 'below 1 MB'
            when photo_size_bytes < 5 * 1048576 then '1 to 5 MB'
            when photo_size_bytes < 10 * 1048576 then '5 to 10 MB'
            when photo_size_bytes <= 20 * 1048576 then '10 to 20 MB'
            else 'above 20 MB'
        end as photo_size_band
    from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
        and photo_size_bytes is not null
)

select
    activity_date,
    photo_size_band,
    {{- style_measures() }},
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from generations
group by activity_date, photo_size_band
