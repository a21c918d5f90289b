-- Every rule judged at every five-minute mark that is due: one row per rule and window_end. A rule looks at its window
-- and, if it has one, at a longer window; it fires where one of them exceeds the threshold and there is evidence enough
-- that this is no chance. Rows are counted once, into slots of five minutes with running totals: what a window of any
-- length holds is the difference of two of them. Users are witnesses: each is one, with the share of their rows that
-- count. What each metric is: macros/alerts/metrics.sql. python -m warehouse backtest judges any past range with this
-- SQL, and other rules.
-- depends_on: {{ ref('service_health') }}, {{ ref('hourly_engagement') }}, {{ ref('error_analysis') }}
{{ config(materialized='ephemeral', tags=['alerts']) }}

{#- an alert run need not have these marts, and knows nothing of other weeks then #}
{%- set health = as_left_by_earlier_runs('marts', 'service_health', {
    'window_start': 'timestamp',
    'generation_count': 'bigint',
    'failure_count': 'bigint',
    'total_cost_usd': 'numeric(18, 6)',
    'is_complete': 'boolean',
}, ref('service_health')) %}
{%- set hours = as_left_by_earlier_runs('marts', 'hourly_engagement', {
    'activity_hour': 'timestamp',
    'active_users': 'bigint',
    'is_complete': 'boolean',
}, ref('hourly_engagement')) %}
{%- set errors = as_left_by_earlier_runs('marts', 'error_analysis', {
    'activity_date': 'date',
    'error_category': 'text',
    'error_count': 'bigint',
}, ref('error_analysis')) %}
{%- set counts = [
    'generation_count', 'failure_count', 'timed_success_count', 'rate_limit_error_count', 'quota_or_billing_error_count'
] %}

with rules as (
    select * from {{ valid_rules(ref('alert_rules')) }} as valid
),

-- what each rule looks at: one window, or two
looks as (
    select
        rules.*,
        coalesce(rules.minimum_evidence, 5) as least_evidence,
        rules.window_minutes as look_minutes,
        1 as look
    from rules
    union all
    select
        rules.*,
        coalesce(rules.minimum_evidence, 5) as least_evidence,
        rules.longer_window_minutes as look_minutes,
        2 as look
    from rules
    where rules.longer_window_minutes is not null
),

bounds as (
    select
        alert_window.judged_from,
        alert_window.judged_to,
        alert_window.judged_from
        - interval '1' minute * (select coalesce(max(2 * look_minutes), 0) from looks) as first_slot
    from {{ ref('int_alert_window') }} as alert_window
),

marks as (
    select mark
    from generate_series(
        (select first_slot from bounds), (select judged_to from bounds), interval '5 minutes'
    ) as every_mark (mark)
),

-- a row counts from the end of its five minutes on
generations as {{ computed_once() }} (
    select
        {{ five_minutes('created_at') }} + interval '5' minute as slot_end,
        -- a row without a user is a witness by itself
        coalesce(user_key, generation_id) as witness,
        is_success,
        error_category,
        duration_ms,
        total_cost_usd
    from {{ ref('int_alert_generations') }}
    where created_at >= (select first_slot from bounds) and created_at < (select judged_to from bounds)
),

counted as (
    select
        slot_end,
        count(*) as generation_count,
        count(*) filter (where not is_success) as failure_count,
        count(duration_ms) filter (where is_success) as timed_success_count,
        count(*) filter (where error_category = 'rate_limit') as rate_limit_error_count,
        count(*) filter (where error_category in ('quota', 'billing')) as quota_or_billing_error_count,
        sum(total_cost_usd) as total_cost_usd
    from generations
    group by slot_end
),

-- up to each mark, from the first
running as {{ computed_once() }} (
    select
        marks.mark,
        {%- for count in counts %}
        coalesce(cast(sum(counted.{{ count }}) over up_to_here as bigint), 0) as {{ count }},
        {%- endfor %}
        coalesce(sum(counted.total_cost_usd) over up_to_here, 0) as total_cost_usd,
        max(counted.slot_end) over up_to_here as newest_slot_end
    from marks
    left join counted on marks.mark = counted.slot_end
    window up_to_here as (order by marks.mark)
),

-- What each witness adds to a slot. Hits are failures; for a rule of durations, whose tries are timed successes, those
-- that take too long.
witness_slots as {{ computed_once() }} (
    select
        *,
        lead(slot_end) over (partition by of_rule, witness order by slot_end) as next_slot_end
    from (
        select
            '' as of_rule,
            witness,
            slot_end,
            count(*) as tries,
            count(*) filter (where not is_success) as hits,
            count(*) filter (where error_category = 'rate_limit') as rate_limits,
            count(*) filter (where error_category in ('quota', 'billing')) as quotas_or_bills,
            coalesce(sum(total_cost_usd), 0) as cost_usd
        from generations
        group by witness, slot_end
        union all
        select
            rules.rule_name as of_rule,
            timed.witness,
            timed.slot_end,
            count(*) as tries,
            count(*) filter (where case
                when rules.comparison in ('>', '<=') then timed.duration_ms > rules.threshold
                else timed.duration_ms >= rules.threshold
            end) as hits,
            0 as rate_limits,
            0 as quotas_or_bills,
            0 as cost_usd
        from rules
        inner join generations as timed on timed.is_success and timed.duration_ms is not null
        where rules.metric = 'p95_duration_ms'
        group by rules.rule_name, timed.witness, timed.slot_end
    ) as added
),

lengths as (
    select distinct
        case when metric = 'p95_duration_ms' then rule_name else '' end as of_rule,
        look_minutes as minutes
    from looks
),

-- How many witnesses a window has: each counts for its last slot in it, which is the last until the next slot comes, or
-- this one has left the window.
last_slots as (
    select
        of_rule,
        slot_end,
        next_slot_end,
        count(*) as witness_count
    from witness_slots
    group by of_rule, slot_end, next_slot_end
),

counted_slots as (
    select
        lengths.of_rule,
        lengths.minutes,
        last_slots.slot_end,
        last_slots.witness_count,
        least(last_slots.next_slot_end, last_slots.slot_end + interval '1' minute * lengths.minutes) as left_at
    from lengths
    inner join last_slots on lengths.of_rule = last_slots.of_rule
    where least(last_slots.next_slot_end, last_slots.slot_end + interval '1' minute * lengths.minutes)
        > (select judged_from from bounds)
),

witness_changes as (
    select
        of_rule,
        minutes,
        mark,
        sum(change) as change
    from (
        select
            of_rule,
            minutes,
            greatest(slot_end, (select judged_from from bounds)) as mark,
            witness_count as change
        from counted_slots
        union all
        select
            of_rule,
            minutes,
            left_at as mark,
            -witness_count as change
        from counted_slots
    ) as comes_or_goes
    group by of_rule, minutes, mark
),

witnesses as {{ computed_once() }} (
    select
        lengths.of_rule,
        lengths.minutes,
        marks.mark,
        cast(coalesce(sum(changed.change) over (
            partition by lengths.of_rule, lengths.minutes
            order by marks.mark
        ), 0) as bigint) as witness_count
    from lengths
    inner join marks on marks.mark >= (select judged_from from bounds)
    left join witness_changes as changed
        on lengths.of_rule = changed.of_rule
        and lengths.minutes = changed.minutes
        and marks.mark = changed.mark
),

-- what each rule sees at each mark: its window, the shorter window within it, and the window before it
windows as {{ computed_once() }} (
    select
        looks.*,
        here.mark as window_end,
        {%- for count in counts + ['total_cost_usd'] %}
        here.{{ count }} - began.{{ count }} as {{ count }},
        {%- endfor %}
        here.generation_count - shorter.generation_count as shorter_generation_count,
        here.failure_count - shorter.failure_count as shorter_failure_count,
        began.generation_count - earlier.generation_count as earlier_generation_count,
        began.total_cost_usd - earlier.total_cost_usd as earlier_cost_usd,
        began.mark as began_at,
        -- since the last row, in whole slots, as far as the window reaches
        case
            when here.newest_slot_end > began.mark
                then cast(extract(epoch from here.mark - here.newest_slot_end) / 60 as integer)
            else looks.look_minutes
        end as silent_minutes,
        witnesses.witness_count
    from looks
    inner join running as here on here.mark between (select judged_from from bounds) and (select judged_to from bounds)
    inner join running as began on here.mark - interval '1' minute * looks.look_minutes = began.mark
    inner join witnesses
        on here.mark = witnesses.mark
        and looks.look_minutes = witnesses.minutes
        and witnesses.of_rule = case when looks.metric = 'p95_duration_ms' then looks.rule_name else '' end
    left join running as shorter on here.mark - interval '1' minute * looks.second_window_minutes = shorter.mark
    left join running as earlier on began.mark - interval '1' minute * looks.look_minutes = earlier.mark
),

-- Percentiles do not add up: these alone need the rows of each window. Where the window has a hundred, no longer one is
-- looked at.
slots_of_durations as (
    select
        windows.rule_name,
        windows.look,
        windows.window_end,
        windows.window_end - interval '5' minute * steps.step as slot_end
    from windows
    inner join windows as first_windows
        on windows.rule_name = first_windows.rule_name
        and windows.window_end = first_windows.window_end
        and first_windows.look = 1
    inner join generate_series(0, 287) as steps (step) on windows.look_minutes > steps.step * 5
    where windows.metric = 'p95_duration_ms'
        and (windows.look = 1 or first_windows.timed_success_count < 100)
),

percentiles as (
    select
        slots.rule_name,
        slots.look,
        slots.window_end,
        {{ percentile(0.95, 'timed.duration_ms', 'true') }} as p95_duration_ms
    from slots_of_durations as slots
    inner join generations as timed
        on slots.slot_end = timed.slot_end
        and timed.is_success
        and timed.duration_ms is not null
    group by slots.rule_name, slots.look, slots.window_end
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

-- the same window in the four weeks before, as far as every five minutes of it are known
other_weeks as {{ computed_once() }} (
    select
        windows.rule_name,
        windows.look,
        windows.window_end,
        ended.generation_count - coalesce(began.generation_count, 0) as generation_count,
        ended.total_cost_usd - coalesce(began.total_cost_usd, 0) as total_cost_usd
    from windows
    cross join generate_series(1, 4) as weeks (week)
    inner join health as ended on windows.window_end - interval '7' day * weeks.week = ended.mark
    left join health as began on ended.place - windows.look_minutes / 5 = began.place
    inner join health as opening
        on windows.window_end - interval '7' day * weeks.week - interval '1' minute * (windows.look_minutes - 5)
            = opening.mark
        and ended.place - opening.place = windows.look_minutes / 5 - 1
    where windows.metric in ('cost_over_usual_ratio', 'traffic_over_usual_ratio')
),

-- their median, and how much they vary
usual as (
    select
        rule_name,
        look,
        window_end,
        {{ median('generation_count') }} as generation_count,
        {{ median('total_cost_usd') }} as total_cost_usd,
        var_samp(cast(total_cost_usd as double precision)) as cost_variance
    from other_weeks
    group by rule_name, look, window_end
    having count(*) >= 2
),

-- What users there are usually: each hour's, by the part of it that lies in the window, or in the silence. Of a part of
-- an hour these are rather too few. In a silence that has not begun nobody is missed.
spans as (
    select
        windows.rule_name,
        windows.look,
        windows.window_end,
        weeks.week,
        windows.window_end - interval '7' day * weeks.week as ended_at,
        case
            when windows.metric = 'silent_minutes' then greatest(windows.silent_minutes, 5)
            else windows.look_minutes
        end as minutes
    from windows
    cross join generate_series(1, 4) as weeks (week)
    where windows.metric in ('traffic_over_usual_ratio', 'silent_minutes')
),

known_hours as (
    select * from {{ hours }} as known
    where is_complete and activity_hour >= (select first_slot from bounds) - interval '29' day
),

hours_of_spans as (
    select
        spans.*,
        hours.active_users,
        cast(extract(
            epoch from least(spans.ended_at, hours.activity_hour + interval '1' hour)
            - greatest(spans.ended_at - interval '1' minute * spans.minutes, hours.activity_hour)
        ) / 60 as integer) as minutes_of_hour
    from spans
    inner join known_hours as hours
        on spans.ended_at > hours.activity_hour
        and spans.ended_at - interval '1' minute * spans.minutes < hours.activity_hour + interval '1' hour
),

users_of_other_weeks as (
    select
        rule_name,
        look,
        window_end,
        week,
        sum(active_users * minutes_of_hour) / cast(60 as double precision) as active_users
    from hours_of_spans
    group by rule_name, look, window_end, week, minutes
    having sum(minutes_of_hour) = minutes
),

usual_users as (
    select
        rule_name,
        look,
        window_end,
        {{ median('active_users') }} as active_users
    from users_of_other_weeks
    group by rule_name, look, window_end
    having count(*) >= 2
),

-- what part of the generations each kind of error takes, on each whole day of which all failures are known
days as (
    select
        cast(window_start as date) as activity_date,
        sum(generation_count) as generation_count,
        sum(failure_count) as failure_count
    from {{ health }} as known
    where is_complete and window_start >= (select judged_from from bounds) - interval '29' day
    group by cast(window_start as date)
    having count(*) = 288 and sum(generation_count) > 0
),

errors_of_days as (
    select
        activity_date,
        sum(error_count) as failure_count,
        sum(error_count) filter (where error_category = 'rate_limit') as rate_limits,
        sum(error_count) filter (where error_category in ('quota', 'billing')) as quotas_or_bills
    from {{ errors }} as known
    where activity_date >= (select cast(judged_from as date) from bounds) - 29
    group by activity_date
),

error_shares as (
    select
        days.activity_date,
        coalesce(errors.rate_limits, 0) / cast(days.generation_count as double precision) as rate_limit_share,
        coalesce(errors.quotas_or_bills, 0) / cast(days.generation_count as double precision)
            as quota_or_billing_share
    from days
    left join errors_of_days as errors on days.activity_date = errors.activity_date
    where coalesce(errors.failure_count, 0) = days.failure_count
),

-- the median day of the four weeks before the window's, where a week of them is known
judged_days as (
    select distinct cast(window_end as date) as activity_date from windows
),

usual_errors as (
    select
        judged_days.activity_date,
        {{ median('error_shares.rate_limit_share') }} as rate_limit_share,
        {{ median('error_shares.quota_or_billing_share') }} as quota_or_billing_share
    from judged_days
    inner join error_shares
        on judged_days.activity_date > error_shares.activity_date
        and judged_days.activity_date - interval '28' day <= error_shares.activity_date
    group by judged_days.activity_date
    having count(*) >= 7
),

observed as (
    select
        windows.*,
        usual.generation_count as usual_generation_count,
        usual.total_cost_usd as usual_cost_usd,
        usual.cost_variance as usual_cost_variance,
        usual_users.active_users as usual_users,
        usual_errors.rate_limit_share as usual_rate_limit_share,
        usual_errors.quota_or_billing_share as usual_quota_or_billing_share,
        run.set_aside_usually,
        {%- for name, part, type in [
            ('observed_value', 'value', 'double precision'), ('sample_size', 'sample', 'bigint')
        ] %}
        cast(case windows.metric
            {%- for metric, of in alert_metrics().items() %}
            when '{{ metric }}' then {{ of[part] }}
            {%- endfor %}
        end as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from windows
    left join percentiles
        on windows.rule_name = percentiles.rule_name
        and windows.look = percentiles.look
        and windows.window_end = percentiles.window_end
    left join usual
        on windows.rule_name = usual.rule_name
        and windows.look = usual.look
        and windows.window_end = usual.window_end
    left join usual_users
        on windows.rule_name = usual_users.rule_name
        and windows.look = usual_users.look
        and windows.window_end = usual_users.window_end
    left join usual_errors on cast(windows.window_end as date) = usual_errors.activity_date
    cross join {{ ref('int_alert_window') }} as run
),

compared as {{ computed_once() }} (
    select
        *,
        coalesce(case comparison
            when '>' then observed_value > threshold
            when '>=' then observed_value >= threshold
            when '<' then observed_value < threshold
            when '<=' then observed_value <= threshold
        end, false) as is_exceeded
    from observed
),

-- the slots of a window that exceeds its threshold, and of the window before; listed, they find their rows by equality
exceeding as materialized (
    select
        compared.rule_name,
        compared.look,
        compared.window_end,
        compared.began_at,
        compared.metric,
        case when compared.metric = 'p95_duration_ms' then compared.rule_name else '' end as of_rule,
        compared.window_end - interval '5' minute * steps.step as slot_end
    from compared
    inner join generate_series(0, 575) as steps (step)
        on steps.step * 5 < compared.look_minutes * case when compared.metric = 'cost_change_ratio' then 2 else 1 end
    where compared.is_exceeded and compared.metric not in {{ metrics_that_are('of_nothing') }}
),

-- what each witness has in it
of_witnesses as (
    select
        exceeding.rule_name,
        exceeding.look,
        exceeding.window_end,
        slots.witness,
        {%- for column in ['tries', 'hits', 'rate_limits', 'quotas_or_bills', 'cost_usd'] %}
        sum(slots.{{ column }}) filter (where slots.slot_end > exceeding.began_at) as {{ column }},
        {%- endfor %}
        sum(slots.cost_usd) filter (where slots.slot_end <= exceeding.began_at) as earlier_cost_usd
    from exceeding
    inner join witness_slots as slots
        on exceeding.of_rule = slots.of_rule
        and exceeding.slot_end = slots.slot_end
        -- of rules that count errors, whom they hit
        and (exceeding.metric != 'rate_limit_error_count' or slots.rate_limits > 0)
        and (exceeding.metric != 'quota_or_billing_error_count' or slots.quotas_or_bills > 0)
    group by exceeding.rule_name, exceeding.look, exceeding.window_end, slots.witness
),

-- Their sums. Shares are whole numbers, of a million million, so that they add up exactly.
seen as (
    select
        rule_name,
        look,
        window_end,
        count(*) filter (where hits > 0) as hit_witness_count,
        sum(cast(floor(hits * 1e12 / tries + 0.5) as bigint)) / cast(1e12 as double precision) as hit_share_sum,
        count(*) filter (where rate_limits > 0) as rate_limited_witness_count,
        count(*) filter (where quotas_or_bills > 0) as quota_or_billing_witness_count,
        sum(power(cast(cost_usd as double precision), 2)) as squared_cost_sum,
        sum(power(cast(earlier_cost_usd as double precision), 2)) as earlier_squared_cost_sum
    from of_witnesses
    group by rule_name, look, window_end
),

weighed as (
    select
        compared.*,
        case
            when compared.is_exceeded then coalesce(cast(case compared.metric
                {%- for metric, of in alert_metrics().items() %}
                when '{{ metric }}' then {{ of.evidence }}
                {%- endfor %}
            end as double precision), 0)
            when compared.observed_value is not null then 0
        end as evidence,
        case
            when compared.is_exceeded then case compared.metric
                {%- for metric, of in alert_metrics().items() if of.witnesses %}
                when '{{ metric }}' then coalesce({{ of.witnesses }}, 0)
                {%- endfor %}
            end
        end as affected_witness_count
    from compared
    left join seen
        on compared.rule_name = seen.rule_name
        and compared.look = seen.look
        and compared.window_end = seen.window_end
),

judged as (
    select
        *,
        case
            when observed_value is null or sample_size < minimum_sample then 'insufficient_data'
            when sample_size = 0 and metric not in {{ metrics_that_are('of_nothing') }} then 'insufficient_data'
            when is_exceeded and evidence >= least_evidence then 'firing'
            else 'ok'
        end as outcome
    from weighed
),

-- the window that fires says what is seen; else the first of which anything can be said
chosen as (
    select
        *,
        row_number() over (
            partition by rule_name, window_end
            order by case outcome when 'firing' then 1 when 'ok' then 2 else 3 end, look
        ) as place
    from judged
)

select
    rule_name,
    window_end,
    severity,
    observed_value,
    threshold,
    sample_size,
    outcome,
    metric,
    comparison,
    look_minutes as window_minutes,
    coalesce(minimum_sample, 0) as minimum_sample,
    coalesce(fire_after_windows, 1) as fire_after_windows,
    resolve_after_windows,
    evidence,
    case when metric not in {{ metrics_that_are('of_warehouse') }} then witness_count end as witness_count,
    affected_witness_count,
    least_evidence as minimum_evidence
from chosen
where place = 1
