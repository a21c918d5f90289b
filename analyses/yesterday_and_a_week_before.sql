-- How was yesterday beside the same weekday a week before? Trap: yesterday is the last complete day, not the newest
-- row.
select
    days.activity_date,
    days.generation_count,
    days.daily_active_users,
    {{ ratio('days.generation_count - before.generation_count', 'before.generation_count') }}
        as change_of_generations_ratio,
    {{ ratio('days.daily_active_users - before.daily_active_users', 'before.daily_active_users') }}
        as change_of_users_ratio
from {{ ref('warehouse_clock') }} as clock
inner join {{ ref('daily_engagement') }} as days on clock.last_complete_date = days.activity_date
left join {{ ref('daily_engagement') }} as before
    on clock.last_complete_date - 7 = before.activity_date and before.is_complete
