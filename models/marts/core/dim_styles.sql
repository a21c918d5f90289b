{{ config(materialized='table', tags=['daily']) }}

with styles as (
    select
        style,
        min(activity_date) as first_seen_date,
        max(activity_date) as last_seen_date,
        cast(sum(generation_count) as bigint) as generation_count
    from {{ ref('style_performance') }}
    group by style
),

spellings as (
    select
        style,
        spelling,
        row_number() over (
            partition by style order by sum(generation_count) desc, spelling collate "C"
        ) as place
    from {{ ref('int_style_spellings') }} as spellings
    -- of the days in which the style still has its name
    where exists (
        select 1 from {{ ref('style_performance') }} as performance
        where performance.style = spellings.style and performance.activity_date = spellings.activity_date
    )
    group by style, spelling
)

select
    styles.style,
    coalesce(spellings.spelling, styles.style) as display_name,
    styles.first_seen_date,
    styles.last_seen_date,
    styles.generation_count
from styles
left join spellings on styles.style = spellings.style and spellings.place = 1
