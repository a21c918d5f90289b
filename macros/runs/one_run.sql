{#- One run at a time. DuckDB sees to it by itself: one process has the file. On PostgreSQL a run waits for another that
    is at work, and in the end gives up. A run is at work while one of its models holds the lock, which goes with its
    connection, however it ends, or while a statement of dbt's is running. Between two of them there is nothing to see,
    so a run that was idle for three seconds counts as dead; should it live after all, its next model finds that it was
    taken over, and fails before it touches anything. -#}
{% macro default__begin_run() %}{% endmacro %}
{% macro default__hold_run() %}{% endmacro %}
{% macro default__end_run() %}{% endmacro %}

{% macro postgres__begin_run() %}
    {%- if not execute or flags.WHICH not in ('run', 'build', 'seed') -%}{{ return('') }}{%- endif -%}
    {%- set seen = namespace(other=none, idle=0, begun=false) -%}
    {%- for attempt in range(var('wait_for_other_run_seconds') * 2 + 1) if not seen.begun -%}
        {%- set other = run_query("select other_run, is_at_work from " ~ internal_schema() ~ ".begin_run('"
            ~ invocation_id ~ "', " ~ (seen.idle >= 6) ~ ")").rows[0] -%}
        {%- set seen.idle = 0 if other[1] else seen.idle + 1 -%}
        {%- set seen.begun = other[0] is none -%}
        {%- if not seen.begun -%}
            {%- if not seen.other -%}
                {{ log("Another run, begun at " ~ other[0] ~ " UTC, is at work here: waiting for it.", info=true) }}
            {%- endif -%}
            {%- set seen.other = other[0] -%}
            {%- do run_query("select pg_sleep(0.5)") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not seen.begun -%}
        {{ exceptions.raise_compiler_error("Another run, begun at " ~ seen.other ~ " UTC, is still at work in "
           ~ target.schema ~ " after " ~ var('wait_for_other_run_seconds') ~ " seconds of waiting "
           "(wait_for_other_run_seconds). This one touched nothing.") }}
    {%- endif -%}
    {#- dbt has looked up what exists before the wait, and would make again what the other run has made. A view comes
        and goes with the tables that it reads. -#}
    {%- if seen.other -%}
        {%- set query %}
        select table_schema, table_name from information_schema.tables
        where table_schema in ('{{ target.schema }}_{{ ["marts", "share", "intermediate", "internal", "seeds"]
            | join("', '" ~ target.schema ~ "_") }}') and table_type = 'BASE TABLE'
            and table_name not in ('release', 'current_run') and table_name not like '%__dbt_%'
        {%- endset -%}
        {%- for table in run_query(query).rows if not adapter.get_relation(target.database, table[0], table[1]) -%}
            {%- do run_query(postgres__end_run() ~ " returning 1") -%}
            {{ exceptions.raise_compiler_error("Another run, begun at " ~ seen.other ~ " UTC, has made " ~ table[1]
               ~ " meanwhile. This one touched nothing: run it again.") }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro postgres__hold_run() -%}
    {% if execute %}select {{ internal_schema() }}.hold_run('{{ invocation_id }}'); {{ limit_waits() }}{% endif %}
{%- endmacro %}

{% macro postgres__end_run() %}
    {%- if flags.WHICH in ('run', 'build', 'seed') -%}
    update {{ internal_schema() }}.current_run set ended_at = {{ wall_clock() }}
    where run_id = '{{ invocation_id }}' and ended_at is null
    {%- endif -%}
{% endmacro %}

{#- dbt makes the schemas that are not there before it asks the project anything: PostgreSQL lets two first runs at once
    fail over it, and a wrong setting would leave some. Who may make none is to hear which one is missing. -#}
{% macro postgres__create_schema(relation) -%}
    {%- do check_settings() -%}
    {%- if not run_query("select has_database_privilege(current_database(), 'create')").rows[0][0] -%}
        {%- set role = run_query("select quote_ident(current_user)").rows[0][0] -%}
        {{ exceptions.raise_compiler_error("There is no schema " ~ relation.schema ~ ", and " ~ role ~ " may not make "
           "one. Nothing was touched. An administrator does: create schema " ~ relation.schema ~ " authorization "
           ~ role ~ ";") }}
    {%- endif -%}
    {%- call statement('create_schema') -%}
    select pg_advisory_xact_lock(hashtextextended('{{ internal_schema() }}', 0));
    create schema if not exists {{ relation.without_identifier().include(database=false) }}
    {%- endcall -%}
{%- endmacro %}
