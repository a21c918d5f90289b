-- One row per row of the log, with its time alone, as in stg_generation_logs: for what asks how far the log reaches,
-- and whether a day has changed. There PostgreSQL would read every document on the way to the times; here its index on
-- created_at answers.
with log as (
    {{ log_rows() }}
),

timed as (
    {{ with_time_read('log') }}
)

select
    logged_at as created_at,
    {{ row_hash() }} as row_hash
from timed
