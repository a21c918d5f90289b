{#- Runs of a part of the models. What is made of rows or days that an earlier run has left would lose what has changed
    since, and remember it as done: such a selection is refused before a table is touched. -#}
{% macro check_parts() %}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}{{ return('') }}{%- endif -%}
    {%- set missing = links_left_out() + parents_left_behind() -%}
    {%- if missing -%}
        {%- set models, without = [], [] -%}
        {%- for model, parent in missing -%}
            {%- if model not in models -%}{%- do models.append(model) -%}{%- endif -%}
            {%- if parent not in without -%}{%- do without.append(parent) -%}{%- endif -%}
        {%- endfor -%}
        {{ exceptions.raise_compiler_error("This run would make " ~ models | join(', ') ~ " of what an earlier run has "
           "left in tables that are not selected, and lose what has changed since. No table was touched. Add to the "
           "selection: " ~ without | join(' ') ~ " (all at once: +" ~ models | last ~ "). Or leave out " ~ models
           | join(', ') ~ ".") }}
    {%- endif -%}
{% endmacro %}

{#- The models that are made from the log, in their order. Each belongs to the one before it: a run makes a piece of
    this chain without a gap, from its beginning on, or from the place where an earlier run was stopped. -#}
{% macro chain_from_the_log() %}
    {{ return(['int_log_days', 'int_log_window', 'int_log_rows', 'int_repeated_ids', 'generation_log_issues',
        'int_style_spellings', 'fct_generations']) }}
{% endmacro %}

{#- The links that a selection leaves out, each with a selected model that would be made without it. What is made from
    the fact is no link, and may be made again at any time, but it has the clock of the chain: it needs all of it. -#}
{% macro links_left_out() %}
    {%- set chain, selected, missing, followers = chain_from_the_log(), [], [], [] -%}
    {%- for model in chain if is_selected(model) -%}{%- do selected.append(model) -%}{%- endfor -%}
    {%- for node in graph.nodes.values() if node.unique_id in selected_resources and node.resource_type == 'model'
        and node.name not in chain and 'model.' ~ project_name ~ '.fct_generations' in node.depends_on.nodes -%}
        {%- do followers.append(node.name) -%}
    {%- endfor -%}
    {%- set last = selected | last | default(chain[0], true) -%}
    {%- for model in chain[:chain.index(last)] if model not in selected -%}
        {%- do missing.append([last, model]) -%}
    {%- endfor -%}
    {%- if missing and missing | length == chain.index(selected[0]) and not flags.FULL_REFRESH
        and goes_on_at(chain.index(selected[0])) -%}
        {%- set missing = [] -%}
    {%- endif -%}
    {%- if followers and 'fct_generations' not in selected and (selected or not goes_on_at(chain | length)) -%}
        {%- for model in chain if model not in selected -%}
            {%- do missing.append([followers | sort | last, model]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(missing) }}
{% endmacro %}

{#- Were all links before this place made one after the other, and this one not since? Without a day to rebuild only
    the issues are made of the rows. -#}
{% macro goes_on_at(place) %}
    {%- set chain, window = chain_from_the_log(), existing_relation('intermediate', 'int_log_window') -%}
    {%- if not window or not existing_relation('internal', 'replacements') -%}{{ return(false) }}{%- endif -%}
    {%- set links = chain[:place + 1] + (['none'] if place == chain | length else []) -%}
    {%- set query -%}
    with links as (
        {%- for model in links %}
        select {{ loop.index0 }} as place, {{ last_replacement(model) }} as last_id
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ),

    compared as (
        select place, last_id, lag(last_id) over (order by place) as last_id_before from links
    )

    select coalesce(bool_and(case when place < {{ place }} then last_id > last_id_before
        else last_id < last_id_before end), false)
    from compared
    where place > 0 and (
        place <= {{ chain.index('generation_log_issues') }} or (select rebuild_from from {{ window }}) is not null
    )
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{% endmacro %}

{#- What a selected model that is made from the fact reads besides, is neither selected nor as new as the fact: the
    journal would take the model's days for done. -#}
{% macro parents_left_behind() %}
    {%- set missing, replaced = [], {} -%}
    {%- for model in models_replaced_by_days() if not model.config.meta.get('follows_log') -%}
        {%- do replaced.update({model.unique_id: model}) -%}
    {%- endfor -%}
    {%- for model in replaced.values() if is_selected(model.name) -%}
        {%- for parent in model.depends_on.nodes if parent in replaced and parent not in selected_resources -%}
            {%- set name = replaced[parent].name -%}
            {%- if is_selected('fct_generations') or is_behind_the_fact(name) -%}
                {%- do missing.append([model.name, name]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(missing) }}
{% endmacro %}

{#- Was anything replaced in the fact since this model was made or replaced last? -#}
{% macro is_behind_the_fact(model) %}
    {%- if not existing_relation('internal', 'replacements') -%}{{ return(false) }}{%- endif -%}
    {%- set query -%}
    select count(*) from {{ journal() }}
    where model = 'fct_generations' and replaced_from is not null and id > {{ last_replacement(model) }}
    {%- endset -%}
    {{ return(run_query(query).rows[0][0] > 0) }}
{% endmacro %}

{#- A hook: the entry of a table that each run makes whole, for those that ask how new it is. -#}
{% macro journal_whole_table() %}
    {%- if execute and config.get('materialized') == 'table' -%}
        insert into {{ journal() }} (id, model, run_id, replaced_at)
        select {{ next_number('replacements_id') }}, '{{ this.identifier }}', '{{ invocation_id }}', {{ wall_clock() }}
    {%- endif -%}
{% endmacro %}
