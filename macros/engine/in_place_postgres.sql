{#- PostgreSQL has readers at any moment: open transactions, dumps, views of others. So what exists is never dropped,
    renamed, truncated or made again while it has the columns that it should have; its rows are replaced by a delete and
    an insert. dbt's own ways are for what does not exist yet, and for columns that changed their type or went away. -#}

{% materialization table, adapter='postgres' %}
    {{ return(table_in_place() or dbt.materialization_table_default()) }}
{% endmaterialization %}

{% materialization incremental, adapter='postgres' %}
    {{ return(left_alone() or table_in_place() or dbt.materialization_incremental_default()) }}
{% endmaterialization %}

{% materialization view, adapter='postgres' %}
    {{ return(view_in_place() or dbt.materialization_view_default()) }}
{% endmaterialization %}

{% materialization seed, adapter='postgres' %}
    {{ return(seed_in_place() or dbt.materialization_seed_default()) }}
{% endmaterialization %}

{#- A test waits for a lock no longer than a model does. -#}
{% macro postgres__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ limit_waits() }} {{ default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}

{% macro table_in_place() %}
    {%- set target = load_cached_relation(this) -%}
    {%- set strategy = config.get('incremental_strategy') if config.get('materialized') == 'incremental'
        and not should_full_refresh() else 'all' -%}
    {%- if not target or not target.is_table -%}{{ return(none) }}{%- endif -%}
    {%- if strategy == 'all' -%}
        {%- do run_query(limit_waits()) -%}
        {%- if changed_columns(target) -%}{{ return(none) }}{%- endif -%}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set columns = [] -%}
    {%- if config.get('contract').enforced -%}
        {%- do get_assert_columns_equivalent(sql) -%}
        {%- for column in model.columns.values() -%}
            {%- do columns.append(api.Column(column.name, column.data_type)) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do columns.extend(get_column_schema_from_query(sql)) -%}
    {%- endif -%}
    {%- do add_columns(target, columns) -%}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}
    {%- set rows = "(" ~ sql ~ "\n) as model_rows" -%}
    {#- What is made of few rows that differ each time is not compared; int_alert_generations is made of its own, which
        are about to be deleted. -#}
    {%- set is_small = config.get('schema') != 'marts' or config.get('meta', {}).get('is_one_row') -%}
    {%- set is_scratch = strategy == 'all' and is_small and target | string not in sql -%}
    {%- if strategy != 'append' and not is_scratch -%}
        {%- set rows = make_temp_relation(target) -%}
        {%- call statement('rows') -%}
        create temporary table {{ rows }} (like {{ target }}) on commit drop;
        insert into {{ rows }} ({{ names }}) select {{ names }} from ({{ sql }}
        ) as model_rows
        {%- endcall -%}
    {%- endif -%}
    {%- call statement('main') -%}
        {%- if strategy == 'all' %}
        {{ lock_table(target) }}
        {%- endif %}
        {%- if strategy == 'append' or is_scratch %}
            {%- if is_scratch %}
        delete from {{ target }};
            {%- endif %}
        insert into {{ target }} ({{ names }}) select {{ names }} from {{ rows }}
        {%- elif strategy == 'all' %}
        {{ replace_rows(target, rows, names, 'true') }}
        {%- else %}
        {{ adapter.get_incremental_strategy_macro(context, strategy)({
            'target_relation': target, 'temp_relation': rows, 'dest_columns': columns,
            'unique_key': config.get('unique_key'), 'incremental_predicates': none,
        }) }}
        {%- endif %}
    {%- endcall -%}
    {{ return(finished(target)) }}
{% endmacro %}

{#- What a view says is compared by a hash, which is the comment of its rule: it comes and goes with the view. A copy of
    the database under another name has the same. -#}
{% macro view_in_place() %}
    {%- set said = local_md5(sql | replace('"' ~ target.database ~ '".', '') ~ model.description ~ model.columns) -%}
    {%- set existing, view = load_cached_relation(this), this.incorporate(type='view') -%}
    {%- if existing and not existing.is_view -%}{{ return(none) }}{%- endif -%}
    {%- if existing and view_hash(view) == said -%}
        {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
        {{ return({'relations': [view]}) }}
    {%- endif -%}
    {#- other columns than new ones at the end take another view, and what depends on the old one goes with it -#}
    {%- set replacement -%}
    do $view$ begin
        create or replace view {{ view }} as {{ sql }};
    exception when invalid_table_definition then
        drop view {{ view }} cascade;
        create view {{ view }} as {{ sql }};
    end $view$
    {%- endset -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        {{ waiting_briefly(replacement, view) }};
        comment on rule "_RETURN" on {{ view }} is '{{ said }}'
    {%- endcall -%}
    {{ return(finished(view)) }}
{% endmacro %}

{% macro view_hash(view) %}
    {%- set query -%}
    select obj_description(oid, 'pg_rewrite') from pg_rewrite
    where ev_class = to_regclass('{{ view }}') and rulename = '_RETURN'
    {%- endset -%}
    {%- set found = run_query(query).rows -%}
    {{ return(found[0][0] if found else none) }}
{% endmacro %}

{% macro seed_in_place() %}
    {%- set target = load_cached_relation(this) -%}
    {%- if not target or not target.is_table -%}{{ return(none) }}{%- endif -%}
    {%- set rows = load_agate_table() -%}
    {%- do store_result('agate_table', response='OK', agate_table=rows) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set columns, types = [], config.get('column_types', {}) -%}
    {%- for name in rows.column_names -%}
        {%- do columns.append(api.Column(name, types.get(name) or adapter.convert_type(rows, loop.index0))) -%}
    {%- endfor -%}
    {%- do add_columns(target, columns) -%}
    {%- call statement('emptied') -%}{{ lock_table(target) }} delete from {{ target }}{%- endcall -%}
    {%- set inserted = load_csv_rows(model, rows) if rows.rows | length else '' -%}
    {%- call noop_statement('main', 'INSERT ' ~ rows.rows | length, 'INSERT', rows.rows | length) -%}
        {{ inserted }}
    {%- endcall -%}
    {{ return(finished(target)) }}
{% endmacro %}

{% macro finished(target) %}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{#- Has the model other columns than its table, by name or type? -#}
{% macro changed_columns(target) %}
    {%- set wanted, found = [], [] -%}
    {%- for column in get_column_schema_from_query(sql) -%}
        {%- do wanted.append([column.name, column.dtype]) -%}
    {%- endfor -%}
    {%- for column in get_column_schema_from_query("select * from " ~ target) -%}
        {%- do found.append([column.name, column.dtype]) -%}
    {%- endfor -%}
    {#- a query tells of integer and bigint as one; a contract tells them apart -#}
    {%- set retyped = [] -%}
    {%- for column in model.columns.values() if config.get('contract').enforced -%}
        {%- do retyped.append("attname = '" ~ column.name ~ "' and atttypid != '" ~ column.data_type ~ "'::regtype") -%}
    {%- endfor -%}
    {{ return(wanted | sort != found | sort or retyped and run_query("select 1 from pg_attribute where attrelid = '"
        ~ target ~ "'::regclass and (" ~ retyped | join(' or ') ~ ")").rows | length > 0) }}
{% endmacro %}

{#- Columns that a release has added; null in the rows that are there. What the driver calls the type of a column of a
    query is not always what PostgreSQL calls it: where no contract says the type, PostgreSQL is asked. -#}
{% macro add_columns(target, columns) %}
    {%- set known = adapter.get_columns_in_relation(target) | map(attribute='name') | list -%}
    {%- set added, types = columns | rejectattr('name', 'in', known) | list, {} -%}
    {%- if added and model.resource_type == 'model' and not config.get('contract').enforced -%}
        {%- do run_query("create temporary table added_columns on commit drop as select "
            ~ added | map(attribute='quoted') | join(', ') ~ " from (" ~ sql ~ "\n) as model_rows with no data") -%}
        {%- for name, type in run_query("select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = 'added_columns'::regclass and attnum > 0").rows -%}
            {%- do types.update({name: type}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for column in added -%}
        {%- do run_query(waiting_briefly("alter table " ~ target ~ " add column " ~ column.quoted ~ " "
            ~ types.get(column.name, column.data_type), target)) -%}
    {%- endfor -%}
{% endmacro %}
