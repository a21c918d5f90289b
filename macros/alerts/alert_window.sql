{#- This run's windows, from int_alert_window, as constants. -#}
{% macro judged_from() %}{{ return(alert_window('judged_from', 'timestamp')) }}{% endmacro %}
{% macro judged_to() %}{{ return(alert_window('judged_to', 'timestamp')) }}{% endmacro %}
{% macro generations_from() %}{{ return(alert_window('generations_from', 'timestamp')) }}{% endmacro %}
{% macro log_read_from() %}{{ return(alert_window('log_read_from', 'timestamp')) }}{% endmacro %}
{% macro incidents_from() %}{{ return(alert_window('incidents_from', 'timestamp')) }}{% endmacro %}

{% macro alert_window(column, type) %}
    {%- set window = ref('int_alert_window') -%}
    {%- set window = load_relation(window) if execute else none -%}
    {%- set value = run_query("select cast(" ~ column ~ " as text) from " ~ window).rows[0][0] if window else none -%}
    {{ return(constant(value, type)) }}
{% endmacro %}

{% macro alert_progress() %}{{ internal_schema() }}.alert_progress{% endmacro %}

{#- What was judged before this run, as constants: up to which window; up to which of them the incidents know, which is less
    after a run that was killed in between; from when on the open incidents fire, and since when they have not; and the
    span of the log that is at hand. -#}
{% macro judged_so_far() %}
    {%- set evaluations = existing_relation('marts', 'alert_evaluations') -%}
    {%- set incidents = existing_relation('marts', 'incidents') -%}
    {%- set generations = existing_relation('intermediate', 'int_alert_generations') -%}
    {%- set names = ['until', 'incidents_until', 'open_from', 'open_fired_at', 'kept_from', 'kept_until'] -%}
    {%- set found = {} -%}
    {%- if evaluations or generations -%}
        {%- set judged = "(select max(window_end) from " ~ evaluations ~ ")" if evaluations else "null" -%}
        {%- set first_judged = "(select min(window_end) - interval '5' minute from " ~ evaluations ~ ")" if evaluations else "null" -%}
        {%- set open = " from " ~ incidents ~ " where resolved_at is null)" -%}
        {%- set row = run_query("select cast(" ~ [
            judged,
            "coalesce((select incidents_until from " ~ alert_progress() ~ "), " ~ first_judged ~ ")",
            "(select min(first_firing_at)" ~ open if incidents else "null",
            "(select min(last_firing_at)" ~ open if incidents else "null",
            "(select generations_from from " ~ alert_progress() ~ ")" if generations else "null",
            "(select generations_until from " ~ alert_progress() ~ ")" if generations else "null",
        ] | join(" as text), cast(") ~ " as text)").rows[0] -%}
        {%- for name in names -%}{%- do found.update({name: row[loop.index0]}) -%}{%- endfor -%}
    {%- endif -%}
    {%- set judged = {'is_known': found.get('until') is not none} -%}
    {%- for name in names -%}{%- do judged.update({name: constant(found.get(name), 'timestamp')}) -%}{%- endfor -%}
    {{ return(judged) }}
{% endmacro %}

{#- The incidents of each rule that were known before this run. By name, as they are made after what asks. -#}
{% macro known_incidents() -%}
    {%- set incidents = existing_relation('marts', 'incidents') -%}
    select
        rule_name,
        max(case when resolved_at is null then first_firing_at end) as open_from,
        max(resolved_at) as closed_at
    from {{ incidents or "(select cast(null as text) as rule_name, cast(null as timestamp) as first_firing_at, cast(null as timestamp) as resolved_at) as none" }}
    group by rule_name
{%- endmacro %}

{#- The evaluations from which incidents may still change: of a rule with an open one, since it began; of any other, since its
    last one ended, at most two days before what the incidents know. -#}
{% macro unsettled_evaluations() -%}
    select evaluations.*
    from {{ ref('alert_evaluations') }} as evaluations
    left join ({{ known_incidents() }}) as known on evaluations.rule_name = known.rule_name
    where evaluations.window_end >= coalesce({{ incidents_from() }}, timestamp '2000-01-01 00:00:00')
        and case
            when known.open_from is not null then evaluations.window_end >= known.open_from
            when known.closed_at is not null then evaluations.window_end > known.closed_at
            else true
        end
{%- endmacro %}

{#- How far a model of the alerts has come; recorded in the transaction that writes it. -#}
{% macro record_incidents() -%}
    insert into {{ alert_progress() }} (incidents_until)
    select max(window_end) from {{ ref('alert_evaluations') }}
    having max(window_end) is not null
    on conflict (is_only_row) do update set incidents_until = excluded.incidents_until
{%- endmacro %}

{% macro record_alert_generations() -%}
    insert into {{ alert_progress() }} (generations_from, generations_until)
    select
        generations_from,
        greatest(log_read_from, judged_to)
    from {{ ref('int_alert_window') }}
    where judged_to is not null
    on conflict (is_only_row) do update set
        generations_from = excluded.generations_from,
        generations_until = excluded.generations_until
{%- endmacro %}

{#- service_health where it was built; an alert run of its own need not have it. -#}
{% macro usual_health() %}{{ return(ref('service_health') if existing_relation('marts', 'service_health') else none) }}{% endmacro %}

{#- The rows that the run before has left, if there was one. -#}
{% macro kept_generations() %}{{ return(existing_relation('intermediate', 'int_alert_generations')) }}{% endmacro %}
