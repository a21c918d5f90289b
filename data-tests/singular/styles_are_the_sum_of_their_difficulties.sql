{{ config(tags=['daily']) }}

with difficulties as (
    select
        activity_date,
        style,
        sum(generation_count) as generation_count,
        sum(success_count) as success_count,
        sum(total_duration_ms) as total_duration_ms,
        sum(total_cost_usd) as total_cost_usd,
        sum(total_tokens) as total_tokens
    from {{ ref('style_difficulty_performance') }}
    group by activity_date, style
)

select
    coalesce(styles.activity_date, difficulties.activity_date) as activity_date,
    coalesce(styles.style, difficulties.style) as style
from {{ ref('style_performance') }} as styles
full outer join difficulties
    on styles.activity_date = difficulties.activity_date and styles.style = difficulties.style
where {{ days_in_step('coalesce(styles.activity_date, difficulties.activity_date)') or 'true' }} and not coalesce(
    styles.generation_count = difficulties.generation_count
    and styles.success_count = difficulties.success_count
    and styles.total_duration_ms = difficulties.total_duration_ms
    and styles.total_cost_usd = difficulties.total_cost_usd
    and styles.total_tokens = difficulties.total_tokens,
    false
)
