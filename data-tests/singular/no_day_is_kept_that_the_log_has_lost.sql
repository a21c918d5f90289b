-- The days that were kept as they are although the log has lost many of their rows: a file that is missing, or rows
-- that were deleted. The next daily run that sees the same replaces them.
{{ config(severity='warn') }}

select
    log_days.activity_date,
    log_days.known_row_count,
    log_days.row_count
from {{ ref('int_log_days') }} as log_days
cross join {{ ref('int_log_window') }} as log_window
where log_days.is_held_back
    and (log_window.log_first_at is null or log_days.activity_date > cast(log_window.log_first_at as date))
order by log_days.activity_date
