{#- The aggregates outlive the log. A full refresh would make them anew from what the log still holds, so it is refused
    where days would go, before anything is touched. -#}
{% macro refuse_to_lose_history() %}
    {%- if execute and flags.FULL_REFRESH and flags.WHICH in ('run', 'build') and not var('lose_history') -%}
        {%- set staging = existing_relation('staging', 'stg_generation_logs') -%}
        {%- set fact = existing_relation('marts', 'fct_generations') -%}
        {%- set selected = graph.nodes.values() | selectattr('unique_id', 'in', selected_resources)
            | selectattr('config.materialized', 'equalto', 'incremental') | list -%}
        {%- set is_fact_made_anew = selected | selectattr('name', 'equalto', 'fct_generations') | list | length > 0 -%}
        {#- where the first of what can be made anew begins -#}
        {%- if not is_fact_made_anew and fact -%}
            {%- set begins = "select cast(min(activity_date) as timestamp) from " ~ fact -%}
        {%- elif staging -%}
            {%- set begins = "select min(created_at) from " ~ staging ~ " where created_at between " ~ earliest_created_at() ~ " and "
                ~ (as_of_timestamp() if as_of_is_timestamp() else latest_created_at()) -%}
        {%- else -%}
            {%- set begins = "select cast(null as timestamp)" -%}
        {%- endif -%}
        {%- set begins_at = run_query("select cast((" ~ begins ~ ") as text)").rows[0][0] -%}
        {%- set begins = constant(begins_at, 'timestamp') -%}
        {%- set lost = [] -%}
        {%- for model in selected -%}
            {%- set relation = adapter.get_relation(model.database, model.schema, model.name) -%}
            {%- if relation -%}
                {%- set column = 'created_at' if model.name == 'fct_generations' else model.config.meta['time_column'] -%}
                {#- a day or an hour that began before the log does, and lies in it for the rest, is cut -#}
                {%- set days = run_query("select count(distinct cast(" ~ column ~ " as date)), cast(min(cast(" ~ column ~ " as date)) as text), cast(max(cast("
                    ~ column ~ " as date)) as text) from " ~ relation ~ " where " ~ begins ~ " is null or " ~ column
                    ~ " < (case when '" ~ column ~ "' = 'created_at' then " ~ begins ~ " when '" ~ column ~ "' like '%date' then date_trunc('day', " ~ begins
                    ~ ") else date_trunc('hour', " ~ begins ~ ") end)").rows[0] -%}
                {%- if days[0] -%}{%- do lost.append("  " ~ model.name ~ ": " ~ days[0] ~ " days, " ~ days[1] ~ " to " ~ days[2]) -%}{%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if lost -%}
            {{ exceptions.raise_compiler_error("A full refresh would lose what the log no longer holds (it begins at " ~ (begins_at or 'no row')
               ~ "):\n" ~ lost | join('\n') ~ "\nNothing was touched. The days that the log holds are rebuilt by: dbt build --vars 'backfill_from: "
               ~ (begins_at or '2000-01-01')[:10] ~ "'. To lose the others on purpose: dbt build --full-refresh --vars 'lose_history: true'.") }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- Keeps log_retention_days of single generations. Only after a run in which every model that is made from them
    succeeded: the days that go are then safe in the aggregates. -#}
{% macro trim_expired_days() %}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
        {%- set waiting = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('config.materialized', 'equalto', 'incremental')
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
