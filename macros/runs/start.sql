{#- Before anything is touched: are session, log and the database's release as they should be, is no other run at work,
    would nothing be lost? What must exist before the first model is made here, in a schema no reader is granted. -#}
{#- An older release would misread what a newer one has left. -#}
{% macro check_release() %}
    {%- set release = database_release() -%}
    {%- if release.found > release.known -%}
        {{ exceptions.raise_compiler_error("This database was written by a newer release of the warehouse (its format "
           "is " ~ release.found ~ ", this release knows up to " ~ release.known ~ "). Nothing was touched. "
           "Update the code, or use another database.") }}
    {%- endif -%}
{% endmacro %}

{#- The functions and sequences that the models use. Nothing is done where they are there as they should be. -#}
{% macro prepare_database() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set internal, release = internal_schema(), database_release() -%}
    {%- set functions = adapter.dispatch('functions')() -%}
    {%- if release.found != release.known or release.functions_hash != local_md5(functions) %}
        {{ adapter.dispatch('lock_first_run')() }}
        {%- if not adapter.check_schema_exists(target.database, internal) %}
        create schema if not exists {{ internal }};
        {%- endif %}
        create table if not exists {{ internal }}.release (
            is_only_row boolean primary key default true check (is_only_row),
            format integer not null,
            functions_hash text not null
        );
        create sequence if not exists {{ internal }}.replacements_id;
        create sequence if not exists {{ internal }}.alert_notifications_id;
        {{ functions }}
        {%- for node in graph.nodes.values() if node.config.get('incremental_strategy') == 'kept'
            and adapter.get_relation(node.database, node.schema, node.alias) %}
            {%- for column in node.columns.values() %}
        alter table {{ node.schema }}.{{ node.alias }}
            add column if not exists {{ column.name }} {{ column.data_type }};
            {%- endfor %}
        {%- endfor %}
        {%- if release.found < 5 %}
        {{ mark_the_first_days() }}
        {%- endif %}
        {%- if release.found < 6 %}
        {{ adapter.dispatch('widen_the_rules')() }}
        {%- endif %}
        delete from {{ internal }}.release;
        insert into {{ internal }}.release (format, functions_hash)
        values ({{ release.known }}, '{{ local_md5(functions) }}');
    {%- endif %}
    {{ pattern_function('error_pattern', existing_relation('seeds', 'error_patterns')) }}
    {{ pattern_function('scene_pattern', existing_relation('seeds', 'scene_patterns')) }}
    {{ document_functions(existing_relation('seeds', 'document_keys')) }}
{% endmacro %}

{#- Until format 5 the warehouse's first days counted spans that reached before them, and its first hour, day and
    window, which may be cut, were complete. What the log no longer holds is not rebuilt, so it is put right here. -#}
{% macro mark_the_first_days() %}
    {%- set engagement = existing_relation('marts', 'daily_engagement') -%}
    {%- if not engagement -%}{{ return('') }}{%- endif -%}
    {%- set first_date = "(select min(activity_date) from " ~ engagement ~ ")" -%}
    {%- set weekly = ['weekly_new_users', 'weekly_returning_users', 'weekly_resurrected_users', 'weekly_dormant_users']
    -%}
    {{ lock_timeout() }}
    alter table {{ engagement }} add column if not exists has_older_users boolean;
    update {{ engagement }}
    set has_older_users = {{ 'false' if var('log_begins_on') else 'activity_date < ' ~ first_date ~ ' + 28' }};
    {%- for days, columns in [(6, ['weekly_active_users']), (13, weekly), (29, ['monthly_active_users'])] %}
        {%- for column in columns %}
    alter table {{ engagement }} alter column {{ column }} drop not null;
        {%- endfor %}
        {%- if not var('log_begins_on') %}
    update {{ engagement }} set {{ columns | join(' = null, ') }} = null
    where activity_date < {{ first_date }} + {{ days }};
        {%- endif %}
    {%- endfor %}
    update {{ engagement }} set stickiness_ratio = null where monthly_active_users is null;
    {%- set first_times = {
        'activity_date': first_date,
        'activity_hour': "(select min(activity_hour) from " ~ existing_relation('marts', 'hourly_engagement') ~ ")",
        'window_start': "(select min(window_start) from " ~ existing_relation('marts', 'service_health') ~ ")",
    } -%}
    {%- for model in models_replaced_by_days() if not var('log_begins_on') %}
        {%- set relation, time = adapter.get_relation(model.database, model.schema, model.name), model.config.event_time
        -%}
        {%- if relation %}
    alter table {{ relation }} add column if not exists is_complete boolean;
    update {{ relation }} set is_complete = false where {{ time }} = {{ first_times[time] }};
        {%- endif %}
    {%- endfor %}
{% endmacro %}

{#- Until format 6 a rule had no evidence and no longer window. DuckDB reads a seed into the columns that its table has,
    in their order; PostgreSQL adds columns when it reads the seed. -#}
{% macro default__widen_the_rules() %}
    {%- set rules = existing_relation('seeds', 'alert_rules') -%}
    {%- if not rules -%}{{ return('') }}{%- endif %}
    create or replace table {{ rules }} as
    select
        rule_name,
        metric,
        window_minutes,
        cast(null as integer) as longer_window_minutes,
        second_window_minutes,
        comparison,
        threshold,
        cast(null as double) as minimum_evidence,
        minimum_sample,
        fire_after_windows,
        resolve_after_windows,
        severity,
        objective,
        is_enabled,
        runbook
    from {{ rules }};
{% endmacro %}
{% macro postgres__widen_the_rules() %}{% endmacro %}

{#- Two first runs at once would otherwise make the schema twice. -#}
{% macro default__lock_first_run() %}{% endmacro %}
{% macro postgres__lock_first_run() %}select pg_advisory_xact_lock(hashtext('{{ internal_schema() }}'));{% endmacro %}

{#- Days do not turn back: a clock before what is already built would leave newer days as they are. Nor do they run
    ahead: a clock far beyond the log's newest row would trim what the log may no longer hold. -#}
{% macro check_as_of() %}
    {%- if not execute or var('as_of') is none or flags.WHICH not in ('run', 'build') -%}{{ return('') }}{%- endif -%}
    {%- set fact = none if flags.FULL_REFRESH else existing_relation('marts', 'fct_generations') -%}
    {%- if as_of_is_timestamp() -%}
        {%- set found = run_query("select " ~ as_of_timestamp() ~ " > " ~ latest_created_at()).rows[0][0] -%}
        {%- if found -%}
            {{ exceptions.raise_compiler_error("The variable as_of is " ~ var('as_of') ~ ", which is in the future. "
               "Nothing was touched.") }}
        {%- endif -%}
        {%- set query = "select max(created_at) from " ~ fact ~ " where created_at > " ~ as_of_timestamp() -%}
        {%- set newer = run_query(query).rows[0][0] if fact else none -%}
        {%- if newer is not none -%}
            {{ exceptions.raise_compiler_error("as_of is " ~ var('as_of') ~ ", but the warehouse is already built up "
               "to " ~ newer ~ ". Build the past into another database: WAREHOUSE_DUCKDB=past.duckdb dbt build --vars "
               "'as_of: ...'") }}
        {%- endif -%}
    {%- endif -%}
    {%- set clock = as_of_timestamp() if as_of_is_timestamp() else wall_clock() -%}
    {%- set first_kept = "(cast(" ~ clock ~ " as date) - " ~ (var('log_retention_days') - 1) ~ ")" -%}
    {#- most runs trim a day at most, and learn so from the oldest one -#}
    {%- set query %}
    select
        count(*) filter (where activity_date < {{ first_kept }}),
        count(*),
        cast(max(created_at) as text)
    from {{ fact }}
    where (select min(activity_date) from {{ fact }}) < {{ first_kept }} - 7
    {%- endset -%}
    {%- set gone, all, newest = run_query(query).rows[0] if fact else (1, 1, none) -%}
    {%- if is_selected('fct_generations') and all and gone > all * var('max_trimmed_share') -%}
        {%- set query %}
        select cast(max(logged_at) as text), max(logged_at) < {{ first_kept }}
        from ({{ with_time_read('(' ~ log_rows() ~ ') as log_rows') }}) as log
        where logged_at <= {{ latest_created_at() }}
        {%- endset -%}
        {%- set log_newest, is_old = run_query(query).rows[0] -%}
        {%- if log_newest and (log_newest <= newest if newest else is_old and var('max_trimmed_share') < 1) -%}
            {{ exceptions.raise_compiler_error("as_of is " ~ var('as_of') ~ ", but the log's newest row is of "
               ~ log_newest ~ ": this run would trim " ~ ("{:,} of {:,}".format(gone, all) if newest else "all")
               ~ " generations, as they are older than log_retention_days (" ~ var('log_retention_days') ~ "). "
               "Nothing was touched. Leave as_of out for an old log; or permit it: --vars '{as_of: " ~ var('as_of')
               ~ ", max_trimmed_share: 1}'.") }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- What a selected model reads must be selected as well, or be there already. What daily runs and those of the alerts
    make may come later: the clock waits for it in a run that makes it. So does what the alerts read of marts. -#}
{% macro check_selection() %}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}{{ return('') }}{%- endif -%}
    {#- hooks and strategies write to these, which no edge shows -#}
    {%- set remembered = ['model.' ~ project_name ~ '.replacements', 'model.' ~ project_name ~ '.days'] -%}
    {%- set missing, models, replaced = [], [], models_replaced_by_days() | map(attribute='unique_id') | list -%}
    {%- for node in graph.nodes.values() if node.unique_id in selected_resources and node.resource_type == 'model' -%}
        {%- set parents = node.depends_on.nodes + (remembered if node.unique_id in replaced else []) -%}
        {%- for parent in parents if parent not in selected_resources and parent not in missing -%}
            {%- set needed = graph.nodes.get(parent) -%}
            {%- set is_made_by_runs = needed and needed.resource_type == 'model'
                and needed.config.get('incremental_strategy') != 'kept' -%}
            {%- set may_come_later = is_made_by_runs and ('alerts' in node.tags
                or needed.tags | reject('in', node.tags) | select('in', ['alerts', 'daily']) | list) -%}
            {%- if needed and needed.config.materialized != 'ephemeral' and not may_come_later
                and not adapter.get_relation(needed.database, needed.schema, needed.alias) -%}
                {%- do missing.append(parent) -%}
                {%- if is_made_by_runs -%}{%- do models.append(needed.name) -%}{%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error("The selected models read what is not there yet: " ~ missing
           | map('replace', project_name ~ '.', '') | sort | join(', ') ~ ". Nothing was touched. Run `dbt build` "
           "once, or add to the selection: " ~ (['path:models/state', 'path:seeds'] + models) | join(' ')
           ~ " (with `dbt run`, run `dbt seed` first).") }}
    {%- endif -%}
{% endmacro %}
