{#- In an hourly run a test looks at the days that were replaced last, in a run of the alerts at the windows that were
    judged last; in any other, at all of history. dbt asks here what a test reads in place of its model. -#}
{% macro get_where_subquery(relation) -%}
    {%- set judged_last = "window_end >= (select judged_from from "
        ~ existing_relation('intermediate', 'int_alert_window') ~ ")"
        if execute and relation.identifier == 'alert_evaluations' and which_run() == 'alerts' else none -%}
    {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ relation.identifier) if execute else none -%}
    {%- set in_step = days_in_step(node.config.event_time) if node and node.config.get('event_time') else none -%}
    {%- set conditions = [config.get('where'), replaced_days(relation.identifier), judged_last, in_step] | select | list
    -%}
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

{#- A test may read tables that different runs have made: dim_users is a day old after an hourly run, a mart that was
    not selected is behind the fact. This is the condition for the days that all of them have made of the same
    generations; none where that is every day. What reads none of the fact and is equally old is in step. -#}
{% macro days_in_step(time_column) %}
    {%- if not execute or model.resource_type != 'test' or model.depends_on.nodes | length < 2 -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set by_days, since = models_replaced_by_days() | map(attribute='name') | list, [] -%}
    {%- for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].resource_type == 'model' -%}
        {%- set node = graph.nodes[id] -%}
        {%- set name = node.config.meta.get('days_of', node.name) -%}
        {%- set is_whole = 'daily' in node.tags and node.config.materialized == 'table' -%}
        {%- if (name in by_days or is_whole) and replaced_since(name) not in since -%}
            {%- do since.append(replaced_since(name)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set first = since | select | sort | first -%}
    {{ return(time_column ~ " < " ~ constant(first, 'date') if since | length > 1 else none) }}
{% endmacro %}

{#- The first day that was replaced in the fact since a model was made of it; of what is made before the fact, the first
    that was replaced in it since the fact was. None where they are in step, as after any run that made both. -#}
{% macro replaced_since(name) %}
    {%- if name == 'fct_generations' or flags.WHICH != 'test' and is_selected('fct_generations') and is_selected(name)
    -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set known = known_of_run() -%}
    {%- if 'replaced since ' ~ name not in known -%}
        {%- set is_before = graph.nodes['model.' ~ project_name ~ '.' ~ name].config.meta.get('follows_log') -%}
        {%- set query %}
        select cast(min(replaced_from) as text) from {{ journal() }}
        where model = '{{ name if is_before else 'fct_generations' }}'
            and id > {{ last_replacement('fct_generations' if is_before else name) }}
        {%- endset -%}
        {%- do known.update({'replaced since ' ~ name: run_query(query).rows[0][0]
            if existing_relation('internal', 'replacements') else none}) -%}
    {%- endif -%}
    {{ return(known['replaced since ' ~ name]) }}
{% endmacro %}

{#- A table that no run has made yet, as an hourly run leaves dim_users out, has nothing to check. One that is gone, and
    any in a database that no run has built, fails. -#}
{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ dbt.default__get_test_sql(no_failure_of_unmade(main_sql), fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}

{% macro no_failure_of_unmade(main_sql) %}
    {%- set unmade = [] -%}
    {%- for id in model.depends_on.nodes if id in graph.nodes and not is_made(graph.nodes[id]) -%}
        {%- do unmade.append(graph.nodes[id].name) -%}
    {%- endfor -%}
    {%- if not unmade -%}{{ return(main_sql) }}{%- endif -%}
    {{ log("Not checked, as no run has made " ~ unmade | join(', ') ~ " yet: " ~ model.name, info=true) }}
    {{ return("select 1 as nothing_to_check where false") }}
{% endmacro %}

{#- Is a seed or model there, or was it? -#}
{% macro is_made(node) %}
    {%- if node.config.get('materialized') == 'ephemeral' or not existing_relation('internal', 'replacements')
        or adapter.get_relation(node.database, node.schema, node.alias) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- if node.resource_type == 'seed' -%}{{ return(false) }}{%- endif -%}
    {%- if 'alerts' in node.tags -%}
        {%- set query = "select count(incidents_until) > 0 from " ~ internal_schema() ~ ".alert_progress" -%}
        {{ return(run_query(query).rows[0][0] if existing_relation('internal', 'alert_progress') else false) }}
    {%- endif -%}
    {%- set name = node.config.meta.get('days_of', node.name) -%}
    {{ return(node.config.materialized == 'view' and name == node.name
        or run_query("select " ~ last_replacement(name)).rows[0][0] > 0) }}
{% endmacro %}
