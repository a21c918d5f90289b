-- Every row of the log, its time, ids, names and numbers read: null where they are missing or make no sense. The
-- documents are as logged.
{{ config(materialized='ephemeral') }}

{%- set highest_duration_ms = 86400000 %}

with log as (
    {{ log_rows() }}
),

timed as (
    {{ with_time_read('log') }}
),

numbered as (
    {{ with_columns('timed', {
        'difficulty_level': usable_number('difficulty', var('max_difficulty')),
        'usable_duration_ms': usable_number('duration_ms', highest_duration_ms),
        'outcome': as_outcome('success'),
        'logged_style': blank_to_null('cast(style as text)'),
    }) }}
)

select
    {{ as_uuid('id') }} as generation_id,
    logged_at as created_at,
    {{ as_user_id('user_id') }} as user_id,
    {{ blank_to_null('cast(job_id as text)') }} as job_id,
    coalesce({{ style_name('logged_style') }}, 'unknown') as style,
    left(logged_style, 100) as style_as_logged,
    cast(case
        when difficulty_level >= {{ var('min_difficulty') }} and difficulty_level = round(difficulty_level, 0)
            then difficulty_level
    end as integer) as difficulty,
    coalesce(outcome, false) as is_success,
    outcome is not null as has_outcome,
    {{ blank_to_null('cast(error_message as text)') }} as error_text,
    cast(round(usable_duration_ms, 0) as bigint) as duration_ms,
    costs,
    tokens,
    -- as logged; null where the log has no such column
    scene,
    photo_size,
    timings,
    model,
    is_unreadable,
    {{ row_hash() }} as row_hash
from numbered
