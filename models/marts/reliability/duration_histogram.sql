-- Counts of durations in buckets whose bounds grow geometrically. Counts add up over any days, styles and difficulties,
-- so percentiles over any of them come from here, long after the log is gone: the macro duration_quantiles does it.

{{ config(meta={'names_become_common': true}) }}

{%- set gamma = '(cast(1.01 as double precision) / cast(0.99 as double precision))' %}

with timed_generations as (
    select
        *,
        case
            when duration_ms = 0 then -1
            else cast(ceil(ln(cast(duration_ms as double precision)) / ln({{ gamma }})) as integer)
        end as bucket
    from ({{ generations_of_this_run() }}) as generations
    where duration_ms is not null
)

select
    activity_date,
    lasting_style as style,
    difficulty,
    is_success,
    bucket,
    count(*) as generation_count,
    case
        when bucket = -1 then 0
        else 2 * power({{ gamma }}, bucket) / ({{ gamma }} + 1)
    end as bucket_estimate_ms,
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from timed_generations
group by activity_date, lasting_style, difficulty, is_success, bucket
