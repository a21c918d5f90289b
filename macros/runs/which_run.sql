{#- The kind of a run follows from what is selected, whichever way it was selected: `hourly` builds all models that are
    replaced by days and nothing tagged daily; `alerts` builds or tests the alerts and none of those; any other run has
    no kind. A `dbt test` is of the kind of the models that it tests. The frequent kinds leave alone what has not
    changed, and check what was replaced or judged last. -#}
{% macro which_run() %}
    {%- set known = known_of_run() -%}
    {%- if 'kind' not in known -%}{%- do known.update({'kind': kind_of_selection()}) -%}{%- endif -%}
    {{ return(known.kind) }}
{% endmacro %}

{% macro kind_of_selection() %}
    {%- set chosen = namespace(models=[], is_daily=false) -%}
    {%- for node in graph.nodes.values() | selectattr('unique_id', 'in', selected_resources) -%}
        {%- do chosen.models.append(node.attached_node if node.resource_type == 'test' else node.unique_id) -%}
        {%- if 'daily' in node.tags -%}{%- set chosen.is_daily = true -%}{%- endif -%}
    {%- endfor -%}
    {%- set replaced = models_replaced_by_days() | map(attribute='unique_id') | list -%}
    {%- set left_out = replaced | reject('in', chosen.models) | list -%}
    {%- if not left_out and not chosen.is_daily -%}{{ return('hourly') }}{%- endif -%}
    {%- if left_out == replaced and 'model.' ~ project_name ~ '.alert_evaluations' in chosen.models -%}
        {{ return('alerts') }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}

{% macro models_replaced_by_days() %}
    {%- set known = known_of_run() -%}
    {%- if 'replaced' not in known -%}
        {%- do known.update({'replaced': graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('config.materialized', 'equalto', 'incremental')
            | selectattr('config.incremental_strategy', 'equalto', 'replace_days') | list}) -%}
    {%- endif -%}
    {{ return(known.replaced) }}
{% endmacro %}

{#- What every model and test asks again, and takes milliseconds to work out. The graph is the one thing that all of
    them share. -#}
{% macro known_of_run() %}{{ return(graph.setdefault('known_of_' ~ invocation_id, {})) }}{% endmacro %}

{% macro is_selected(name) %}{{ return('model.' ~ project_name ~ '.' ~ name in selected_resources) }}{% endmacro %}
