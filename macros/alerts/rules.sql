{#- Rules with the column `problem`: what makes no sense in a rule, in words; null where it does. `rules` has the
    columns of the seed alert_rules. The seed's test stops a build where a rule has one; no such rule is judged. -#}
{% macro checked_rules(rules) -%}
    {%- set metrics, said = alert_metrics(), {} -%}
    {%- set allowed = {'metric': metrics, 'comparison': ['>', '>=', '<', '<='], 'severity': ['page', 'ticket']} -%}
    {%- for column in ['rule_name', 'metric', 'comparison', 'severity', 'window_minutes', 'longer_window_minutes',
        'second_window_minutes', 'objective', 'threshold', 'minimum_evidence', 'minimum_sample', 'fire_after_windows',
        'resolve_after_windows'] -%}
        {%- do said.update({column: "coalesce('''' || cast(rules." ~ column ~ " as text) || '''', 'missing')"}) -%}
    {%- endfor %}
    select
        rules.*,
        nullif(concat_ws(
            '. ',
            case
                when not coalesce(regexp_replace(rules.rule_name, '^[a-z][a-z0-9_]{0,62}$', '') = '', false)
                    then 'rule_name is ' || {{ said['rule_name'] }}
                        || '; a name is of lower-case letters, digits and _, and begins with a letter'
            end,
            case
                when count(*) over (partition by rules.rule_name) > 1
                    then 'the name is there twice; each rule has its own'
            end,
            {%- for column, values in allowed.items() %}
            case
                when not coalesce(rules.{{ column }} in ('{{ values | join("', '") }}'), false)
                    then '{{ column }} is ' || {{ said[column] }} || '; it is one of {{ values | join(", ") }}'
            end,
            {%- endfor %}
            {%- for column, where in [
                ('window_minutes', 'true'), ('longer_window_minutes', 'rules.longer_window_minutes is not null'),
                ('second_window_minutes', "rules.metric = 'error_budget_burn'"),
            ] %}
            case
                when {{ where }}
                    and not coalesce(rules.{{ column }} between 5 and 1440 and rules.{{ column }} % 5 = 0, false)
                    then '{{ column }} is ' || {{ said[column] }} || '; it is a multiple of 5 from 5 to 1440'
            end,
            {%- endfor %}
            case
                when rules.longer_window_minutes <= rules.window_minutes
                    then concat(
                        'longer_window_minutes is ', rules.longer_window_minutes,
                        '; it is longer than window_minutes, ', rules.window_minutes
                    )
            end,
            case
                when rules.metric = 'error_budget_burn' and rules.second_window_minutes >= rules.window_minutes
                    then concat(
                        'second_window_minutes is ', rules.second_window_minutes,
                        '; it is shorter than window_minutes, ', rules.window_minutes
                    )
            end,
            case
                when rules.metric = 'error_budget_burn'
                    and not coalesce(rules.objective > 0 and rules.objective < 1, false)
                    then 'objective is ' || {{ said['objective'] }}
                        || '; error_budget_burn needs the share of generations that should succeed, between 0 and 1'
            end,
            {%- for column in ['second_window_minutes', 'objective'] %}
            case
                when rules.metric != 'error_budget_burn' and rules.{{ column }} is not null
                    then '{{ column }} is ' || {{ said[column] }} || '; only error_budget_burn has one'
            end,
            {%- endfor %}
            case
                when metrics.metric is not null
                    and not coalesce(
                        rules.threshold between metrics.lowest_threshold and metrics.highest_threshold, false
                    )
                    then concat(
                        'threshold is ', {{ said['threshold'] }}, '; for ', rules.metric, ' it lies between ',
                        metrics.lowest_threshold, ' and ', metrics.highest_threshold
                    )
            end,
            {#- what may be empty has a default -#}
            {%- for column, kind, least, most, may_be_empty in [
                ('minimum_evidence', 'a number of nats', 0, 1000, 'true'),
                ('minimum_sample', 'a whole number', 0, 1000000000, 'true'),
                ('fire_after_windows', 'a whole number', 1, 288, 'true'),
                ('resolve_after_windows', 'a whole number', 1, 288, 'false'),
            ] %}
            case
                when not coalesce(rules.{{ column }} between {{ least }} and {{ most }}, {{ may_be_empty }})
                    then '{{ column }} is ' || {{ said[column] }}
                        || '; it is {{ kind }} from {{ least }} to {{ most }}'
            end,
            {%- endfor %}
            case when rules.is_enabled is null then 'is_enabled is missing; it is true or false' end,
            case
                when coalesce(trim(rules.runbook), '') = ''
                    then 'runbook is missing; say in one line what to do when it fires'
            end
        ), '') as problem
    from {{ rules }} as rules
    left join (
        values
        {%- for metric, of in metrics.items() %}
        ('{{ metric }}', {{ of.thresholds[0] }}, {{ of.thresholds[1] }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as metrics (metric, lowest_threshold, highest_threshold) on rules.metric = metrics.metric
{%- endmacro %}

{#- The rules that are judged. -#}
{% macro valid_rules(rules) -%}
    (select * from ({{ checked_rules(rules) }}) as checked where problem is null and is_enabled)
{%- endmacro %}

{#- What is wrong with the seed's rules, all of it, by name; none where nothing is. -#}
{% macro problems_of_rules(rules) %}
    {%- set query %}
    select coalesce(rule_name, 'a rule without a name'), problem from ({{ checked_rules(rules) }}) as checked
    where problem is not null
    order by 1, 2
    {%- endset -%}
    {%- set lines = run_query(query).rows | map('join', ': ') | join('\n  ') if execute else none -%}
    {{ return("These alert rules make no sense (seeds/alert_rules.csv):\n  " ~ lines if lines else none) }}
{% endmacro %}
