{#- One run at a time. DuckDB sees to it by itself: one process has the file. On PostgreSQL a run waits for another that is at
    work, and in the end gives up. A run is at work while one of its models holds the lock, which goes with its connection,
    however it ends, or while a statement of dbt's is running. Between two of them there is nothing to see, so a run that
    was idle for three seconds counts as dead; should it live after all, its next model finds that it was taken over, and
    fails before it touches anything. -#}
{% macro begin_run() %}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}{{ adapter.dispatch('begin_run')() }}{%- endif -%}
{% endmacro %}
{% macro hold_run() %}{%- if execute -%}{{ adapter.dispatch('hold_run')() }}{%- endif -%}{% endmacro %}
{% macro end_run() %}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}{{ adapter.dispatch('end_run')() }}{%- endif -%}
{% endmacro %}

{% macro default__begin_run() %}{% endmacro %}
{% macro default__hold_run() %}{% endmacro %}
{% macro default__end_run() %}{% endmacro %}

{% macro postgres__begin_run() %}
    {%- set seen = namespace(other=none, idle=0, begun=false) -%}
    {%- for attempt in range(var('wait_for_other_run_seconds') * 2 + 1) if not seen.begun -%}
        {%- set other = run_query("select other_run, is_at_work from " ~ internal_schema() ~ ".begin_run('"
            ~ invocation_id ~ "', " ~ (seen.idle >= 6) ~ ")").rows[0] -%}
        {%- set seen.idle = 0 if other[1] else seen.idle + 1 -%}
        {%- set seen.begun = other[0] is none -%}
        {%- if not seen.begun -%}
            {%- if not seen.other -%}{{ log("Another run, begun at " ~ other[0] ~ " UTC, is at work here: waiting for it.", info=true) }}{%- endif -%}
            {%- set seen.other = other[0] -%}
            {%- do run_query("select pg_sleep(0.5)") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not seen.begun -%}
        {{ exceptions.raise_compiler_error("Another run, begun at " ~ seen.other ~ " UTC, is still at work in " ~ target.schema
           ~ " after " ~ var('wait_for_other_run_seconds') ~ " seconds of waiting (wait_for_other_run_seconds). This one touched nothing.") }}
    {%- endif -%}
    {#- dbt has looked up what exists before the wait, and would make anew what the other run has made. A view comes and goes
        with the tables that it reads. -#}
    {%- if seen.other -%}
        {%- set made = run_query("select table_schema, table_name from information_schema.tables where table_schema like '"
            ~ target.schema ~ "%' and table_schema != '" ~ internal_schema() ~ "' and table_type = 'BASE TABLE' and table_name != 'alert_notifications' and table_name not like '%__dbt_%'").rows -%}
        {%- for table in made if not adapter.get_relation(target.database, table[0], table[1]) -%}
            {%- do run_query(postgres__end_run() ~ " returning 1") -%}
            {{ exceptions.raise_compiler_error("Another run, begun at " ~ seen.other ~ " UTC, has made " ~ table[1] ~ " meanwhile. This one touched nothing: run it again.") }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro postgres__hold_run() %}select {{ internal_schema() }}.hold_run('{{ invocation_id }}'){% endmacro %}

{% macro postgres__end_run() %}
    update {{ internal_schema() }}.current_run set ended_at = {{ wall_clock() }} where run_id = '{{ invocation_id }}' and ended_at is null
{% endmacro %}

{#- dbt makes the schemas before it asks the project anything, and PostgreSQL lets two first runs at once fail over it. -#}
{% macro postgres__create_schema(relation) -%}
    {%- call statement('create_schema') -%}
    select pg_advisory_xact_lock(hashtextextended('{{ internal_schema() }}', 0));
    create schema if not exists {{ relation.without_identifier().include(database=false) }}
    {%- endcall -%}
{%- endmacro %}

{% macro default__create_run_functions() %}{% endmacro %}
{% macro postgres__create_run_functions() %}
    {%- set run_lock = "hashtextextended('" ~ internal_schema() ~ ".current_run', 0)" %}
    create table if not exists {{ internal_schema() }}.current_run (
        is_only_row boolean primary key default true check (is_only_row),
        run_id text not null,
        begun_at timestamp not null,
        ended_at timestamp
    );

    create or replace function {{ internal_schema() }}.begin_run(
        this_run text, is_other_dead boolean, out other_run timestamp, out is_at_work boolean
    )
    language plpgsql as $function$
    begin
        is_at_work := not pg_try_advisory_xact_lock({{ run_lock }}) or exists (
            select 1 from pg_stat_activity
            where datname = current_database()
                and usename = current_user
                and application_name = current_setting('application_name')
                and pid != pg_backend_pid()
                and state != 'idle'
                and query not like '%pg_sleep(0.5)%'
                and query not like '%begin_run%'
        );
        if is_at_work or not is_other_dead then
            select begun_at into other_run from {{ internal_schema() }}.current_run where ended_at is null and run_id != this_run;
            is_at_work := is_at_work and other_run is not null;
        end if;
        if other_run is null and not is_at_work then
            insert into {{ internal_schema() }}.current_run (run_id, begun_at) values (this_run, {{ wall_clock() }})
            on conflict (is_only_row) do update set run_id = excluded.run_id, begun_at = excluded.begun_at, ended_at = null;
        end if;
    end $function$;

    create or replace function {{ internal_schema() }}.hold_run(this_run text) returns void
    language plpgsql as $function$
    begin
        perform pg_advisory_xact_lock_shared({{ run_lock }});
        if not exists (select 1 from {{ internal_schema() }}.current_run where run_id = this_run) then
            raise exception 'Another run, begun at % UTC, has taken over. This one stops; what it made so far stands.',
                (select begun_at from {{ internal_schema() }}.current_run);
        end if;
    end $function$;
{% endmacro %}
