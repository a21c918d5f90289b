-- Every row of the log, its time, ids, names and numbers read: null where they are missing or make no sense. The
-- documents are as logged.
{{ config(materialized='ephemeral') }}

{%- set highest_duration_ms = 86400000 %}

with log as (
    select {{ log_columns() | join(', ') }} from {{ source('application', 'generation_logs') }}
),

timed as (
    {{ with_time_read('log') }}
),

numbered as (
    {{ with_columns('timed', {
        'difficulty_level': usable_number('difficulty', var('max_difficulty')),
        'usable_duration_ms': usable_number('duration_ms', highest_duration_ms),
    }) }}
)

select
    {{ as_uuid('id') }} as generation_id,
    logged_at as created_at,
    {{ as_user_id('user_id') }} as user_id,
    {{ blank_to_null('cast(job_id as text)') }} as job_id,
    coalesce({{ plain_name('cast(style as text)') }}, 'unknown') as style,
    cast(case
        when difficulty_level >= {{ var('min_difficulty') }} and difficulty_level = round(difficulty_level, 0)
            then difficulty_level
    end as integer) as difficulty,
    lower({{ blank_to_null('cast(success as text)') }}) as outcome,
    {{ blank_to_null('cast(error_message as text)') }} as error_text,
    cast(round(usable_duration_ms, 0) as bigint) as duration_ms,
    costs,
    tokens,
    {{ row_hash() }} as row_hash
from numbered
