{#- open_log() makes the log readable as the source, or stops the run before any table is touched, saying why. How
    DuckDB does so with files: macros/engine/log_files_duckdb.sql. -#}

{#- The application's own table: present, readable as a whole, with its columns. The database's own error says the
    rest. Its owner may be at work on it: nothing here waits for long. -#}
{% macro postgres__open_log() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set log = source('application', 'generation_logs') -%}
    {%- set release, look = database_release(), "select 1 from " ~ log ~ " limit 0" -%}
    {%- do run_query(waiting_briefly(look, log, 1) if release.found == release.known
        else "set local lock_timeout = '1s'; " ~ look) -%}
    {%- set types, denied = readable_log_columns(log), [] -%}
    {%- for name, role in run_query("select attname, quote_ident(current_user) from pg_attribute where attrelid = "
        ~ "to_regclass('" ~ log ~ "') and attnum > 0 and not attisdropped order by attnum").rows
        if name not in types and name in needed_log_columns() -%}
        {%- do denied.append([name, role]) -%}
    {%- endfor -%}
    {%- if denied -%}
        {%- set names, role = denied | map('first') | join(', '), denied[0][1] -%}
        {{ exceptions.raise_compiler_error("The role " ~ role ~ " may not read " ~ names ~ " of the log " ~ log
           ~ ". Its owner lets it: grant select (" ~ names ~ ") on " ~ log ~ " to " ~ role ~ ";") }}
    {%- endif -%}
    {%- do stop_for_missing_columns(types, log) -%}
    {%- do stop_for_unread_types(types, log) -%}
    {%- for relation, reader in run_query(hidden_rows_query(log)).rows -%}
        {{ exceptions.raise_compiler_error("Row level security is on for " ~ relation ~ ", and may hide rows from "
           ~ reader ~ ": the numbers would be those of a part. Nothing was touched. Its owner lets all be read: "
           "create policy warehouse_reads on " ~ relation ~ " for select to " ~ reader ~ " using (true); or, "
           "where a policy is restrictive, an administrator does: alter role " ~ reader ~ " bypassrls;") }}
    {%- endfor -%}
    {#- Without an index of what the runs filter by, every one reads the whole log. A view or a foreign table has none
        to look for. -#}
    {%- set type = types.created_at -%}
    {%- set zone = var('log_timezone') -%}
    {%- set indexed = {
        'timestamp with time zone': "timezone('UTC', created_at)",
        'timestamp without time zone': "created_at" if zone == 'UTC'
            else "timezone('UTC', timezone('" ~ zone ~ "', created_at))",
    }.get(type) -%}
    {%- if flags.WHICH in ('run', 'build') -%}
        {%- set query %}
        select relkind from pg_class where oid = '{{ log }}'::regclass and relkind in ('r', 'p') and not exists (
            select 1 from pg_index where indrelid = pg_class.oid and indisvalid and regexp_replace(
                regexp_replace(pg_get_indexdef(indexrelid, 1, true), '::text|[() ]', '', 'g'),
                '^created_atATTIMEZONE''UTC''$', 'timezone''UTC'',created_at'
            ) = '{{ indexed | default('', true) | replace("'", "''") | replace('(', '') | replace(')', '')
                | replace(' ', '') }}'
        )
        {%- endset -%}
        {%- set found = run_query(query).rows -%}
        {%- if found -%}
            {#- one of a partitioned table cannot be made beside others -#}
            {%- set beside = "concurrently " if found[0][0] == 'r' else "" -%}
            {%- do exceptions.warn("Every run reads the whole of " ~ log ~ ": " ~ ("it has no index of " ~ indexed
                ~ ". Its owner makes one: create index " ~ beside ~ "on " ~ log ~ " ((" ~ indexed ~ "))" if indexed else
                "created_at is of type " ~ type ~ ", for which no index serves. A timestamp would do.")) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}

{#- The relations below the log in which a policy may hide rows from who reads them: this role, or, below a view that
    does not say security_invoker, the view's owner. A policy that shows all rows hides none. -#}
{% macro hidden_rows_query(log) %}
    with recursive readings as (
        select '{{ log }}'::regclass::oid as relation, (select oid from pg_roles where rolname = current_user) as reader
        union
        select
            pg_depend.refobjid,
            case
                when coalesce((
                    select option_value::boolean from pg_options_to_table(pg_class.reloptions)
                    where option_name = 'security_invoker'
                ), false) then readings.reader
                else pg_class.relowner
            end
        from readings
        inner join pg_class on readings.relation = pg_class.oid and pg_class.relkind = 'v'
        inner join pg_rewrite on pg_class.oid = pg_rewrite.ev_class
        inner join pg_depend on pg_rewrite.oid = pg_depend.objid and pg_depend.refclassid = 'pg_class'::regclass
            and pg_depend.refobjid != pg_class.oid
    ),

    policies as (
        select
            pg_policy.polrelid,
            readings.reader,
            pg_policy.polpermissive as is_permissive,
            pg_get_expr(pg_policy.polqual, pg_policy.polrelid) = 'true' as shows_all
        from readings
        inner join pg_policy on readings.relation = pg_policy.polrelid and pg_policy.polcmd in ('r', '*')
        where exists (
            select 1 from unnest(pg_policy.polroles) as applies(role)
            where applies.role = 0 or pg_has_role(readings.reader, applies.role, 'usage')
        )
    )

    select readings.relation::regclass::text, quote_ident(pg_roles.rolname)
    from readings
    inner join pg_class on readings.relation = pg_class.oid and pg_class.relrowsecurity
    inner join pg_roles on readings.reader = pg_roles.oid and not pg_roles.rolsuper and not pg_roles.rolbypassrls
    where (pg_class.relforcerowsecurity or not pg_has_role(readings.reader, pg_class.relowner, 'usage'))
        and not exists (
            select 1 from policies
            where polrelid = readings.relation and policies.reader = readings.reader
            having bool_or(is_permissive and shows_all) and bool_and(is_permissive or shows_all)
        )
{% endmacro %}
