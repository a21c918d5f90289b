-- After a failure, does trying again help? By the failure's category: how many users tried again within 30 minutes,
-- and how many of these next tries succeeded. Trap: job_id is drawn at random and says nothing of attempts; user and
-- time say what belongs together.
with attempts as (
    select
        user_key,
        created_at,
        error_category,
        is_success,
        lead(created_at) over (partition by user_key order by created_at, generation_id) as next_at,
        lead(is_success) over (partition by user_key order by created_at, generation_id) as next_is_success
    from {{ ref('fct_generations') }}
    where user_key is not null
)

select
    error_category,
    count(*) as failure_count,
    count(*) filter (where next_at <= created_at + interval '30' minute) as retried_count,
    {{ ratio(
        "count(*) filter (where next_at <= created_at + interval '30' minute and next_is_success)",
        "count(*) filter (where next_at <= created_at + interval '30' minute)"
    ) }} as retry_success_rate
from attempts
where not is_success
group by error_category
order by failure_count desc, error_category
