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

{#- The application's own table: present, readable, with its columns. The database's own error says the rest. -#}
{% macro postgres__open_log() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set log = source('application', 'generation_logs') -%}
    {%- do run_query("select 1 from " ~ log ~ " limit 0") -%}
    {%- set found = adapter.get_columns_in_relation(log) | map(attribute='name') | list -%}
    {%- do stop_for_missing_columns(found, log) -%}
    {#- Without this index every hourly run reads the whole log. A view or a foreign table has none to look for. -#}
    {%- set unindexed = run_query(
        "select 1 from pg_class where oid = '" ~ log ~ "'::regclass and relkind in ('r', 'p') and not exists ("
        "select 1 from pg_index where indrelid = pg_class.oid and indisvalid"
        " and pg_get_indexdef(indexrelid, 1, true) like '%created_at%')") -%}
    {%- if unindexed | length and flags.WHICH in ('run', 'build') -%}
        {%- do exceptions.warn("No index on created_at: every run reads the whole of " ~ log ~ ". Its owner mends it "
            "with: create index concurrently on " ~ log ~ " (created_at)") -%}
    {%- endif -%}
    {{ return('') }}
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
