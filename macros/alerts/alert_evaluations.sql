{#- Every rule judged at every five-minute mark from `first` to `last` (SQL of timestamps): a query of one row per rule and
    window_end. `generations` and `health` are relations with the columns of fct_generations and of service_health;
    without `health` nothing is known of other weeks. The alerts judge the newest windows with it, a backtest any past
    range, and nothing is written.

    Rows are counted once, into slots of five minutes; windows are sums of slots. Percentiles alone need the rows of each
    window. -#}
{% macro judged_windows(rules, generations, health, first, last) %}
    {%- set lengths = [] -%}
    {%- set timed_lengths = [] -%}
    {%- set usual_lengths = [] -%}
    {%- for rule in rules -%}
        {%- do lengths.append(rule.window_minutes | int) -%}
        {%- if rule.second_window_minutes is not none -%}{%- do lengths.append(rule.second_window_minutes | int) -%}{%- endif -%}
        {%- if rule.metric == 'p95_duration_ms' -%}{%- do timed_lengths.append(rule.window_minutes | int) -%}{%- endif -%}
        {%- if rule.metric in ('cost_over_usual_ratio', 'traffic_over_usual_ratio') -%}{%- do usual_lengths.append(rule.window_minutes | int) -%}{%- endif -%}
    {%- endfor -%}
    {%- set first_slot = first ~ " - interval '" ~ longest_window_minutes(rules) ~ "' minute" -%}
    {%- set counts = ['generation_count', 'failure_count', 'timed_success_count', 'rate_limit_error_count', 'quota_or_billing_error_count'] -%}
    with rules as (
        {{ rules_relation(rules) }}
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
        from {{ generations }}
        where created_at >= {{ first_slot }} and created_at < {{ last }}
        group by 1
    ),

    slots as (
        select
            every_slot.slot_start,
            {%- for count in counts %}
            coalesce(counted.{{ count }}, 0) as {{ count }},
            {%- endfor %}
            coalesce(counted.total_cost_usd, 0) as total_cost_usd
        from generate_series({{ first_slot }}, {{ last }} - interval '5' minute, interval '5 minutes') as every_slot (slot_start)
        left join counted on every_slot.slot_start = counted.slot_start
    ),

    windows as materialized (
        {%- for minutes in lengths | unique | sort or [5] %}
        {%- set frame = "over (order by slot_start rows between " ~ (minutes // 5 - 1) ~ " preceding and current row)" %}
        select
            {{ minutes }} as window_minutes,
            slot_start + interval '5' minute as window_end,
            {%- for count in counts %}
            cast(sum({{ count }}) {{ frame }} as bigint) as {{ count }},
            {%- endfor %}
            sum(total_cost_usd) {{ frame }} as total_cost_usd
        from slots
        {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    percentiles as materialized (
        {%- for minutes in timed_lengths | unique | sort %}
        select
            {{ minutes }} as window_minutes,
            {{ five_minutes('created_at') }} + interval '5' minute * steps.step as window_end,
            {{ percentile(0.95, 'duration_ms', 'true') }} as p95_duration_ms
        from {{ generations }}
        cross join generate_series(1, {{ minutes // 5 }}) as steps (step)
        where created_at >= {{ first }} - interval '{{ minutes }}' minute and created_at < {{ last }}
            and is_success
            and duration_ms is not null
        group by 2
        {{ "union all" if not loop.last }}
        {%- else %}
        select
            0 as window_minutes,
            cast(null as timestamp) as window_end,
            cast(null as double precision) as p95_duration_ms
        where false
        {%- endfor %}
    ),

    -- the same window in other weeks, where each of its five minutes is known
    usual_windows as (
        {%- for minutes in (usual_lengths | unique | sort if health else []) %}
        {%- set frame = "over (order by window_start rows between " ~ (minutes // 5 - 1) ~ " preceding and current row)" %}
        select *
        from (
            select
                {{ minutes }} as window_minutes,
                window_start + interval '5' minute as window_end,
                sum(generation_count) {{ frame }} as generation_count,
                sum(total_cost_usd) {{ frame }} as total_cost_usd,
                lag(window_start, {{ minutes // 5 - 1 }}) over (order by window_start) = window_start - interval '{{ minutes - 5 }}' minute as is_known
            from {{ health }}
            where is_complete and (
                {%- for days in [7, 14, 21, 28] %}
                window_start >= {{ first }} - interval '{{ days }}' day - interval '{{ minutes }}' minute
                and window_start < {{ last }} - interval '{{ days }}' day
                {{ "or" if not loop.last }}
                {%- endfor %}
            )
        ) as summed
        where is_known
        {{ "union all" if not loop.last }}
        {%- else %}
        select
            0 as window_minutes,
            cast(null as timestamp) as window_end,
            cast(null as bigint) as generation_count,
            cast(null as numeric(18, 6)) as total_cost_usd
        where false
        {%- endfor %}
    ),

    usual as materialized (
        select
            usual_windows.window_minutes,
            usual_windows.window_end + interval '7' day * weeks.week as window_end,
            {{ median('usual_windows.generation_count') }} as generation_count,
            {{ median('usual_windows.total_cost_usd') }} as total_cost_usd
        from usual_windows
        cross join generate_series(1, 4) as weeks (week)
        group by 1, 2
        having count(*) >= 2
    ),

    observed as (
        select
            rules.*,
            windows.window_end,
            case rules.metric
                when 'failure_rate' then {{ ratio('windows.failure_count', 'windows.generation_count') }}
                when 'p95_duration_ms' then percentiles.p95_duration_ms
                when 'rate_limit_error_count' then windows.rate_limit_error_count
                when 'quota_or_billing_error_count' then windows.quota_or_billing_error_count
                when 'cost_change_ratio' then {{ ratio('(windows.total_cost_usd - before.total_cost_usd)', 'before.total_cost_usd') }}
                when 'cost_over_usual_ratio' then {{ ratio('windows.total_cost_usd', 'usual.total_cost_usd') }}
                when 'traffic_over_usual_ratio' then {{ ratio('windows.generation_count', 'usual.generation_count') }}
                -- the second window lies within the first: where it has generations, both have
                when 'error_budget_burn' then case when second.generation_count > 0 then least(
                    {{ ratio('windows.failure_count', 'windows.generation_count * (1 - rules.objective)') }},
                    {{ ratio('second.failure_count', 'second.generation_count * (1 - rules.objective)') }}
                ) end
            end as observed_value,
            case rules.metric
                when 'p95_duration_ms' then windows.timed_success_count
                when 'cost_change_ratio' then least(windows.generation_count, before.generation_count)
                when 'traffic_over_usual_ratio' then coalesce(cast(floor(usual.generation_count + 0.5) as bigint), 0)
                when 'error_budget_burn' then second.generation_count
                else windows.generation_count
            end as sample_size
        from rules
        inner join windows
            on rules.window_minutes = windows.window_minutes
            and windows.window_end between {{ first }} and {{ last }}
        left join windows as second
            on rules.second_window_minutes = second.window_minutes
            and windows.window_end = second.window_end
        left join windows as before
            on rules.metric = 'cost_change_ratio'
            and rules.window_minutes = before.window_minutes
            and windows.window_end - interval '1' minute * rules.window_minutes = before.window_end
        left join percentiles
            on rules.window_minutes = percentiles.window_minutes
            and windows.window_end = percentiles.window_end
        left join usual
            on rules.window_minutes = usual.window_minutes
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
            when {{ is_breached('comparison', 'observed_value', 'threshold') }} then 'firing'
            else 'ok'
        end as outcome,
        metric,
        comparison,
        window_minutes,
        minimum_sample,
        fire_after_windows,
        resolve_after_windows
    from observed
{% endmacro %}

{% macro is_breached(comparison, value, threshold) -%}
    case {{ comparison }}
                when '>' then {{ value }} > {{ threshold }}
                when '>=' then {{ value }} >= {{ threshold }}
                when '<' then {{ value }} < {{ threshold }}
                when '<=' then {{ value }} <= {{ threshold }}
            end
{%- endmacro %}

{#- The median as the mean of the two middle values: exact, where percentile_cont differs between engines in its last digit. -#}
{% macro median(column) -%}
    cast(
                percentile_disc(0.5) within group (order by {{ column }})
                + percentile_disc(0.5) within group (order by {{ column }} desc) as double precision
            ) / 2
{%- endmacro %}
