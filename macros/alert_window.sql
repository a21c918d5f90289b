{#- This run's windows, from int_alert_window, as constants. -#}
{% macro alerts_as_of() %}{{ return(alert_window('as_of', 'timestamp')) }}{% endmacro %}
{% macro judged_from() %}{{ return(alert_window('judged_from', 'timestamp')) }}{% endmacro %}
{% macro judged_to() %}{{ return(alert_window('judged_to', 'timestamp')) }}{% endmacro %}
{% macro generations_from() %}{{ return(alert_window('generations_from', 'timestamp')) }}{% endmacro %}
{% macro incidents_from() %}{{ return(alert_window('incidents_from', 'timestamp')) }}{% endmacro %}

{% macro alert_window(column, type) %}
    {%- set window = ref('int_alert_window') -%}
    {%- set window = load_relation(window) if execute else none -%}
    {%- set value = run_query("select cast(" ~ column ~ " as text) from " ~ window).rows[0][0] if window else none -%}
    {{ return(constant(value, type)) }}
{% endmacro %}

{% macro incident_progress() %}{{ internal_schema() }}.incident_progress{% endmacro %}

{#- What was judged before this run, as constants: up to which window; up to which of them the incidents know, which is less
    after a run that was killed in between; from when on the open incidents fire, and since when they have not. -#}
{% macro judged_so_far() %}
    {%- set evaluations = existing_relation('marts', 'alert_evaluations') -%}
    {%- set incidents = existing_relation('marts', 'incidents') -%}
    {%- set found = run_query("select cast((select max(window_end) from " ~ evaluations ~ ") as text), "
        ~ "cast(coalesce((select incidents_until from " ~ incident_progress() ~ "), (select min(window_end) - interval '5' minute from " ~ evaluations
        ~ ")) as text), "
        ~ ("cast(min(first_firing_at) as text), cast(min(last_firing_at) as text) from " ~ incidents ~ " where resolved_at is null"
           if incidents else "null, null")).rows[0] if evaluations else [none, none, none, none] -%}
    {{ return({
        'is_known': found[0] is not none,
        'until': constant(found[0], 'timestamp'),
        'incidents_until': constant(found[1], 'timestamp'),
        'open_from': constant(found[2], 'timestamp'),
        'open_fired_at': constant(found[3], 'timestamp'),
    }) }}
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

{#- The incidents know all that was judged; recorded in the transaction that writes them. -#}
{% macro record_incident_progress() -%}
    insert into {{ incident_progress() }} (incidents_until)
    select max(window_end) from {{ ref('alert_evaluations') }}
    having max(window_end) is not null
    on conflict (is_only_row) do update set incidents_until = excluded.incidents_until
{%- endmacro %}

{#- service_health where it was built; an alert run of its own need not have it. -#}
{% macro usual_health() %}{{ return(ref('service_health') if existing_relation('marts', 'service_health') else none) }}{% endmacro %}
