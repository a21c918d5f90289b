{#- The span of the log that int_alert_window wants, as constants. -#}
{% macro alert_span() %}
    {{ return(constants_of(ref('int_alert_window'), {
        'generations_from': 'timestamp', 'log_read_from': 'timestamp', 'judged_to': 'timestamp',
    })) }}
{% endmacro %}

{#- What earlier runs have left in a relation that is made after what asks, or need not be there; no row where there is
    none yet. A column that the release before did not know is null. `reference`: what it is called, if not by its name.
-#}
{% macro as_left_by_earlier_runs(layer, name, columns, reference=none) %}
    {%- set relation, selected = existing_relation(layer, name), [] -%}
    {#- of what has a reference, every release knows the columns -#}
    {%- set known = [] if not relation else columns if reference
        else adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- for column, type in columns.items() -%}
        {%- do selected.append(column if column in known else "cast(null as " ~ type ~ ") as " ~ column) -%}
    {%- endfor -%}
    {%- set origin = " from " ~ (reference or relation) ~ " as left_behind" if relation else " where false" -%}
    {{ return("(select " ~ selected | join(", ") ~ origin ~ ")") }}
{% endmacro %}

{#- Can an incident of before still change? While it is open, and for an hour after it has ended as ok: then it may
    reopen. What a release made that knew of no reopening is final; that it ended has been said. incidents_until
    is that of int_alert_window. -#}
{% macro may_go_on() -%}
    (
        resolved_at is null
        or resolution = 'ok'
        and reopened_count is not null
        and resolved_at + interval '60' minute > incidents_until
    )
{%- endmacro %}
