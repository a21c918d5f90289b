{#- In an hourly run a test looks at the days that were replaced last, in a run of the alerts at the windows that were
    judged last; in any other, at all of history. dbt asks here what a test reads in place of its model. -#}
{% macro get_where_subquery(relation) -%}
    {%- set judged_last = "window_end >= (select judged_from from "
        ~ existing_relation('intermediate', 'int_alert_window') ~ ")"
        if execute and relation.identifier == 'alert_evaluations' and which_run() == 'alerts' else none -%}
    {%- set conditions = [config.get('where'), replaced_days(relation.identifier), judged_last] | select | list -%}
    {{ return("(select * from " ~ relation ~ " where (" ~ conditions | join(") and (") ~ ")) dbt_subquery"
        if conditions else relation) }}
{%- endmacro %}

{#- The condition, on a time column, for the days of a model that an hourly run checks; none in any other run, and for
    models that are not replaced by days. -#}
{% macro replaced_days(model, time_column=none) -%}
    {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ model)
        if execute and which_run() == 'hourly' else none -%}
    {%- set days_of = node.config.meta.get('days_of', model) if node else none -%}
    {%- set replaced = models_replaced_by_days() | map(attribute='name') | list if node else [] -%}
    {%- if days_of not in replaced -%}{{ return(none) }}{%- endif -%}
    {%- set known = known_of_run() -%}
    {%- if 'days of ' ~ days_of not in known -%}
        {%- set query %}
        select replaced_from from {{ journal() }}
        where model = '{{ days_of }}' and replaced_from is not null order by id desc limit 1
        {%- endset -%}
        {#- the tests of a model come after it -#}
        {%- do known.update({'days of ' ~ days_of: constant_of(query, 'date')}) -%}
    {%- endif -%}
    {{ return((time_column or node.config.event_time) ~ " >= " ~ known['days of ' ~ days_of]) }}
{%- endmacro %}
