-- The rows of the log that this run reads, parsed once: from the first rebuilt day on, up to the clock, and all rows
-- without a date. The next run replaces them; they are the common source of fct_generations and generation_log_issues.

{%- set rows_of_this_run %}
    created_at between {{ log_replaced_from() }} and {{ as_of() }}
    or created_at > {{ run_at() }} + interval '5' minute
    or created_at < {{ earliest_created_at() }}
    or created_at is null
{%- endset %}

with log as {{ computed_once() }} (
    select * from {{ ref('stg_generation_logs') }}
    where {{ rows_of_this_run }}
),

judged as (
    select
        *,
        case
            when generation_id is null then 'missing_id'
            when created_at is null or created_at < {{ earliest_created_at() }} or not isfinite(created_at) then 'missing_created_at'
            when created_at > {{ run_at() }} + interval '5' minute then 'future_created_at'
        end as set_aside_because
    from log
),

-- found by the two columns alone, so that only the rows of a repeated id need to be compared whole
repeated_ids as (
    select
        generation_id,
        cast(created_at as date) as activity_date
    from {{ ref('stg_generation_logs') }}
    where generation_id is not null
        and created_at between {{ log_replaced_from() }} and {{ as_of() }}
    group by generation_id, cast(created_at as date)
    having count(*) > 1
)

select
    judged.*,
    case when judged.created_at >= {{ earliest_created_at() }} and isfinite(judged.created_at) then cast(judged.created_at as date) end
        as activity_date,
    repeated_ids.generation_id is not null as is_id_repeated
from judged
left join repeated_ids
    on judged.generation_id = repeated_ids.generation_id
    and cast(judged.created_at as date) = repeated_ids.activity_date
