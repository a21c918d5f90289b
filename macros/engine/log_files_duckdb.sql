{#- How the files that GENERATION_LOGS names become the source on DuckDB. Each file that is new or has changed is looked
    at by itself; those that are written alike are read together, and put together after their values have types. What
    cannot be read as it is, is refused by the file's name, and no message holds a value: an engine's error about a line
    quotes it, so nothing here and no later model reads a file in a way that may raise one. How CSV and JSON lines are
    looked at is in log_lines_duckdb.sql, the types are in log_types_duckdb.sql. -#}

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
    {%- set place = "at '" ~ path ~ "' (GENERATION_LOGS)" -%}
    {%- set files = named_log_files(path, place) -%}
    {#- Lines are told apart by their order. -#}
    {%- set is_ordered = run_query("select current_setting('preserve_insertion_order')").rows[0][0] -%}
    {%- if not is_ordered -%}{%- do run_query("set preserve_insertion_order = true") -%}{%- endif -%}
    {%- set remembered = remembered_log_files() -%}
    {%- for file in files -%}
        {%- set known = remembered.get(file.path, {}) -%}
        {%- if known.size == file.size and known.modified_at == file.modified_at
            and known.form.reader == log_reader() and known.form.kind == file.kind -%}
            {%- do file.update(known) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for kind, alike in files | rejectattr('form') | groupby('kind') -%}
        {%- if kind == 'parquet' -%}{%- do examine_parquet_files(alike) -%}
        {%- elif kind == 'csv' -%}{%- do examine_csv_files(alike) -%}
        {%- else -%}{%- do examine_jsonl_files(alike) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set groups = grouped_log_files(files, place) -%}
    {%- if not is_ordered -%}{%- do run_query("set preserve_insertion_order = false") -%}{%- endif -%}
    {{ return("create schema if not exists " ~ log.without_identifier() ~ "; create or replace view " ~ log
              ~ " as " ~ log_view(groups, files) ~ "; create or replace view " ~ log_files_view() ~ " as "
              ~ log_files_query(files) ~ "; " ~ remember_log_files()) }}
{% endmacro %}

{#- Name, size and time of the files that match a pattern. -#}
{% macro files_of(pattern) %}
    {%- set is_any = run_query("select count(*) from glob(" ~ quoted(pattern) ~ ")").rows[0][0] -%}
    {{ return(run_query("select filename, size, epoch_us(last_modified) from read_blob(" ~ quoted(pattern)
        ~ ") order by filename").rows if is_any else []) }}
{% endmacro %}

{#- The files, with what tells whether one has changed. A file whose own name holds the signs of a pattern is that file.
    Their paths are absolute where they can be: a view is read from other folders, too. -#}
{% macro named_log_files(path, place) %}
    {%- set pattern, rows = literal_path(path), files_of(literal_path(path)) -%}
    {%- if not rows -%}{%- set pattern, rows = path, files_of(path) -%}{%- endif -%}
    {%- if not rows -%}
        {{ exceptions.raise_compiler_error("There is no log " ~ place
           ~ ": no file has that name. Give a file or a pattern, such as 'exports/*.parquet'.") }}
    {%- endif -%}
    {#- what the shell or an orchestrator calls the present folder may be another one -#}
    {%- set folder, in_folder = env_var('PWD', '') ~ '/', [] -%}
    {%- if not path.startswith('/') and '://' not in path -%}
        {%- for name, size, modified_at in files_of(literal_path(folder) ~ pattern) -%}
            {%- do in_folder.append([name[folder | length:], size, modified_at]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set is_relative = in_folder and in_folder == rows | map('list') | list -%}
    {%- set files, kinds = [], [] -%}
    {%- for name, size, modified_at in rows -%}
        {%- set ending = modules.re.search('[.](parquet|csv|jsonl|ndjson)([.]gz)?$', name | lower) -%}
        {%- if not ending or (ending.group(1) == 'parquet' and ending.group(2)) -%}
            {{ exceptions.raise_compiler_error("The log file '" ~ name ~ "' is of an unknown format: "
               "its name should end in .parquet, .csv, .csv.gz, .jsonl or .jsonl.gz.") }}
        {%- endif -%}
        {%- set kind = {'parquet': 'parquet', 'csv': 'csv'}.get(ending.group(1), 'jsonl') -%}
        {%- if size == 0 and kind != 'jsonl' -%}
            {{ exceptions.raise_compiler_error("The log file '" ~ name ~ "' is empty (0 bytes). "
               "A log without rows is a header line (.csv), a Parquet file without rows, or an empty .jsonl file.") }}
        {%- endif -%}
        {%- do kinds.append(kind) -%}
        {%- do files.append({
            'path': (folder if is_relative else '') ~ name, 'name': name, 'size': size | int,
            'modified_at': modified_at | int, 'kind': kind, 'is_packed': ending.group(2) is not none, 'form': none,
            'record_count': 0, 'left_out_count': 0,
        }) -%}
    {%- endfor -%}
    {%- if kinds | unique | list | length > 1 -%}
        {%- for file in files -%}
            {%- do file.update({'beside': " (The log " ~ place ~ " mixes formats: " ~ kinds | unique | join(', ')
                ~ ".)"}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(files) }}
{% endmacro %}

{#- A Parquet file says itself what it holds. Those of one schema are read together. -#}
{% macro examine_parquet_files(files) %}
    {%- set found = by_path(files) -%}
    {%- set query %}
    select file_name, md5(string_agg(
        concat_ws(chr(1), name, duckdb_type, num_children, logical_type), chr(2) order by column_id
    ))
    from parquet_schema({{ path_list(files) }})
    group by file_name
    {%- endset -%}
    {%- for path, schema in run_query(query).rows -%}
        {%- do found[path].update({'form': {'reader': log_reader(), 'kind': 'parquet', 'schema': schema}}) -%}
    {%- endfor -%}
    {%- for path, count in run_query("select file_name, num_rows from parquet_file_metadata(" ~ path_list(files)
        ~ ")").rows -%}
        {%- do found[path].update({'record_count': count | int}) -%}
    {%- endfor -%}
{% endmacro %}

{#- The files by what they look like, each group with where its rows come from, and what they hold: an expression and
    its type for every column. -#}
{% macro grouped_log_files(files, place) %}
    {%- set grouped = {} -%}
    {%- for file in files -%}
        {%- set form = file.form if file.form.form != 'plain' else {'kind': 'jsonl', 'form': 'plain'} -%}
        {%- do grouped.setdefault(tojson(form, sort_keys=true), []).append(file) -%}
    {%- endfor -%}
    {%- set groups, names = [], {} -%}
    {%- for alike in grouped.values() -%}
        {%- set kind = alike[0].kind -%}
        {%- do groups.append(
            parquet_group(alike) if kind == 'parquet' else csv_group(alike) if kind == 'csv' else jsonl_group(alike)
        ) -%}
        {%- do names.update(groups[-1]['values']) -%}
    {%- endfor -%}
    {#- Writers of JSON leave out nulls, so a log without failures has no error_message at all. -#}
    {%- set lines = files | selectattr('kind', 'equalto', 'jsonl') | list -%}
    {%- if lines | length < files | length -%}
        {%- do stop_for_missing_columns(names, place) -%}
    {%- elif lines | selectattr('record_count') | list -%}
        {%- set written = [] -%}
        {%- for file in lines -%}{%- do written.extend(file.form.names.keys()) -%}{%- endfor -%}
        {%- do stop_for_missing_columns(written, place, ['id', 'created_at']) -%}
    {%- endif -%}
    {{ return(groups) }}
{% endmacro %}

{% macro parquet_group(files) %}
    {%- set reader = "read_parquet(" ~ path_list(files)
        ~ ", hive_partitioning = false, union_by_name = false, utf8_validation = 'replace', "
        ~ "filename = '__log_file')" -%}
    {%- set values, types = {}, {} -%}
    {%- for name, type in run_query("select column_name, column_type from (describe select * from "
        ~ reader | replace(path_list(files), path_list(files[:1])) ~ ")").rows if name | lower in log_columns()
        and name | lower not in types -%}
        {%- do types.update({name | lower: type}) -%}
        {%- do values.update({name | lower: duckdb_log_value('"' ~ name ~ '"', type, log_column_kinds()[name | lower])})
        -%}
    {%- endfor -%}
    {%- do refuse_other_table(files[0], types) -%}
    {%- do stop_for_unread_types(types, "file '" ~ files[0].name ~ "'") -%}
    {%- set counted = {} -%}
    {%- for path, count in run_query("select __log_file, count(*) from " ~ reader ~ " group by 1").rows -%}
        {%- do counted.update({path: count | int}) -%}
    {%- endfor -%}
    {%- for file in files if counted.get(file.path, 0) != file.record_count -%}
        {%- do refuse_log_file(file, "holds " ~ file.record_count ~ " rows by its own count, of which "
            ~ counted.get(file.path, 0) ~ " can be read. Write it again.") -%}
    {%- endfor -%}
    {{ return({'from': reader, 'values': values, 'is_unreadable': 'false'}) }}
{% endmacro %}

{#- Types that differ between groups become text. Times keep their type where all have the same, so that row groups are
    skipped by it; else each is first brought to what it means: one without offset is in log_timezone. -#}
{% macro log_view(groups, files) %}
    {%- set branches = [] -%}
    {%- for group in groups -%}
        {%- set selected = [] -%}
        {%- for column in log_columns() -%}
            {%- set types = groups | selectattr('values.' ~ column) | map(attribute='values.' ~ column ~ '.1')
                | unique | list -%}
            {%- set value, type = group['values'].get(column, ['null', none]) -%}
            {%- if type and types | length > 1 and column == 'created_at' -%}
                {%- if type == 'TIMESTAMP' and 'VARCHAR' not in types -%}
                    {%- set value = "timezone('" ~ var('log_timezone') ~ "', " ~ value ~ ")" -%}
                {%- elif type == 'TIMESTAMP WITH TIME ZONE' and 'VARCHAR' in types -%}
                    {%- set value = "cast(timezone('UTC', " ~ value ~ ") as varchar) || 'Z'" -%}
                {%- elif type == 'TIMESTAMP' -%}
                    {%- set value = "cast(" ~ value ~ " as varchar)" -%}
                {%- endif -%}
                {%- do selected.append(value ~ " as " ~ column) -%}
            {%- elif not type and not types or type and type != 'VARCHAR' and types | length > 1 -%}
                {%- do selected.append("cast(" ~ value ~ " as varchar) as " ~ column) -%}
            {%- else -%}
                {%- do selected.append(value ~ " as " ~ column) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do branches.append("select " ~ selected | join(', ') ~ ", " ~ group.is_unreadable
            ~ " as is_unreadable, __log_file as log_file from " ~ group['from']) -%}
    {%- endfor -%}
    {#- Records that a reader leaves out have a row as well. -#}
    {%- set left_out = [] -%}
    {%- for file in files if file.left_out_count -%}
        {%- do left_out.append("(" ~ quoted(file.path) ~ ", " ~ file.left_out_count ~ ")") -%}
    {%- endfor -%}
    {%- if left_out -%}
        {%- do branches.append("select " ~ "null, " * (log_columns() | length) ~ "true, path from (select path, "
            "unnest(range(row_count)) from (values " ~ left_out | join(', ') ~ ") as left_out (path, row_count))") -%}
    {%- endif -%}
    {{ return(branches | join(' union all ')) }}
{% endmacro %}

{% macro log_files_query(files) %}
    {%- set rows = [] -%}
    {%- for file in files -%}
        {%- do rows.append("(" ~ quoted(file.path) ~ ", " ~ file.size ~ ", " ~ file.modified_at ~ ", "
            ~ quoted(tojson(file.form, sort_keys=true)) ~ ", " ~ file.record_count ~ ", " ~ file.left_out_count ~ ")")
        -%}
    {%- endfor -%}
    {{ return("select cast(path as text) as path, cast(size_bytes as bigint) as size_bytes, "
        "make_timestamp(modified_at) as modified_at, cast(form as text) as form, cast(record_count as bigint) as "
        "record_count, cast(left_out_count as bigint) as left_out_count from (values " ~ rows | join(', ')
        ~ ") as files (path, size_bytes, modified_at, form, record_count, left_out_count)") }}
{% endmacro %}

{% macro remembered_log_files() %}
    {%- set state, remembered = existing_relation('internal', 'log_files'), {} -%}
    {%- if state -%}
        {%- for path, size, modified_at, form, records, left_out in run_query("select path, size_bytes, "
            "epoch_us(modified_at), form, record_count, left_out_count from " ~ state).rows -%}
            {%- do remembered.update({path: {
                'size': size | int, 'modified_at': modified_at | int, 'form': fromjson(form),
                'record_count': records | int, 'left_out_count': left_out | int,
            }}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(remembered) }}
{% endmacro %}

{#- A statement; none where nothing differs, or where the table is not there yet: it is made of the view. -#}
{% macro remember_log_files() %}
    {%- set state = existing_relation('internal', 'log_files') -%}
    {{ return("delete from " ~ state ~ "; insert into " ~ state ~ " by name select * from " ~ log_files_view()
        if state else "") }}
{% endmacro %}

{% macro log_files_of_this_run() %}{{ adapter.dispatch('log_files_of_this_run')() }}{% endmacro %}

{% macro default__log_files_of_this_run() %}{{ no_rows() }}{% endmacro %}

{% macro duckdb__log_files_of_this_run() %}select * from {{ log_files_view() }}{% endmacro %}
