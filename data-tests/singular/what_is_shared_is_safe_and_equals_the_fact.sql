-- Of the weeks that this run has published: each generation of the fact is in the one row that its style and difficulty
-- name, and each row has enough users, of whom nobody has more than half, and the sums of its generations. Later the
-- fact may change, and what is published stays.
{{ config(tags=['daily']) }}

with published as (
    select * from {{ ref('weekly_generations') }}
    where style is not null
        and published_at = (select run_at from {{ ref('int_log_window') }})
        and activity_week >= (select min(activity_date) from {{ ref('fct_generations') }})
),

styles as (
    select distinct
        activity_week,
        style
    from published
),

generations as (
    select
        cast(date_trunc('week', activity_date) as date) as activity_week,
        style,
        coalesce(cast(difficulty as text), 'unknown') as difficulty,
        user_key,
        total_cost_usd
    from {{ ref('fct_generations') }}
    where activity_date >= (select min(activity_week) from published)
),

in_styles as (
    select
        generations.*,
        coalesce(named.style, merged.style) as shown_style
    from generations
    left join styles as named
        on generations.activity_week = named.activity_week and generations.style = named.style
    left join styles as merged
        on generations.activity_week = merged.activity_week and merged.style in ('(other)', '(all)')
    where generations.activity_week in (select activity_week from published)
),

in_rows as (
    select
        in_styles.activity_week,
        in_styles.shown_style as style,
        coalesce(named.difficulty, merged.difficulty) as difficulty,
        in_styles.user_key,
        count(*) as generation_count,
        coalesce(sum(in_styles.total_cost_usd), 0) as total_cost_usd
    from in_styles
    left join published as named
        on in_styles.activity_week = named.activity_week
        and in_styles.shown_style = named.style
        and in_styles.difficulty = named.difficulty
    left join published as merged
        on in_styles.activity_week = merged.activity_week
        and in_styles.shown_style = merged.style
        and merged.difficulty in ('(other)', '(all)')
    group by
        in_styles.activity_week,
        in_styles.shown_style,
        coalesce(named.difficulty, merged.difficulty),
        in_styles.user_key
),

found as (
    select
        activity_week,
        style,
        difficulty,
        count(user_key) as active_users,
        sum(generation_count) as generation_count,
        sum(total_cost_usd) as total_cost_usd,
        coalesce(max(generation_count) filter (where user_key is not null), 0)
        + coalesce(max(generation_count) filter (where user_key is null), 0) as most_generations,
        coalesce(max(total_cost_usd) filter (where user_key is not null), 0)
        + coalesce(max(total_cost_usd) filter (where user_key is null), 0) as most_cost_usd
    from in_rows
    group by activity_week, style, difficulty
)

select
    found.*,
    published.active_users as published_users,
    published.generation_count as published_generations,
    published.total_cost_usd as published_cost_usd
from found
full outer join published
    on found.activity_week = published.activity_week
    and found.style = published.style
    and found.difficulty = published.difficulty
where not coalesce(
    found.active_users = published.active_users
    and found.generation_count = published.generation_count
    and found.total_cost_usd = published.total_cost_usd
    and found.active_users >= {{ var('share_min_users') }}
    and 2 * found.most_generations <= found.generation_count
    and 2 * found.most_cost_usd <= found.total_cost_usd,
    false
)
