{#- The span of the log that int_alert_window wants, as constants. -#}
{% macro alert_span() %}
    {{ return(constants_of(ref('int_alert_window'), {
        'generations_from': 'timestamp', 'log_read_from': 'timestamp', 'judged_to': 'timestamp',
    })) }}
{% endmacro %}

{#- What earlier runs have left in a relation that is made after what asks; no row where there is none yet. -#}
{% macro as_left_by_earlier_runs(layer, name, columns) %}
    {%- set relation, nothing = existing_relation(layer, name), [] -%}
    {%- for column, type in columns.items() -%}
        {%- do nothing.append("cast(null as " ~ type ~ ") as " ~ column) -%}
    {%- endfor -%}
    {{ return(relation or "(select " ~ nothing | join(", ") ~ " where false)") }}
{% endmacro %}
