{#- The span of the log that int_alert_window wants, as constants. -#}
{% macro alert_span() %}
    {{ return(constants_of(ref('int_alert_window'), {
        'generations_from': 'timestamp', 'log_read_from': 'timestamp', 'judged_to': 'timestamp',
    })) }}
{% endmacro %}

{#- What earlier runs have left in a relation that is made after what asks, or need not be there; no row where there is
    none yet. `reference`: what it is called where it is there, if not by its name. -#}
{% macro as_left_by_earlier_runs(layer, name, columns, reference=none) %}
    {%- set relation, nothing = existing_relation(layer, name), [] -%}
    {%- for column, type in columns.items() -%}
        {%- do nothing.append("cast(null as " ~ type ~ ") as " ~ column) -%}
    {%- endfor -%}
    {{ return((reference or relation) if relation else "(select " ~ nothing | join(", ") ~ " where false)") }}
{% endmacro %}
