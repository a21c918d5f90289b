{{ config(meta={'names_become_common': true}) }}

with failures as (
    select * from ({{ generations_of_this_run() }}) as generations
    where not is_success
),

error_categories as (
    select * from {{ ref('error_categories') }}
)

select
    failures.activity_date,
    failures.error_category,
    failures.lasting_signature as error_signature,
    count(*) as error_count,
    count(distinct failures.user_key) as affected_users,
    count(failures.duration_ms) as timed_failure_count,
    {{ total('failures.duration_ms') }} as total_failure_duration_ms,
    {{ ratio('sum(failures.duration_ms)', 'count(failures.duration_ms)') }} as avg_failure_duration_ms,
    {{ usd('failures.total_cost_usd') }} as failed_cost_usd,
    coalesce(bool_or(error_categories.is_retryable), false) as is_retryable,
    min(failures.created_at) as first_seen_at,
    max(failures.created_at) as last_seen_at,
    count(failures.total_cost_usd) as costed_failure_count,
    {{ is_complete('failures.activity_date', "'1' day") }} as is_complete
from failures
left join error_categories on failures.error_category = error_categories.error_category
group by failures.activity_date, failures.error_category, failures.lasting_signature
