{{ config(materialized='view') }}

-- One row per row of int_log_rows, with what becomes of it: counted, set aside, or a repeat of one that is counted.
-- Of the rows of one id in one day the latest counts; of equally late ones, the first in the fixed order below, which
-- is the same on every engine (text is compared byte by byte) and for every salt (the user's key comes last).

with placed as (
    select
        log_rows.*,
        cast(1 as bigint) as place
    from {{ ref('int_log_rows') }} as log_rows
    left join {{ ref('int_repeated_ids') }} as repeated
        on log_rows.generation_id = repeated.generation_id
        and log_rows.activity_date = repeated.activity_date
        and log_rows.set_aside_because is null
    where repeated.generation_id is null

    union all

    select
        log_rows.*,
        row_number() over (
            partition by log_rows.activity_date, log_rows.generation_id
            order by
                log_rows.created_at desc,
                log_rows.is_success desc,
                log_rows.total_cost_usd desc nulls last,
                log_rows.duration_ms desc nulls last,
                log_rows.total_tokens desc nulls last,
                log_rows.vision_cost_usd desc nulls last,
                log_rows.image_cost_usd desc nulls last,
                log_rows.storage_cost_usd desc nulls last,
                log_rows.input_tokens desc nulls last,
                log_rows.output_tokens desc nulls last,
                log_rows.difficulty desc nulls last,
                log_rows.style collate "C",
                log_rows.error_category collate "C" nulls last,
                log_rows.error_signature collate "C" nulls last,
                log_rows.job_id collate "C" nulls last,
                -- rows that differ only in what was unusable
                log_rows.has_outcome desc,
                log_rows.has_error_message desc,
                log_rows.costs_problem collate "C" nulls last,
                log_rows.tokens_problem collate "C" nulls last,
                log_rows.unusable_cost_names collate "C" nulls last,
                log_rows.unusable_token_names collate "C" nulls last,
                log_rows.user_key nulls last
        ) as place
    from {{ ref('int_log_rows') }} as log_rows
    inner join {{ ref('int_repeated_ids') }} as repeated
        on log_rows.generation_id = repeated.generation_id
        and log_rows.activity_date = repeated.activity_date
    where log_rows.set_aside_because is null
)

select
    *,
    case
        when set_aside_because is not null then 'set_aside'
        when place = 1 then 'counted'
        else 'repeated'
    end as disposition
from placed
