-- How long until a new user's second generation? The median in minutes, and the share within a day. Trap: it is
-- asked of users whose first generation lies in the days that the fact holds, has had 7 days since, and is surely
-- their first.
with numbered as (
    select
        user_key,
        created_at,
        row_number() over (partition by user_key order by created_at, generation_id) as place
    from {{ ref('fct_generations') }}
    where user_key is not null
),

users as (
    select
        dim_users.first_generation_at as first_at,
        second.created_at as second_at
    from {{ ref('dim_users') }} as dim_users
    inner join {{ ref('daily_engagement') }} as days
        on cast(dim_users.first_generation_at as date) = days.activity_date
    inner join numbered as first_one
        on dim_users.user_key = first_one.user_key
        and dim_users.first_generation_at = first_one.created_at
        and first_one.place = 1
    left join numbered as second on dim_users.user_key = second.user_key and second.place = 2
    cross join {{ ref('warehouse_clock') }} as clock
    where not days.has_older_users and days.activity_date + 7 <= clock.last_complete_date
)

select
    count(*) as new_users,
    {{ ratio("count(*) filter (where second_at <= first_at + interval '1' day)", 'count(*)') }} as within_a_day_rate,
    percentile_cont(0.5) within group (order by extract(epoch from second_at - first_at) / 60)
        as median_minutes_of_those_who_came
from users
