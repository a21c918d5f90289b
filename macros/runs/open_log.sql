{#- open_log() makes the log readable as the source, or stops the run before any table is touched, saying why. -#}
{% macro log_columns() %}
    {{ return(['id', 'user_id', 'job_id', 'style', 'difficulty', 'duration_ms', 'costs', 'tokens', 'success',
               'error_message', 'created_at']) }}
{% endmacro %}

{% macro stop_for_missing_columns(found, place, optional=[]) %}
    {%- set missing = log_columns() | reject('in', found) | reject('in', optional) | list -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error("The log " ~ place ~ " has no column " ~ missing | join(', ')
           ~ ". It needs: " ~ log_columns() | join(', ') ~ ".") }}
    {%- endif -%}
{% endmacro %}

{#- The application's own table: present, readable as a whole, with its columns. The database's own error says the
    rest. Its owner may be at work on it: nothing here waits for long. -#}
{% macro postgres__open_log() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set log = source('application', 'generation_logs') -%}
    {%- set release, look = database_release(), "select 1 from " ~ log ~ " limit 0" -%}
    {%- do run_query(waiting_briefly(look, log, 1) if release.found == release.known
        else "set local lock_timeout = '1s'; " ~ look) -%}
    {%- set columns = adapter.get_columns_in_relation(log) -%}
    {%- do stop_for_missing_columns(columns | map(attribute='name') | list, log) -%}
    {%- for relation, reader in run_query(hidden_rows_query(log)).rows -%}
        {{ exceptions.raise_compiler_error("Row level security is on for " ~ relation ~ ", and may hide rows from "
           ~ reader ~ ": the numbers would be those of a part. Nothing was touched. Its owner lets all be read: "
           "create policy warehouse_reads on " ~ relation ~ " for select to " ~ reader ~ " using (true); or an "
           "administrator does: alter role " ~ reader ~ " bypassrls;") }}
    {%- endfor -%}
    {#- Without an index of what the runs filter by, every one reads the whole log. A view or a foreign table has none
        to look for. -#}
    {%- set type = columns | selectattr('name', 'equalto', 'created_at') | map(attribute='dtype') | first -%}
    {%- set zone = var('log_timezone') -%}
    {%- set indexed = {
        'timestamp with time zone': "timezone('UTC', created_at)",
        'timestamp without time zone': "created_at" if zone == 'UTC'
            else "timezone('UTC', timezone('" ~ zone ~ "', created_at))",
    }.get(type) -%}
    {%- if flags.WHICH in ('run', 'build') -%}
        {%- set query %}
        select 1 from pg_class where oid = '{{ log }}'::regclass and relkind in ('r', 'p') and not exists (
            select 1 from pg_index where indrelid = pg_class.oid and indisvalid and regexp_replace(
                regexp_replace(pg_get_indexdef(indexrelid, 1, true), '::text|[() ]', '', 'g'),
                '^created_atATTIMEZONE''UTC''$', 'timezone''UTC'',created_at'
            ) = '{{ indexed | default('', true) | replace("'", "''") | replace('(', '') | replace(')', '')
                | replace(' ', '') }}'
        )
        {%- endset -%}
        {%- if run_query(query).rows | length -%}
            {%- do exceptions.warn("Every run reads the whole of " ~ log ~ ": " ~ ("it has no index of " ~ indexed
                ~ ". Its owner makes one: create index concurrently on " ~ log ~ " ((" ~ indexed ~ "))" if indexed else
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

{#- The exports that GENERATION_LOGS names become a view where the source is expected; they are read in place. -#}
{% macro duckdb__open_log() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set zone = run_query("select current_setting('TimeZone')").rows[0][0] -%}
    {%- if zone not in ('UTC', 'Etc/UTC') -%}
        {{ exceptions.raise_compiler_error("The session's time zone is " ~ zone
           ~ "; sessions run in UTC. Set it in profiles.yml: settings: {TimeZone: UTC}") }}
    {%- endif -%}
    {%- set log = source('application', 'generation_logs') -%}
    {#- set to nothing counts as not set -#}
    {%- set path = env_var('GENERATION_LOGS', '') or 'sample/generation_logs.parquet' -%}
    {%- set place, quoted = "at '" ~ path ~ "' (GENERATION_LOGS)", "'" ~ path | replace("'", "''") ~ "'" -%}
    {%- set files = run_query("select filename, size from read_blob(" ~ quoted ~ ") order by filename") if
        run_query("select count(*) from glob(" ~ quoted ~ ")").rows[0][0] > 0 else none -%}
    {%- if files is none -%}
        {{ exceptions.raise_compiler_error("There is no log " ~ place
           ~ ": no file has that name. Give a file or a pattern, such as 'exports/*.parquet'.") }}
    {%- endif -%}
    {%- set formats = [] -%}
    {%- for file in files.rows -%}
        {%- if file[1] == 0 -%}
            {{ exceptions.raise_compiler_error("The log file '" ~ file[0] ~ "' is empty (0 bytes). "
               "A log without rows is a header line (.csv) or a Parquet file without rows.") }}
        {%- endif -%}
        {%- set ending = modules.re.search('[.](parquet|csv|jsonl|ndjson)([.]gz)?$', file[0] | lower) -%}
        {%- if not ending or (ending.group(1) == 'parquet' and ending.group(2)) -%}
            {{ exceptions.raise_compiler_error("The log file '" ~ file[0] ~ "' is of an unknown format: "
               "its name should end in .parquet, .csv, .csv.gz, .jsonl or .jsonl.gz.") }}
        {%- endif -%}
        {%- do formats.append({'parquet': 'parquet', 'csv': 'csv'}.get(ending.group(1), 'jsonl')) -%}
    {%- endfor -%}
    {%- if formats | unique | list | length > 1 -%}
        {{ exceptions.raise_compiler_error("The log " ~ place ~ " mixes formats: " ~ formats | unique | join(', ')
           ~ ". Name files of one format.") }}
    {%- endif -%}
    {%- set reader = {
        'parquet': "read_parquet(" ~ quoted ~ ", union_by_name = true)",
        'csv': "read_csv(" ~ quoted ~ ", header = true, delim = ',', quote = '\"', escape = '\"', all_varchar = true, "
               "union_by_name = true, max_line_size = 16777216)",
        'jsonl': "read_json(" ~ quoted ~ ", format = 'newline_delimited', ignore_errors = true, "
                 "maximum_object_size = 67108864)",
    }[formats[0]] -%}
    {#- a view is read from other folders, too -#}
    {%- set absolute = (env_var('PWD', '') ~ '/' ~ path) | replace("'", "''") -%}
    {%- if not path.startswith('/') and '://' not in path and run_query("select (select count(*) from glob('"
        ~ absolute ~ "')) = " ~ files.rows | length).rows[0][0] -%}
        {%- set reader = reader | replace(quoted, "'" ~ absolute ~ "'") -%}
    {%- endif -%}
    {#- The engine names the file and what is wrong when its content is not what its name says. -#}
    {%- set columns = {} -%}
    {%- for column in run_query("describe select * from " ~ reader).rows -%}
        {%- do columns.update({column[0] | lower: column[1]}) -%}
    {%- endfor -%}
    {#- Writers of JSON leave out nulls, so a log without failures has no error_message at all. -#}
    {%- do stop_for_missing_columns(columns, place, ['error_message', 'job_id'] if formats[0] == 'jsonl' else []) -%}
    {%- if formats[0] == 'jsonl' -%}
        {#- All as text, whatever the first lines look like: one odd value must not stop the run. A line that is no
            JSON becomes a row of nulls, which the issues then explain. -#}
        {%- set reader = reader[:-1] ~ ", columns = {" ~ log_columns() | join(": 'VARCHAR', ") ~ ": 'VARCHAR'})" -%}
    {%- elif not modules.re.match('(TIMESTAMP|DATE|VARCHAR)', columns['created_at']) -%}
        {{ exceptions.raise_compiler_error("created_at in the log " ~ place ~ " is of type " ~ columns['created_at']
           ~ "; it should be a timestamp, or text that holds one.") }}
    {%- endif -%}
    {%- set selected = [] -%}
    {%- for column in log_columns() -%}
        {%- set is_document = formats[0] != 'jsonl' and modules.re.match('(STRUCT|MAP|JSON)', columns[column]) -%}
        {%- do selected.append("cast(to_json(" ~ column ~ ") as varchar) as " ~ column if is_document else column) -%}
    {%- endfor -%}
    {{ return("create schema if not exists " ~ log.without_identifier() ~ "; create or replace view " ~ log
              ~ " as select " ~ selected | join(', ') ~ " from " ~ reader) }}
{% endmacro %}
