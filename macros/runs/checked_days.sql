{#- In an hourly run a test looks at the days that were replaced last, in a run of the alerts at the windows that were judged
    last; in any other, at all of history. dbt asks here what a test reads in place of its model. -#}
{% macro get_where_subquery(relation) -%}
    {%- set conditions = [config.get('where'), replaced_days(relation.identifier), windows_judged_last(relation.identifier)] | select | list -%}
    {%- if conditions -%}
        {{ return("(select * from " ~ relation ~ " where (" ~ conditions | join(") and (") ~ ")) dbt_subquery") }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{#- The condition, on a time column, for the days of a model that an hourly run checks; none in any other run, and for models
    that are not replaced by days. -#}
{% macro replaced_days(model, time_column=none) -%}
    {%- if execute and invocation_args_dict.get('selector') == 'hourly' -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model
            and (node.config.materialized == 'incremental' or node.config.meta.get('days_of')) -%}
            {%- set from = run_query("select cast(replaced_from as text) from " ~ journal() ~ " where model = '" ~ node.config.meta.get('days_of', model)
                ~ "' and replaced_from is not null order by id desc limit 1").rows -%}
            {{ return((time_column or node.config.meta['time_column']) ~ " >= " ~ constant(from[0][0] if from else none, 'date')) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- The same for the evaluations in a run of the alerts. -#}
{% macro windows_judged_last(model) -%}
    {%- if execute and model == 'alert_evaluations' and invocation_args_dict.get('selector') in ('alerts', 'alerts_refresh') -%}
        {{ return("window_end >= (select judged_from from " ~ existing_relation('intermediate', 'int_alert_window') ~ ")") }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
