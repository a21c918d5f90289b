-- Every run reads all rows without a date and all of the future, whatever its days are.
{{ config(meta={'follows_log': true, 'also_replaced': "activity_date is null or issue = 'future_created_at'"}) }}

with log_rows as (
    select * from {{ ref('int_log_dispositions') }}
    where disposition != 'counted'
        or generation_id is not null and (
            user_key is null
            or difficulty is null
            or duration_ms is null
            or not has_outcome
            or is_success = has_error_message
            or costs_problem is not null
            or unusable_cost_names is not null
            or has_cost_mismatch
            or has_unrecorded_cost
            or has_unusable_photo_size
            or has_unusable_timings
            or tokens_problem is not null
            or unusable_token_names is not null
        )
),

issues as (
    -- what is not counted has one issue, and only that one
    select
        *,
        coalesce(set_aside_because, 'duplicate_id') as issue,
        case
            when disposition = 'repeated' then 'another row of the same id and day is counted'
            when set_aside_because = 'unreadable_row' then 'the line cannot be read'
            when set_aside_because = 'missing_id' then 'id is missing or no uuid'
            when set_aside_because = 'missing_created_at' then 'created_at is missing, no timestamp, or before 2000'
            else 'created_at is more than five minutes ahead of the time of the run'
        end as detail
    from log_rows
    where disposition != 'counted'

    {%- for issue, condition, detail in [
        ('missing_user', 'user_key is null', "'user_id is missing; counted in no number of users'"),
        ('invalid_difficulty', 'difficulty is null', "'difficulty is missing, no integer, or out of range'"),
        ('invalid_duration', 'duration_ms is null', "'duration_ms is missing, no number, negative, or above a day'"),
        ('missing_outcome', 'not has_outcome', "'success is missing, or no word for an outcome; counted as a failure'"),
        ('contradictory_outcome', 'is_success and has_error_message', "'a success with an error message'"),
        ('missing_error_message', 'not is_success and not has_error_message', "'a failure without an error message'"),
        ('malformed_costs', 'costs_problem is not null', 'costs_problem'),
        ('invalid_cost', 'unusable_cost_names is not null', "'unusable: ' || unusable_cost_names"),
        ('cost_mismatch', 'has_cost_mismatch', "'total is not the sum of the parts; the total counts'"),
        ('unrecorded_cost', 'has_unrecorded_cost', "'a failure whose costs are all zero: unknown'"),
        ('invalid_photo_size', 'has_unusable_photo_size', "'photo_size is no number, negative, or above 10¹¹'"),
        ('invalid_timings', 'has_unusable_timings', "'timings are no JSON, or hold a time that makes no sense'"),
        ('malformed_tokens', 'tokens_problem is not null', 'tokens_problem'),
        ('invalid_tokens', 'unusable_token_names is not null', "'unusable: ' || unusable_token_names"),
    ] %}

    union all

    select
        *,
        '{{ issue }}' as issue,
        {{ detail }} as detail
    from log_rows
    where disposition = 'counted' and {{ condition }}
    {%- endfor %}
)

select
    activity_date,
    generation_id,
    case when set_aside_because is null or set_aside_because != 'missing_created_at' then created_at end as created_at,
    issue,
    disposition,
    count(*) as row_count,
    -- rows without an id may share a row here; then the user is shown only if it is one and the same
    case
        when count(user_key) = count(*) and min(cast(user_key as text)) = max(cast(user_key as text))
            then cast(min(cast(user_key as text)) as uuid)
    end as user_key,
    min(detail) as detail,
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from issues
group by 1, 2, 3, 4, 5
