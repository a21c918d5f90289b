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
left join {{ ref('erased_users') }} as erased
    on {{ erasure_hash(user_digest(as_user_id('timed.user_id'))) }} = erased.erasure_hash
where {{ is_not_erased('timed.logged_at') }}
