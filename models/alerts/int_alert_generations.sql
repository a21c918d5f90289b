-- The generations of the windows that this run judges, counted as in fct_generations. Of the log only what no run has
-- read is read; the rest is kept from the run before. So a row counts for the alerts if it is there when the settle
-- delay of its five minutes is over.
{{ config(
    tags=['alerts'],
    post_hook="
        insert into {{ internal_schema() }}.alert_progress (is_only_row, generations_from, generations_until)
        select true, generations_from, greatest(log_read_from, judged_to) from {{ ref('int_alert_window') }}
        where judged_to is not null
        on conflict (is_only_row) do update set
            generations_from = excluded.generations_from, generations_until = excluded.generations_until
    "
) }}

{%- set span = alert_span() %}

with log as {{ computed_once() }} (
    select * from {{ ref('stg_generation_logs') }}
    where created_at >= {{ span.log_read_from }} and created_at < {{ span.judged_to }}
        and created_at <= {{ latest_created_at() }}
        and generation_id is not null
),

placed as (
    select
        log.*,
        cast(log.created_at as date) as activity_date,
        row_number() over (
            partition by log.generation_id, cast(log.created_at as date)
            order by
                {{ repeat_order('log') }}
        ) as place
    from log
),

added as (
    select
        generation_id,
        activity_date,
        created_at,
        user_key,
        is_success,
        error_category,
        duration_ms,
        total_cost_usd,
        style,
        difficulty,
        error_signature
    from placed
    where place = 1
)

select * from added

union all

-- what is new is later, and replaces what it repeats
select kept.*
from {{ as_left_by_earlier_runs('intermediate', 'int_alert_generations', {
    'generation_id': 'uuid',
    'activity_date': 'date',
    'created_at': 'timestamp',
    'user_key': 'uuid',
    'is_success': 'boolean',
    'error_category': 'text',
    'duration_ms': 'bigint',
    'total_cost_usd': 'numeric(18, 6)',
    'style': 'text',
    'difficulty': 'integer',
    'error_signature': 'text',
}) }} as kept
left join added
    on kept.generation_id = added.generation_id
    and kept.activity_date = added.activity_date
where kept.created_at >= {{ span.generations_from }}
    and kept.created_at < {{ span.log_read_from }}
    and added.generation_id is null
