{{ config(materialized='view') }}

-- One row per row of int_log_rows, with what becomes of it: counted, set aside, or a repeat of one that is counted. Of
-- the rows of one id in one day the latest counts; of equally late ones, the first in the fixed order of
-- repeat_order().

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
                {{ repeat_order('log_rows') }}
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
