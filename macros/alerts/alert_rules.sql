{#- The rules that are judged: those of the seed alert_rules, or the ones given (a list of mappings with the seed's columns), as
    constants in the SQL. All of them are checked first; what makes no sense stops the run, with the rule's name. -#}
{% macro alert_rules(given=none) %}
    {%- set rules = [] -%}
    {%- for rule in (given if given is not none else rules_of_the_seed()) -%}
        {%- set whole = {} -%}
        {%- for column in alert_rule_columns() -%}{%- do whole.update({column: rule[column] if rule[column] not in ('', none) else none}) -%}{%- endfor -%}
        {%- do rules.append(whole) -%}
    {%- endfor -%}
    {%- set problems = [] -%}
    {%- for rule in rules -%}
        {%- set name = rule.rule_name or 'in row ' ~ loop.index -%}
        {%- for problem in problems_of_rule(rule) -%}{%- do problems.append("  " ~ name ~ ": " ~ problem) -%}{%- endfor -%}
        {%- if rule.rule_name in rules[:loop.index0] | map(attribute='rule_name') -%}
            {%- do problems.append("  " ~ name ~ ": the name stands twice; each rule has a name of its own") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if problems -%}
        {{ exceptions.raise_compiler_error("These alert rules make no sense (seeds/alert_rules.csv):\n" ~ problems | join('\n')
           ~ "\nNothing was judged. Mend them, then run `dbt seed --select alert_rules` or `dbt build`.") }}
    {%- endif -%}
    {{ return(rules | selectattr('is_enabled') | list) }}
{% endmacro %}

{% macro alert_rule_columns() %}
    {{ return(['rule_name', 'metric', 'window_minutes', 'second_window_minutes', 'comparison', 'threshold', 'minimum_sample',
               'fire_after_windows', 'resolve_after_windows', 'severity', 'objective', 'is_enabled', 'runbook']) }}
{% endmacro %}

{#- Of each metric, the least and the greatest threshold that can mean something. -#}
{% macro alert_metrics() %}
    {{ return({
        'failure_rate': (0, 1),
        'p95_duration_ms': (0, 86400000),
        'rate_limit_error_count': (0, 1000000000),
        'quota_or_billing_error_count': (0, 1000000000),
        'cost_change_ratio': (-1, 1000000),
        'cost_over_usual_ratio': (0, 1000000),
        'traffic_over_usual_ratio': (0, 1000000),
        'error_budget_burn': (0, 1000000),
    }) }}
{% endmacro %}

{% macro rules_of_the_seed() %}
    {%- set seed = existing_relation('seeds', 'alert_rules') -%}
    {%- if execute and seed is none and flags.WHICH in ('run', 'build') -%}
        {{ exceptions.raise_compiler_error("The seed alert_rules is not there yet. Run `dbt seed` once before `dbt run`, or `dbt build`.") }}
    {%- endif -%}
    {%- set found = [] -%}
    {%- set columns = alert_rule_columns() -%}
    {%- set rows = run_query("select cast(" ~ columns | join(" as text), cast(") ~ " as text) from " ~ seed ~ " order by rule_name").rows if seed else [] -%}
    {%- for row in rows -%}
        {%- set rule = {} -%}
        {%- for column in columns -%}{%- do rule.update({column: row[loop.index0]}) -%}{%- endfor -%}
        {%- do rule.update({'is_enabled': {'true': true, 'false': false}.get(rule.is_enabled)}) -%}
        {%- do found.append(rule) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro problems_of_rule(rule) %}
    {%- set problems = [] -%}
    {%- set metrics = alert_metrics() -%}
    {%- if not modules.re.fullmatch('[a-z][a-z0-9_]{0,62}', rule.rule_name | string) -%}
        {%- do problems.append("rule_name is " ~ said(rule.rule_name) ~ "; a name is of lower-case letters, digits and _, and begins with a letter") -%}
    {%- endif -%}
    {%- for column, allowed in {'metric': metrics, 'comparison': ['>', '>=', '<', '<='], 'severity': ['page', 'ticket']}.items() -%}
        {%- if rule[column] not in allowed -%}
            {%- do problems.append(column ~ " is " ~ said(rule[column]) ~ "; it is one of " ~ allowed | join(', ')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set burns = rule.metric == 'error_budget_burn' -%}
    {%- set longest = 1440 -%}
    {%- for column in ['window_minutes', 'second_window_minutes'] -%}
        {%- set minutes = rule[column] | float(-1) -%}
        {%- if (column == 'window_minutes' or burns) and not (5 <= minutes <= longest and minutes % 5 == 0) -%}
            {%- do problems.append(column ~ " is " ~ said(rule[column]) ~ "; it is a multiple of 5 from 5 to " ~ longest) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if burns -%}
        {%- if rule.second_window_minutes is not none and rule.second_window_minutes | float(-1) >= rule.window_minutes | float(-1) -%}
            {%- do problems.append("second_window_minutes is " ~ rule.second_window_minutes ~ "; it is shorter than window_minutes, " ~ rule.window_minutes) -%}
        {%- endif -%}
        {%- if not 0 < rule.objective | float(-1) < 1 -%}
            {%- do problems.append("objective is " ~ said(rule.objective) ~ "; error_budget_burn needs the share of generations that should succeed, between 0 and 1") -%}
        {%- endif -%}
    {%- else -%}
        {%- for column in ['second_window_minutes', 'objective'] if rule[column] is not none -%}
            {%- do problems.append(column ~ " is " ~ said(rule[column]) ~ "; only error_budget_burn has one") -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set range = metrics.get(rule.metric, (-1, 1000000000)) -%}
    {%- set threshold = rule.threshold | float(range[0] - 1) -%}
    {%- if not range[0] <= threshold <= range[1] -%}
        {%- do problems.append("threshold is " ~ said(rule.threshold) ~ "; for " ~ rule.metric ~ " it lies between " ~ range[0] ~ " and " ~ range[1]) -%}
    {%- endif -%}
    {%- for column, range in {'minimum_sample': (0, 1000000000), 'fire_after_windows': (1, 288), 'resolve_after_windows': (1, 288)}.items() -%}
        {%- set number = rule[column] | float(-1) -%}
        {%- if not (range[0] <= number <= range[1] and number % 1 == 0) -%}
            {%- do problems.append(column ~ " is " ~ said(rule[column]) ~ "; it is a whole number from " ~ range[0] ~ " to " ~ range[1]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if rule.is_enabled is none -%}{%- do problems.append("is_enabled is missing; it is true or false") -%}{%- endif -%}
    {%- if rule.runbook is none -%}{%- do problems.append("runbook is missing; say in one line what to do when it fires") -%}{%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{% macro said(value) %}{{ return("missing" if value is none else "'" ~ value ~ "'") }}{% endmacro %}

{#- The rules as a relation. -#}
{% macro rules_relation(rules) -%}
    {%- set types = {
        'window_minutes': 'integer', 'second_window_minutes': 'integer', 'threshold': 'double precision', 'minimum_sample': 'bigint',
        'fire_after_windows': 'integer', 'resolve_after_windows': 'integer', 'objective': 'numeric(9, 6)',
    } -%}
    {%- set columns = alert_rule_columns() | reject('in', ['is_enabled', 'runbook']) | list -%}
    select
        {%- for column in columns %}
        cast({{ column }} as {{ types.get(column, 'text') }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        values
        {%- for rule in rules or [{}] %}
        (
            {%- for column in columns -%}
            {%- set value = rule.get(column) -%}
            {{ "null" if value is none else "'" ~ value | string | replace("'", "''") ~ "'" }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as rules ({{ columns | join(', ') }})
    where rule_name is not null
{%- endmacro %}

{#- How far before the end of a window its rule looks. -#}
{% macro longest_window_minutes(rules) %}
    {%- set minutes = [5] -%}
    {%- for rule in rules -%}
        {%- do minutes.append(rule.window_minutes | int * (2 if rule.metric == 'cost_change_ratio' else 1)) -%}
    {%- endfor -%}
    {{ return(minutes | max) }}
{% endmacro %}
