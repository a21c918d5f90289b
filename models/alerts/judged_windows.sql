-- Every rule judged at every five-minute mark that is due: one row per rule and window_end. Rows are counted once, into
-- slots of five minutes with running totals: what a window of any length holds is the difference of two of them. What
-- each metric is: macros/alerts/metrics.sql. python -m warehouse backtest judges any past range with this SQL, and
-- other rules.
-- depends_on: {{ ref('service_health') }}
{{ config(materialized='ephemeral', tags=['alerts']) }}

{#- an alert run need not have service_health, and knows nothing of other weeks then #}
{%- set health = ref('service_health') if existing_relation('marts', 'service_health') else as_left_by_earlier_runs(
    'marts', 'service_health', {
        'window_start': 'timestamp',
        'generation_count': 'bigint',
        'total_cost_usd': 'numeric(18, 6)',
        'is_complete': 'boolean',
    }
) %}
{%- set counts = [
    'generation_count', 'failure_count', 'timed_success_count', 'rate_limit_error_count', 'quota_or_billing_error_count'
] %}

with rules as (
    select * from {{ valid_rules(ref('alert_rules')) }} as valid
),

bounds as (
    select
        alert_window.judged_from,
        alert_window.judged_to,
        alert_window.judged_from
        - interval '1' minute * (select coalesce(max(2 * window_minutes), 0) from rules) as first_slot
    from {{ ref('int_alert_window') }} as alert_window
),

counted as (
    select
        {{ five_minutes('created_at') }} as slot_start,
        count(*) as generation_count,
        count(*) filter (where not is_success) as failure_count,
        count(duration_ms) filter (where is_success) as timed_success_count,
        count(*) filter (where error_category = 'rate_limit') as rate_limit_error_count,
        count(*) filter (where error_category in ('quota', 'billing')) as quota_or_billing_error_count,
        sum(total_cost_usd) as total_cost_usd
    from {{ ref('int_alert_generations') }}
    where created_at >= (select first_slot from bounds) and created_at < (select judged_to from bounds)
    group by 1
),

-- up to each mark, from the first
running as (
    select
        every_mark.mark,
        {%- for count in counts %}
        coalesce(cast(sum(counted.{{ count }}) over up_to_here as bigint), 0) as {{ count }},
        {%- endfor %}
        coalesce(sum(counted.total_cost_usd) over up_to_here, 0) as total_cost_usd
    from generate_series(
        (select first_slot from bounds), (select judged_to from bounds), interval '5 minutes'
    ) as every_mark (mark)
    left join counted on every_mark.mark - interval '5' minute = counted.slot_start
    window up_to_here as (order by every_mark.mark)
),

-- what each rule sees at each mark: its window, the shorter window within it, and the window before it
windows as (
    select
        rules.*,
        here.mark as window_end,
        {%- for count in counts + ['total_cost_usd'] %}
        here.{{ count }} - began.{{ count }} as {{ count }},
        {%- endfor %}
        here.generation_count - shorter.generation_count as shorter_generation_count,
        here.failure_count - shorter.failure_count as shorter_failure_count,
        began.generation_count - earlier.generation_count as earlier_generation_count,
        began.total_cost_usd - earlier.total_cost_usd as earlier_cost_usd
    from rules
    inner join running as here on here.mark between (select judged_from from bounds) and (select judged_to from bounds)
    inner join running as began on here.mark - interval '1' minute * rules.window_minutes = began.mark
    left join running as shorter on here.mark - interval '1' minute * rules.second_window_minutes = shorter.mark
    left join running as earlier on began.mark - interval '1' minute * rules.window_minutes = earlier.mark
),

-- percentiles do not add up: these alone need the rows of each window
percentiles as (
    select
        lengths.window_minutes,
        {{ five_minutes('timed.created_at') }} + interval '5' minute * steps.step as window_end,
        {{ percentile(0.95, 'timed.duration_ms', 'true') }} as p95_duration_ms
    from (
        select distinct window_minutes from rules
        where metric = 'p95_duration_ms'
    ) as lengths
    inner join generate_series(1, 288) as steps (step) on steps.step * 5 <= lengths.window_minutes
    inner join {{ ref('int_alert_generations') }} as timed
        on timed.created_at >= (select judged_from from bounds) - interval '1' minute * lengths.window_minutes
        and timed.created_at < (select judged_to from bounds)
        and timed.is_success
        and timed.duration_ms is not null
    group by 1, 2
),

-- the weeks before, as far as they are known
health as (
    select
        window_start + interval '5' minute as mark,
        row_number() over up_to_here as place,
        sum(generation_count) over up_to_here as generation_count,
        sum(total_cost_usd) over up_to_here as total_cost_usd
    from {{ health }} as known
    where is_complete
        and window_start >= (select first_slot from bounds) - interval '28' day
        and window_start < (select judged_to from bounds) - interval '7' day
    window up_to_here as (order by window_start)
),

-- the median of the same window in the four weeks before, of those of which every five minutes are known
usual as (
    select
        windows.rule_name,
        windows.window_end,
        {{ median('ended.generation_count - coalesce(began.generation_count, 0)') }} as generation_count,
        {{ median('ended.total_cost_usd - coalesce(began.total_cost_usd, 0)') }} as total_cost_usd
    from windows
    cross join generate_series(1, 4) as weeks (week)
    inner join health as ended on windows.window_end - interval '7' day * weeks.week = ended.mark
    left join health as began on ended.place - windows.window_minutes / 5 = began.place
    inner join health as opening
        on windows.window_end - interval '7' day * weeks.week - interval '1' minute * (windows.window_minutes - 5)
            = opening.mark
        and ended.place - opening.place = windows.window_minutes / 5 - 1
    where windows.metric in ('cost_over_usual_ratio', 'traffic_over_usual_ratio')
    group by 1, 2
    having count(*) >= 2
),

observed as (
    select
        windows.*,
        cast(case windows.metric
            {%- for metric, of in alert_metrics().items() %}
            when '{{ metric }}' then {{ of.value }}
            {%- endfor %}
        end as double precision) as observed_value,
        cast(case windows.metric
            {%- for metric, of in alert_metrics().items() %}
            when '{{ metric }}' then {{ of.sample }}
            {%- endfor %}
        end as bigint) as sample_size
    from windows
    left join percentiles
        on windows.metric = 'p95_duration_ms'
        and windows.window_minutes = percentiles.window_minutes
        and windows.window_end = percentiles.window_end
    left join usual
        on windows.rule_name = usual.rule_name
        and windows.window_end = usual.window_end
)

select
    rule_name,
    window_end,
    severity,
    observed_value,
    threshold,
    sample_size,
    case
        when observed_value is null or sample_size < minimum_sample then 'insufficient_data'
        when case comparison
            when '>' then observed_value > threshold
            when '>=' then observed_value >= threshold
            when '<' then observed_value < threshold
            when '<=' then observed_value <= threshold
        end then 'firing'
        else 'ok'
    end as outcome,
    metric,
    comparison,
    window_minutes,
    minimum_sample,
    fire_after_windows,
    resolve_after_windows
from observed
