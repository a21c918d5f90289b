{#- The one incremental strategy: from its first rebuilt day on, a table's days are replaced whole, in one transaction,
    with the table locked; also a day that has become empty. The journal says so in the same transaction. -#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {%- set target, rows, journal = arg_dict['target_relation'], arg_dict['temp_relation'], journal() -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set from, also = rebuild_from(), config.get('meta', {}).get('also_replaced') -%}
    {%- set kept = held_back_days() if config.get('meta', {}).get('follows_log') else [] -%}
    {%- set replaced = config.get('event_time') ~ " >= " ~ from
        ~ (" and activity_date not in (" ~ kept | join(', ') ~ ")" if kept else "")
        ~ (" or " ~ also if also else "") ~ (" or " ~ is_leaving(config.get('event_time')) if makes_leaving_days()
        else "") -%}
    {{ lock_table(target) }}
    insert into {{ journal }} (id, model, replaced_from, deleted_rows, inserted_rows, run_id, replaced_at)
    select
        {{ next_number('replacements_id') }},
        '{{ target.identifier }}',
        {{ from }},
        (select count(*) from {{ target }} where {{ replaced }}),
        0,
        '{{ invocation_id }}',
        {{ wall_clock() }};
    {{ replace_rows(target, rows, columns, replaced) }}
    update {{ journal }} set inserted_rows = (select count(*) from {{ target }} where {{ replaced }})
    where id = (select max(id) from {{ journal }} where model = '{{ target.identifier }}');
{% endmacro %}

{#- A table that is made from nothing has its entry written here, before it is made and in the same transaction. -#}
{% macro journal_new_table() %}
    {%- if execute and config.get('incremental_strategy') == 'replace_days'
        and config.get('materialized') == 'incremental' and not is_incremental() -%}
        insert into {{ journal() }} (id, model, replaced_from, run_id, replaced_at)
        select {{ next_number('replacements_id') }}, '{{ this.identifier }}', {{ rebuild_from() }},
            '{{ invocation_id }}', {{ wall_clock() }}
    {%- endif -%}
{% endmacro %}

{#- A table in which this run has no day to replace is left alone: dbt would send a dozen statements to replace nothing
    by nothing. The issues are written in any case, for the rows without a day. What runs remember is made once. -#}
{% materialization incremental, adapter='duckdb' %}
    {{ return(left_alone() or dbt.materialization_incremental_duckdb()) }}
{% endmaterialization %}

{% macro left_alone() %}
    {%- set strategy = config.get('incremental_strategy') if is_incremental() else none -%}
    {%- if not (strategy == 'kept' or strategy == 'replace_days' and not config.get('meta', {}).get('also_replaced')
        and rebuild_from() == constant(none, 'date') and not makes_leaving_days()) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}

{#- The strategy of models/state: tables that are made once, by their YAML, and written by what remembers. -#}
{% macro get_incremental_kept_sql(arg_dict) %}select 1{% endmacro %}

{#- No row, with the columns of the model that asks. -#}
{% macro no_rows() -%}
select
    {%- for column in model.columns.values() %}
    cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
where false
{%- endmacro %}

{#- Brings the ledger up to the days that the fact was made of, in the fact's transaction and after it: as the rows were
    that were read, so that what came in meanwhile is a change for the next run. -#}
{% macro record_days() %}
    {%- set ledger, window, log_days = internal_schema() ~ '.days', ref('int_log_window'), ref('int_log_days') -%}
    {%- set held_back = held_back_days() -%}
    {%- set is_kept = "activity_date in (" ~ held_back | join(', ') ~ ")" if held_back else "false" -%}
    {%- set rebuilt_from = "(select rebuild_from from " ~ window ~ ")" if is_incremental() else "date '1000-01-01'" -%}
    update {{ ledger }} set as_of = (select as_of from {{ window }})
    where activity_date >= (select wanted_from from {{ window }}) and activity_date < {{ rebuilt_from }}
        and not {{ is_kept }};
    {%- if held_back and which_run() != 'hourly' %}
    update {{ ledger }} set held_back_hash = coalesce(log_days.content_hash, 'no row')
    from {{ log_days }} as log_days
    where days.activity_date = log_days.activity_date and log_days.is_held_back;
    {%- endif %}
    delete from {{ ledger }} where activity_date >= {{ rebuilt_from }} and not {{ is_kept }};
    insert into {{ ledger }} (activity_date, first_at, last_at, row_count, is_whole, content_hash, as_of)
    select
        log_rows.activity_date,
        min(log_rows.created_at),
        max(log_rows.created_at),
        count(*),
        max(log_window.log_first_at) is null or bool_or(log_window.is_first_date_whole)
            or log_rows.activity_date > max(cast(log_window.log_first_at as date)),
        cast(sum(cast(log_rows.row_hash as numeric(38, 0))) as text) || {{ definitions_hash() }},
        max(log_window.as_of)
    from {{ ref('int_log_rows') }} as log_rows
    cross join {{ window }} as log_window
    where log_rows.activity_date >= log_window.rebuild_from and log_rows.created_at <= log_window.as_of
    group by log_rows.activity_date
{% endmacro %}
