-- The rows of the log that this run reads, parsed once: from the first rebuilt day on, up to the clock, and all rows
-- without a date. The next run replaces them; they are the common source of fct_generations and generation_log_issues.

{{ config(
    pre_hook="{{ planned_for_one_pass() }}",
    post_hook="{{ stop_where_most_is_set_aside() }}"
) }}

{%- set span, held_back = log_span(), held_back_days() %}
{%- set rows_of_this_run %}
    created_at between {{ span.rebuild_from }} and {{ span.as_of }}
    {%- if held_back %} and cast(created_at as date) not in ({{ held_back | join(', ') }}){% endif %}
    or created_at > {{ latest_created_at(span.run_at) }}
    or created_at < {{ earliest_created_at() }}
    or created_at is null
{%- endset %}

with log as {{ computed_once() }} (
    select * from {{ ref('stg_generation_logs') }}
    where {{ rows_of_this_run }}
)

select
    *,
    case
        when is_unreadable then 'unreadable_row'
        when generation_id is null then 'missing_id'
        when created_at is null or created_at < {{ earliest_created_at() }} or not isfinite(created_at)
            then 'missing_created_at'
        when created_at > {{ latest_created_at(span.run_at) }} then 'future_created_at'
    end as set_aside_because,
    case
        when created_at >= {{ earliest_created_at() }} and isfinite(created_at) then cast(created_at as date)
    end as activity_date
from log
