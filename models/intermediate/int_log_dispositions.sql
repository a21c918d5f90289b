{{ config(materialized='view') }}

-- One row per row of int_log_rows, with what becomes of it: counted, set aside, or a repeat of one that is counted.
-- Of the rows of one id in one day the latest counts; of equally late ones, the first in the fixed order below, which
-- is the same on every engine (text is compared byte by byte) and for every salt (the user's key comes last).

with log_rows as (
    select * from {{ ref('int_log_rows') }}
),

placed as (
    select
        *,
        cast(1 as bigint) as place
    from log_rows
    where not is_id_repeated or set_aside_because is not null

    union all

    select
        *,
        row_number() over (
            partition by activity_date, generation_id
            order by
                created_at desc,
                is_success desc,
                total_cost_usd desc nulls last,
                duration_ms desc nulls last,
                total_tokens desc nulls last,
                vision_cost_usd desc nulls last,
                image_cost_usd desc nulls last,
                storage_cost_usd desc nulls last,
                input_tokens desc nulls last,
                output_tokens desc nulls last,
                difficulty desc nulls last,
                style collate "C",
                error_category collate "C" nulls last,
                error_signature collate "C" nulls last,
                job_id collate "C" nulls last,
                -- rows that differ only in what was unusable
                has_outcome desc,
                has_error_message desc,
                costs_problem collate "C" nulls last,
                tokens_problem collate "C" nulls last,
                unusable_cost_names collate "C" nulls last,
                unusable_token_names collate "C" nulls last,
                user_key nulls last
        ) as place
    from log_rows
    where is_id_repeated and set_aside_because is null
)

select
    *,
    case
        when set_aside_because is not null then 'set_aside'
        when place = 1 then 'counted'
        else 'repeated'
    end as disposition
from placed
