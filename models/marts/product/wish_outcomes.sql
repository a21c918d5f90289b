-- A wish is made of the attempts of one user of which each follows a failure within 30 minutes. It belongs to the day
-- and the style of its first attempt: rebuild_from() goes back to where the oldest one began that the days in question
-- may go on with.
{{ config(meta={'names_become_common': true, 'has_wishes': true}) }}
{%- set first_date = rebuild_from() %}

with attempts as (
    select
        activity_date,
        style,
        created_at,
        generation_id,
        is_success,
        user_key,
        {{ is_first_attempt() }} as is_first_here
    from {{ ref('fct_generations') }}
    where activity_date >= {{ first_date }}
),

-- what goes on with a wish of a day before those
marked as (
    select
        attempts.*,
        attempts.is_first_here and continued.generation_id is null as is_first
    from attempts
    left join {{ ref('int_continued_wishes') }} as continued
        on attempts.activity_date = continued.activity_date
        and attempts.generation_id = continued.generation_id
),

numbered as (
    select
        *,
        count(*) filter (where is_first) over (
            partition by user_key
            order by created_at, generation_id
            rows unbounded preceding
        ) as wish_number
    from marked
),

wishes as (
    select
        wish_number,
        min(activity_date) as activity_date,
        max(style) filter (where is_first) as style,
        count(*) as attempt_count,
        bool_or(is_success) as is_fulfilled,
        max(created_at) + interval '30' minute < {{ as_of() }} as is_over
    from numbered
    group by user_key, wish_number
),

outcomes as (
    select
        activity_date,
        style,
        count(*) as wish_count,
        count(*) filter (where is_fulfilled and attempt_count = 1) as first_try_count,
        count(*) filter (where is_fulfilled) as fulfilled_count,
        count(*) filter (where not is_fulfilled and is_over) as given_up_count,
        sum(attempt_count) as attempt_count
    from wishes
    -- is counted where it began
    where wish_number > 0
    group by activity_date, style
    {%- if is_incremental() and makes_leaving_days() %}

    union all

    -- as they are, but for the names of styles that too few users had
    select
        activity_date,
        style,
        wish_count,
        first_try_count,
        fulfilled_count,
        given_up_count,
        attempt_count
    from {{ this }}
    where {{ is_leaving('activity_date') }} and activity_date < coalesce({{ first_date }}, date '9999-12-31')
    {%- endif %}
),

named as (
    select
        outcomes.*,
        case when rare_styles.name is null then outcomes.style else '(other)' end as lasting_style
    from outcomes
    left join {{ ref('int_rare_names') }} as rare_styles
        on rare_styles.kind = 'style'
        and outcomes.activity_date = rare_styles.activity_date
        and outcomes.style = rare_styles.name
)

select
    activity_date,
    lasting_style as style,
    {{ total('wish_count') }} as wish_count,
    {{ total('first_try_count') }} as first_try_count,
    {{ total('fulfilled_count') }} as fulfilled_count,
    {{ total('given_up_count') }} as given_up_count,
    {{ total('attempt_count') }} as attempt_count,
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from named
group by activity_date, lasting_style
