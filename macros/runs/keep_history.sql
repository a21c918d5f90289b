{#- The aggregates outlive the log. A full refresh would make them anew from what the log still holds, so it is refused
    where days would go, before anything is touched. The journals of the alerts are never made anew. -#}
{% macro refuse_to_lose_history() %}
    {%- if execute and flags.FULL_REFRESH and flags.WHICH in ('run', 'build') and not var('lose_history') -%}
        {%- set selected = graph.nodes.values() | selectattr('unique_id', 'in', selected_resources)
            | selectattr('config.materialized', 'equalto', 'incremental')
            | selectattr('config.incremental_strategy', 'equalto', 'replace_days') | list -%}
        {%- set begins_at = first_that_can_be_made_anew(selected | map(attribute='name') | list) -%}
        {%- set lost = [] -%}
        {%- for model in selected -%}
            {%- set relation = adapter.get_relation(model.database, model.schema, model.name) -%}
            {%- set day = "cast(" ~ model.config.meta['time_column'] ~ " as date)" -%}
            {%- set days = run_query("select count(distinct " ~ day ~ "), cast(min(" ~ day ~ ") as text), cast(max(" ~ day ~ ") as text) from "
                ~ relation ~ " where " ~ would_be_lost(model, constant(begins_at, 'timestamp'))).rows[0] if relation else [0] -%}
            {%- if days[0] -%}{%- do lost.append("  " ~ model.name ~ ": " ~ days[0] ~ " days, " ~ days[1] ~ " to " ~ days[2]) -%}{%- endif -%}
        {%- endfor -%}
        {%- if lost -%}
            {{ exceptions.raise_compiler_error("A full refresh would lose what the log no longer holds (it begins at " ~ (begins_at or 'no row')
               ~ "):\n" ~ lost | join('\n') ~ "\nNo table was touched. The days that the log holds are rebuilt by: dbt build --vars 'backfill_from: "
               ~ (begins_at or '2000-01-01')[:10] ~ "'. To lose the others on purpose: dbt build --full-refresh --vars 'lose_history: true'.") }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- The log's first row; of what is made from fct_generations, while that stays, its first day. Null: there is nothing. -#}
{% macro first_that_can_be_made_anew(selected) %}
    {%- set fact = existing_relation('marts', 'fct_generations') -%}
    {%- if fact and 'fct_generations' not in selected -%}
        {{ return(run_query("select cast(cast(min(activity_date) as timestamp) as text) from " ~ fact).rows[0][0]) }}
    {%- endif -%}
    {{ return(run_query("select cast(min(created_at) as text) from (" ~ times_of_the_log() ~ ") as log").rows[0][0]) }}
{% endmacro %}

{% macro times_of_the_log() -%}
    {%- set staging = existing_relation('staging', 'stg_generation_log_times') or existing_relation('staging', 'stg_generation_logs') -%}
    {%- if staging -%}
    select created_at from {{ staging }} where created_at between {{ earliest_created_at() }} and {{ latest_created_at() }}
    {%- else -%}
    select cast(null as timestamp) as created_at where false
    {%- endif -%}
{%- endmacro %}

{#- The condition for the rows of a model that a full refresh could not make again. A day or an hour that began before the log,
    and lies in it for the rest, is cut. The single generations also tell of days that the log lacks at its end or in between. -#}
{% macro would_be_lost(model, begins) -%}
    {%- set column = model.config.meta['time_column'] -%}
    {%- if model.name == 'fct_generations' -%}
    {{ begins }} is null or created_at < {{ begins }} or activity_date not in (select cast(created_at as date) from ({{ times_of_the_log() }}) as log)
    {%- else -%}
    {{ begins }} is null or {{ column }} < date_trunc('{{ 'day' if column.endswith('date') else 'hour' }}', {{ begins }})
    {%- endif -%}
{%- endmacro %}

{#- Keeps log_retention_days of single generations. Only after a run in which every model that is made from them
    succeeded: the days that go are then safe in the aggregates. -#}
{% macro trim_expired_days() %}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
        {%- set waiting = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('config.materialized', 'equalto', 'incremental')
            | selectattr('config.incremental_strategy', 'equalto', 'replace_days')
            | map(attribute='unique_id') | reject('in', built) | list -%}
        {%- if not waiting %}
            {%- set first_kept = "cast((select as_of from " ~ existing_relation('intermediate', 'int_log_window') ~ ") as date) - " ~ (var('log_retention_days') - 1) %}
            {%- for name in ['fct_generations', 'generation_log_issues'] %}
            delete from {{ existing_relation('marts', name) }} where activity_date < {{ first_kept }};
            {%- endfor %}
            delete from {{ journal() }}
            where replaced_at < {{ wall_clock() }} - interval '{{ var("log_retention_days") }} days'
                and id not in (select max(id) from {{ journal() }} group by model);
        {%- endif %}
    {%- endif -%}
{% endmacro %}
