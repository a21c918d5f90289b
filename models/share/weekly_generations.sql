-- Generations by week, style and difficulty for people outside: each week is parted into groups of share_min_users
-- users or more, of whom nobody has more than half. Small parts are merged and not left blank, so whatever is added up
-- or subtracted is a union of such groups. A week is published once and never again, as the difference would tell of
-- the few whose rows have come or gone since. A week that is not safe as a whole has one row that says no more.
{{ config(pre_hook="{{ planned_with_hashes() }}") }}

with weeks as (
    select activity_week
    from {{ ref('int_whole_weeks') }}
    where activity_week >= (select min(activity_date) from {{ ref('fct_generations') }})
        {%- if is_incremental() %}
        and activity_week > (select coalesce(max(activity_week), date '1000-01-01') from {{ this }})
        {%- endif %}
),

first_week as (
    select min(activity_week) as activity_week from weeks
),

user_cells as {{ computed_once() }} (
    select
        weeks.activity_week,
        generations.style,
        coalesce(cast(generations.difficulty as text), 'unknown') as difficulty,
        generations.user_key,
        count(*) as generation_count,
        coalesce(sum(generations.total_cost_usd), 0) as total_cost_usd
    from {{ ref('fct_generations') }} as generations
    inner join weeks on cast(date_trunc('week', generations.activity_date) as date) = weeks.activity_week
    where generations.activity_date >= (select activity_week from first_week)
    group by weeks.activity_week, generations.style, generations.difficulty, generations.user_key
),

user_styles as {{ computed_once() }} (
    select
        activity_week,
        style,
        user_key,
        sum(generation_count) as generation_count,
        sum(total_cost_usd) as total_cost_usd
    from user_cells
    group by activity_week, style, user_key
),

styles as (
    {{ merged_parts('user_styles', ['activity_week'], 'style') }}
),

-- within each style that is shown, the difficulties in the same way
user_difficulties as {{ computed_once() }} (
    select
        user_cells.activity_week,
        styles.shown_style,
        user_cells.difficulty,
        user_cells.user_key,
        sum(user_cells.generation_count) as generation_count,
        sum(user_cells.total_cost_usd) as total_cost_usd
    from user_cells
    inner join styles on user_cells.activity_week = styles.activity_week and user_cells.style = styles.style
    where styles.shown_style is not null
    group by user_cells.activity_week, styles.shown_style, user_cells.difficulty, user_cells.user_key
),

difficulties as (
    {{ merged_parts('user_difficulties', ['activity_week', 'shown_style'], 'difficulty') }}
),

shown as (
    select
        cells.activity_week,
        cells.shown_style as style,
        difficulties.shown_difficulty as difficulty,
        count(distinct cells.user_key) as active_users,
        {{ total('cells.generation_count') }} as generation_count,
        {{ usd('cells.total_cost_usd') }} as total_cost_usd
    from user_difficulties as cells
    inner join difficulties
        on cells.activity_week = difficulties.activity_week
        and cells.shown_style = difficulties.shown_style
        and cells.difficulty = difficulties.difficulty
    group by cells.activity_week, cells.shown_style, difficulties.shown_difficulty
)

select
    weeks.activity_week,
    shown.style,
    shown.difficulty,
    shown.active_users,
    shown.generation_count,
    shown.total_cost_usd,
    (select run_at from {{ ref('int_log_window') }}) as published_at
from weeks
left join shown on weeks.activity_week = shown.activity_week
