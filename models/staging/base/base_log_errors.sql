-- The rows of the log with the category and the signature of a failure. No error text passes: a known pattern gives its
-- own text, any other message is scrubbed.
{{ config(materialized='ephemeral') }}

with log_rows as (
    select * from {{ ref('base_log_details') }}
),

error_patterns as (
    select * from {{ ref('error_patterns') }}
),

matched as (
    {{ with_columns('log_rows', {
        'error_pattern': 'case when not is_success then ' ~ error_pattern('error_text') ~ ' end'
    }) }}
)

select
    matched.*,
    case when not matched.is_success then coalesce(error_patterns.error_category, 'unknown') end as error_category,
    case
        when matched.is_success then null
        when matched.error_text is null then '(no message)'
        else coalesce(error_patterns.error_signature, nullif({{ scrubbed('matched.error_text') }}, ''), '(no message)')
    end as error_signature,
    matched.error_text is not null as has_error_message
from matched
left join error_patterns on matched.error_pattern = error_patterns.position
