-- When is the peak? The mean number of generations of each hour of the week (UTC), over the last 28 days: a row a
-- weekday (1 is Monday), a column an hour. Hours that still run are left out. Trap: hours are UTC; for a zone of
-- whole hours, add its offset to activity_hour before it is taken apart.
select
    extract(isodow from activity_hour) as weekday
    {%- for hour in range(24) %},
    round(cast(avg(generation_count) filter (where extract(hour from activity_hour) = {{ hour }}) as numeric(18, 6)), 1)
        as hour_{{ '%02d' % hour }}
    {%- endfor %}
from {{ ref('hourly_engagement') }}
where is_complete
    and activity_hour >= (select max(activity_date) from {{ ref('daily_engagement') }}) - 27
group by weekday
order by weekday
