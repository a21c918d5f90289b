{#- The one incremental strategy: from its first rebuilt day on, a table's days are replaced whole, in one transaction,
    with the table locked; also a day that has become empty. -#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set time_column = config.get('meta')['time_column'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {{ adapter.dispatch('lock_table')(target) }}
    delete from {{ target }} where {{ time_column }} >= {{ replaced_from() }}
        {%- if config.get('meta').get('has_undated_rows') %} or {{ time_column }} is null{% endif %};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}

{#- DuckDB has one writing process, and its transactions conflict rather than mix. -#}
{% macro duckdb__lock_table(relation) %}{% endmacro %}
{% macro postgres__lock_table(relation) %}lock table {{ relation }} in exclusive mode;{% endmacro %}

{#- The first day that this run rebuilds in the model that asks: what the run's window says, or earlier where the model
    itself lags behind (an earlier run was killed before it got here); never a day that the log holds only in part.
    The model's own high-water mark is the expression meta.watermark; models that hold empty hours leave those out. -#}
{% macro replaced_from() %}
    {%- set window = ref('int_log_window') -%}
    {%- set window = load_relation(window) if execute else none -%}
    {%- if not window -%}{{ return("cast(null as date)") }}{%- endif -%}
    {%- if not is_incremental() -%}
        {{ return(constant(run_query("select cast(cast(log_first_at as date) as text) from " ~ window).rows[0][0], 'date')) }}
    {%- endif -%}
    {%- if config.get('meta').get('follows_log') -%}{{ return(log_replaced_from()) }}{%- endif -%}
    {%- set from = run_query(
        "select cast(case when w.first_whole_date is not null then cast(greatest(w.first_whole_date, least(w.replaced_from, coalesce("
        "cast((select " ~ config.get('meta')['watermark'] ~ " from " ~ this ~ ") as date) - " ~ var('lookback_days')
        ~ ", w.first_whole_date))) as date) end as text) from " ~ existing_relation('intermediate', 'int_log_window') ~ " as w").rows[0][0] -%}
    {{ return(constant(from, 'date')) }}
{% endmacro %}

{#- A relation that is built already and that this run does not make anew; none otherwise. -#}
{% macro already_built(layer, name) %}
    {{ return(none if flags.FULL_REFRESH else existing_relation(layer, name)) }}
{% endmacro %}

{#- A relation as it stands in the database, or none. By name and not by ref(), for those that a model must look at
    although they are made after it, and for a look into the database while a unit test puts its own rows in their place. -#}
{% macro existing_relation(layer, name) %}
    {{ return(adapter.get_relation(target.database, generate_schema_name(layer, none) | trim, name) if execute else none) }}
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
        {%- endif %}
    {%- endif -%}
{% endmacro %}
