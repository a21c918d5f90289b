-- From the first to the last of the log there is no gap: as many rows as there are periods between the ends.
{{ config(tags=['daily']) }}

select
    'hourly_engagement' as mart,
    count(*) as row_count
from {{ ref('hourly_engagement') }}
having count(*) != coalesce(extract(epoch from max(activity_hour) - min(activity_hour)) / 3600 + 1, 0)

union all

select
    'hourly_costs' as mart,
    count(*) as row_count
from {{ ref('hourly_costs') }}
having count(*) != coalesce(extract(epoch from max(activity_hour) - min(activity_hour)) / 3600 + 1, 0)

union all

select
    'service_health' as mart,
    count(*) as row_count
from {{ ref('service_health') }}
having count(*) != coalesce(extract(epoch from max(window_start) - min(window_start)) / 300 + 1, 0)

union all

select
    'daily_engagement' as mart,
    count(*) as row_count
from {{ ref('daily_engagement') }}
having count(*) != coalesce(max(activity_date) - min(activity_date) + 1, 0)
