{#- How CSV and JSON lines are looked at on DuckDB, and read. The raw lines are counted by another reader than the one
    that feeds the view, and both counts must agree; in between stands what the engine knows to be unreadable. -#}

{#- The lines of files as they are: no delimiter and no quote occurs. With one character as the end, no character is
    lost whatever the ends are, and the second one of CRLF gives a line of null. -#}
{% macro raw_log_lines(files, new_line='\\n') %}
    {{ return("read_csv(" ~ path_list(files) ~ ", columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, "
        "delim = '\U0010ffff', quote = '', escape = '', comment = '', new_line = '" ~ new_line ~ "', strict_mode = "
        "false, encoding = 'utf-8', max_line_size = 16777216, buffer_size = 33554432, ignore_errors = true, "
        "hive_partitioning = false, filename = '__log_file')") }}
{% endmacro %}

{#- What is to be done about a file of text, in one line. -#}
{% macro refuse_text(file, why) %}
    {%- do refuse_log_file(file, why ~ ". It should be " ~ ("CSV in UTF-8 with a header line, commas, doubled quotes "
        "and one kind of line end (LF or CRLF)." if file.kind == 'csv' else
        "JSON lines in UTF-8: one object a line, of at most 16 MiB.")) -%}
{% endmacro %}

{#- Files whose lines do not add up to their size begin with a byte order mark, or hold bytes that are no UTF-8, which
    the reader of lines leaves out. The reader of JSON takes any bytes for a line. -#}
{% macro look_at_bytes(files) %}
    {%- set found, suspects = by_path(files), [] -%}
    {%- for file in files if file.is_packed or file.size - file.bytes - file.line_count not in (0, -1) -%}
        {%- do suspects.append(file) -%}
    {%- endfor -%}
    {%- set unpacked = suspects | rejectattr('is_packed') | list -%}
    {%- if unpacked -%}
        {%- for path, begins in run_query("select filename, hex(content[1:3]) from read_blob(" ~ path_list(unpacked)
            ~ ")").rows -%}
            {%- set file = found[path] -%}
            {%- if begins[:4] in ('FFFE', 'FEFF') -%}{%- do refuse_text(file, "is UTF-16") -%}{%- endif -%}
            {%- set rest = file.size - file.bytes - file.line_count - (3 if begins == 'EFBBBF' else 0) -%}
            {%- do file.update({'is_explained': rest in (0, -1)}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set unclear = suspects | rejectattr('is_explained') | list -%}
    {%- if unclear -%}
        {%- for path, lines in run_query("select __log_file, count(*) from read_json_objects(" ~ path_list(unclear)
            ~ ", format = 'newline_delimited', ignore_errors = true, maximum_object_size = 16777216, hive_partitioning "
            "= false, filename = '__log_file') group by 1").rows -%}
            {%- do found[path].update({'hidden_count': [(lines - found[path].written_count) | int, 0] | max}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for file in unclear if not file.is_packed and not file.hidden_count -%}
        {%- do refuse_text(file, "holds bytes that are no UTF-8, or a line of more than 16 MiB") -%}
    {%- endfor -%}
{% endmacro %}

{% macro examine_csv_files(files) %}
    {%- set found = by_path(files) -%}
    {#- A record ends where no quote is open. Whether one is, is counted through all files in their order. A header is
        nothing but names: the text of an error may name columns, too. -#}
    {%- set is_header -%}
        regexp_full_match(names, '[^(){}<>:=/]*')
        and regexp_matches(names, '(^|[,;\t|])user_id([,;\t|]|$)')
        and regexp_matches(names, '(^|[,;\t|])created_at([,;\t|]|$)')
    {%- endset -%}
    {%- set query %}
    with lines as (
        select
            __log_file, line, row_number() over () as place,
            coalesce((strlen(line) - strlen(replace(line, '"', ''))) % 2, 0) as quote,
            case
                when not contains(line, 'created_at') and not contains(line, 'CREATED_AT') then null
                when contains(lower(line), 'user_id') then lower(translate(line, '" ' || chr(13), ''))
            end as names
        from {{ raw_log_lines(files) }}
    ),

    opened as (
        select *, sum(quote) over (rows unbounded preceding) % 2 as is_open from lines
    ),

    counted as (
        select
            __log_file,
            count(*) as line_count,
            count(*) filter (where trim(line) != '') as written_count,
            coalesce(sum(strlen(line)), 0) as bytes,
            count(*) filter (where contains(line, chr(0))) as zero_count,
            arg_min((is_open + quote) % 2, place) as was_open,
            sum(quote) % 2 as stays_open,
            arg_min(line, place) filter (where trim(line) != '') as header,
            count(*) filter (where line is not null and is_open = 0) as even_count,
            count(*) filter (where line is not null and is_open = 1) as odd_count,
            count(*) filter (where line is null and is_open = 0) as even_gap_count,
            count(*) filter (where line is null and is_open = 1) as odd_gap_count,
            list(distinct names) filter (where is_open = 0 and {{ is_header }}) as even_headers,
            list(distinct names) filter (where is_open = 1 and {{ is_header }}) as odd_headers
        from opened
        group by __log_file
    )

    select
        * exclude (even_count, odd_count, even_gap_count, odd_gap_count, even_headers, odd_headers),
        case when was_open = 0 then even_count else odd_count end as record_count,
        case when was_open = 0 then even_gap_count else odd_gap_count end as gap_count,
        coalesce(len(case when was_open = 0 then even_headers else odd_headers end), 0) as header_count
    from counted
    {%- endset -%}
    {%- for row in run_query(query).rows -%}
        {%- do found[row[0]].update({
            'line_count': row.line_count | int, 'written_count': row.written_count | int, 'bytes': row.bytes | int,
            'zero_count': row.zero_count, 'stays_open': row.stays_open, 'header': row.header or '',
            'record_count': row.record_count - 1, 'gap_count': row.gap_count, 'header_count': row.header_count,
        }) -%}
    {%- endfor -%}
    {%- for file in files if file.header is undefined -%}
        {%- do file.update({'line_count': 0, 'written_count': 0, 'bytes': 0, 'header': '', 'zero_count': 0}) -%}
    {%- endfor -%}
    {%- do look_at_bytes(files) -%}
    {%- for file in files -%}
        {%- if file.zero_count -%}{%- do refuse_text(file, "holds bytes of zero, as UTF-16 does") -%}{%- endif -%}
        {%- if file.hidden_count -%}
            {%- do refuse_text(file, "holds bytes that are no UTF-8, or a line of more than 16 MiB") -%}
        {%- endif -%}
        {%- set names = csv_names(file) -%}
        {%- if file.stays_open -%}
            {%- do refuse_text(file, "opens a quote that it never closes") -%}
        {%- elif file.header_count > 1 -%}
            {%- do refuse_text(file, "has a second header line, with other columns") -%}
        {%- endif -%}
        {%- do file.update({'form': {'reader': log_reader(), 'kind': 'csv', 'names': names}}) -%}
    {%- endfor -%}
    {%- do find_line_ends(files) -%}
    {%- do count_csv_records(files) -%}
    {%- do say_left_out(files) -%}
{% endmacro %}

{#- The names in a header line; none for columns that are not read. -#}
{% macro csv_names(file) %}
    {%- set split = {} -%}
    {%- for delimiter in [',', ';', '\t', '|'] -%}
        {%- set names = [] -%}
        {%- for value in modules.re.findall('(?:^|' ~ modules.re.escape(delimiter) ~ ')("(?:[^"]|"")*"|[^'
            ~ modules.re.escape(delimiter) ~ ']*)', file.header) -%}
            {%- set name = value | trim | replace('"', '') | trim | lower -%}
            {%- do names.append(name if name in log_columns() and name not in names else none) -%}
        {%- endfor -%}
        {%- do split.update({delimiter: names}) -%}
    {%- endfor -%}
    {%- for delimiter, word in [(';', 'semicolons'), ('\t', 'tabs'), ('|', 'bars')]
        if 'created_at' in split[delimiter] and 'created_at' not in split[','] -%}
        {%- do refuse_text(file, "is written with " ~ word ~ " for commas") -%}
    {%- endfor -%}
    {%- if not split[','] | select | list -%}
        {%- do refuse_text(file, "has no header line: its first line names no column of the log. If it goes on where "
            "another file ends, begin it with that file's header line") -%}
    {%- endif -%}
    {%- do refuse_other_table(file, split[',']) -%}
    {{ return(split[',']) }}
{% endmacro %}

{#- Where lines end in one way, the reader is told which; inside of quotes all may stand. Counted once more with CRLF as
    one end: what is missing then are the CRLFs, and a character after each lone CR. A file in which several occur is
    looked at as a whole, if it is not too large: what is left without the quoted values shows where lines end. -#}
{% macro find_line_ends(files) %}
    {%- set found, unclear = by_path(files), [] -%}
    {%- for path, lines, bytes in run_query("select __log_file, count(*), coalesce(sum(strlen(line)), 0) from "
        ~ raw_log_lines(files, new_line='\\r\\n') ~ " group by 1").rows -%}
        {%- set file = found[path] -%}
        {%- set pairs, has_lone = file.line_count - lines, bytes != file.bytes -%}
        {%- set can_be_seen = not file.is_packed and file.size <= 268435456 -%}
        {%- if not has_lone and (pairs == 0 or file.gap_count == 0 and not can_be_seen) -%}
            {%- do file.form.update({'new_line': '\\n'}) -%}
        {%- elif not has_lone and pairs in (lines, lines - 1) -%}
            {%- do file.form.update({'new_line': '\\r\\n'}) -%}
        {%- elif can_be_seen -%}
            {%- do unclear.append(file) -%}
        {%- else -%}
            {%- do refuse_text(file, "has several kinds of line end") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if unclear -%}
        {%- set query %}
        with texts as (
            select
                filename,
                regexp_replace(
                    ltrim(try(decode(content)), chr(65279)), '(^|[,\r\n])"(?:[^"]|"")*"', '\1', 'g'
                ) as outside
            from read_blob({{ path_list(unclear) }})
        )

        select
            filename,
            (strlen(outside) - strlen(replace(outside, chr(13) || chr(10), ''))) // 2,
            strlen(outside) - strlen(replace(outside, chr(13), '')),
            strlen(outside) - strlen(replace(outside, chr(10), '')),
            contains(outside, '"')
        from texts
        {%- endset -%}
        {%- for path, pairs, returns, feeds, has_stray_quotes in run_query(query).rows -%}
            {%- if has_stray_quotes -%}
                {%- do refuse_text(found[path], "has several kinds of line end, or quotes that are not doubled") -%}
            {%- elif returns == 0 or returns == pairs and feeds == pairs -%}
                {%- do found[path].form.update({'new_line': '\\r\\n' if returns else '\\n'}) -%}
            {%- else -%}
                {%- do refuse_text(found[path], "has several kinds of line end") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for file in files if not file.form.new_line -%}{%- do file.form.update({'new_line': '\\n'}) -%}{%- endfor -%}
{% endmacro %}

{#- Everything that the engine would find out by itself is given. Only the strict mode, which is the default, is not:
    named beside new_line, DuckDB 2.0 reads no row of a file of CRLF. -#}
{% macro csv_reader(files, also='') %}
    {%- set columns = [] -%}
    {%- for name in files[0].form.names -%}
        {%- do columns.append(quoted(name or '__column_' ~ loop.index) ~ ": 'VARCHAR'") -%}
    {%- endfor -%}
    {{ return("read_csv(" ~ path_list(files) ~ ", columns = {" ~ columns | join(', ') ~ "}, auto_detect = false, "
        "header = true, skip = 0, delim = ',', quote = '\"', escape = '\"', comment = '', new_line = '"
        ~ files[0].form.new_line ~ "', nullstr = ['', 'NULL', 'null', '\\N'], allow_quoted_nulls = false, encoding = "
        "'utf-8', null_padding = false, max_line_size = 16777216, buffer_size = 33554432, ignore_errors = true, "
        "hive_partitioning = false, filename = '__log_file'" ~ also ~ ")") }}
{% endmacro %}

{#- Only with all columns read does the reader look at every value. Lines of too few or too many fields are left out and
    known by number; anything else that it stumbles over may cost it the lines behind. -#}
{% macro count_csv_records(files) %}
    {%- set alike, found = {}, by_path(files) -%}
    {%- for file in files -%}
        {%- do alike.setdefault(tojson(file.form, sort_keys=true), []).append(file) -%}
    {%- endfor -%}
    {%- for group in alike.values() -%}
        {%- set counted, values = {}, [] -%}
        {%- for name in group[0].form.names if name -%}{%- do values.append("count(" ~ name ~ ")") -%}{%- endfor -%}
        {%- for row in run_query("select __log_file, count(*), " ~ values | join(', ') ~ " from " ~ csv_reader(group,
            ", store_rejects = true, rejects_table = 'log_file_rejects', rejects_scan = 'log_file_scans'")
            ~ " group by 1").rows -%}
            {%- do counted.update({row[0]: row[1] | int}) -%}
        {%- endfor -%}
        {%- set query %}
        select
            file_path,
            count(distinct line) filter (where error_type in ('MISSING COLUMNS', 'TOO MANY COLUMNS')),
            count(*) filter (where error_type not in ('MISSING COLUMNS', 'TOO MANY COLUMNS')),
            min(line),
            min(line_byte_position)
        from log_file_rejects
        inner join log_file_scans using (scan_id, file_id)
        group by file_path
        {%- endset -%}
        {%- for path, short_or_long, others, record, byte in run_query(query).rows if path in found -%}
            {%- do found[path].update({'left_out_count': short_or_long | int, 'other_errors': others,
                'left_out_record': record | int, 'left_out_byte': byte | int}) -%}
        {%- endfor -%}
        {%- do run_query("drop table if exists log_file_rejects; drop table if exists log_file_scans") -%}
        {%- for file in group -%}
            {%- set read = counted.get(file.path, 0) -%}
            {%- if file.other_errors or read + file.left_out_count != file.record_count -%}
                {%- do refuse_text(file, "cannot be read as a whole: it has " ~ file.record_count ~ " records by its "
                    "quotes and line ends, and " ~ (read + file.left_out_count) ~ " can be told apart") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{% endmacro %}

{#- Where the first record stands that was left out. The engine counts records; lines are more than those where a quoted
    value holds a line end, and are counted where the file is neither packed nor too large to be looked at as a whole.
    The byte that the engine names is where the record before ends, ahead of blank lines. -#}
{% macro place_of_left_out(file) %}
    {%- set offset = file.left_out_byte - (1 if file.form.new_line == '\\n' else 0) -%}
    {%- set query %}
    with parts as (
        select
            try(decode(content[1:{{ offset }}])) as before,
            regexp_extract(
                cast(content[{{ offset + 1 }}:{{ offset + 65536 }}] as varchar), '^(?:(?:\\x0D)?\\x0A)*'
            ) as blank_lines
        from read_blob({{ path_list([file]) }})
    )

    select
        strlen(before) - strlen(replace(before, chr(10), ''))
        + (strlen(blank_lines) - strlen(replace(blank_lines, '\x0A', ''))) // 4 + 1
    from parts
    {%- endset -%}
    {%- set lines = none if file.is_packed or file.size > 268435456 else run_query(query).rows[0][0] -%}
    {{ return("line " ~ lines if lines else "record " ~ file.left_out_record ~ " (the header is the first)") }}
{% endmacro %}

{#- The same of a file that an earlier run has looked at; none where no record of a CSV file was left out. -#}
{% macro known_place_of_left_out(path) %}
    {%- set found = run_query("select size_bytes, form, record_count, left_out_count from " ~ log_files_view()
        ~ " where path = " ~ quoted(path)).rows -%}
    {%- if not found or not found[0][3] or fromjson(found[0][1]).kind != 'csv' -%}{{ return(none) }}{%- endif -%}
    {%- set file = {
        'path': path, 'name': path, 'size': found[0][0] | int, 'is_packed': path.lower().endswith('.gz'),
        'form': fromjson(found[0][1]), 'record_count': found[0][2] | int,
    } -%}
    {%- do count_csv_records([file]) -%}
    {{ return(place_of_left_out(file)) }}
{% endmacro %}

{#- Said once of a file: it is not counted again until it changes. -#}
{% macro say_left_out(files) %}
    {%- set found = files | selectattr('left_out_count') | list -%}
    {%- for file in found[:10] -%}
        {{ log("The log file '" ~ file.name ~ "' has " ~ "{:,}".format(file.left_out_count) ~ " record"
            ~ ("s" if file.left_out_count > 1 else "") ~ " of more or fewer fields than its header, "
            ~ ("the first of them in " if file.left_out_count > 1 else "in ") ~ place_of_left_out(file)
            ~ ": set aside as unreadable_row.", info=true) }}
    {%- endfor -%}
    {%- if found | length > 10 -%}
        {{ log("So have " ~ "{:,}".format(found | length - 10) ~ " more files.", info=true) }}
    {%- endif -%}
{% endmacro %}

{% macro csv_group(files) %}
    {%- set values = {} -%}
    {%- for name in files[0].form.names if name -%}{%- do values.update({name: [name, 'VARCHAR']}) -%}{%- endfor -%}
    {{ return({'from': csv_reader(files), 'values': values, 'is_unreadable': 'false'}) }}
{% endmacro %}

{#- The plain way, and the fast one: an object of small-letter names in every line. -#}
{% macro jsonl_reader(files) %}
    {{ return("read_json(" ~ path_list(files) ~ ", format = 'newline_delimited', ignore_errors = true, "
        "maximum_object_size = 16777216, hive_partitioning = false, filename = '__log_file', columns = {"
        ~ log_columns() | join(": 'VARCHAR', ") ~ ": 'VARCHAR'})") }}
{% endmacro %}

{% macro examine_jsonl_files(files) %}
    {%- set found = by_path(files) -%}
    {%- set query %}
    with lines as (
        select
            __log_file,
            case when json_valid(line) and starts_with(ltrim(line, chr(9) || ' '), '{') then json_keys(line) end
                as names,
            count(*) as line_count,
            count(*) filter (where trim(line, chr(9) || ' ') != '') as written_count,
            coalesce(sum(strlen(line)), 0) as bytes
        from {{ raw_log_lines(files) }}
        group by 1, 2
    )

    select
        __log_file,
        sum(line_count) as line_count,
        sum(written_count) as written_count,
        sum(bytes) as bytes,
        coalesce(sum(line_count) filter (where names is not null), 0) as object_count,
        to_json({{ distinct_names('names') }}) as names
    from lines
    group by 1
    {%- endset -%}
    {%- for file in files -%}
        {%- do file.update({'line_count': 0, 'written_count': 0, 'bytes': 0, 'read_count': 0, 'names': {}}) -%}
    {%- endfor -%}
    {%- for row in run_query(query).rows -%}
        {%- do found[row[0]].update({
            'line_count': row.line_count | int, 'written_count': row.written_count | int, 'bytes': row.bytes | int,
            'record_count': row.object_count | int, 'names': fromjson(row.names or '[]'),
        }) -%}
    {%- endfor -%}
    {%- for path, count, nulls in run_query("select __log_file, count(*), count(*) filter (where "
        ~ log_columns() | join(" is null and ") ~ " is null) from " ~ jsonl_reader(files) ~ " group by 1").rows -%}
        {%- do found[path].update({'read_count': (count - nulls) | int}) -%}
    {%- endfor -%}
    {%- do look_at_bytes(files) -%}
    {%- set odd = [] -%}
    {%- for file in files -%}
        {%- set names = json_names(file.names) -%}
        {%- if file.hidden_count or not file.written_count == file.record_count == file.read_count
            or names.values() | map('join') | list != names.keys() | list -%}
            {%- do odd.append(file) -%}
        {%- else -%}
            {%- do file.update({'form': {'reader': log_reader(), 'kind': 'jsonl', 'form': 'plain', 'names': names}})
            -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if odd -%}{%- do examine_odd_lines(odd) -%}{%- endif -%}
    {%- for file in files if file.record_count and '' in file.names
        and not file.form.names.keys() | select('in', ['success', 'costs', 'tokens', 'duration_ms', 'error_message'])
        | list -%}
        {%- do refuse_log_file(file, "holds objects of another table: of the log's columns they have "
            ~ (file.form.names.keys() | join(', ') or "none") ~ ". Keep it out of GENERATION_LOGS.") -%}
    {%- endfor -%}
{% endmacro %}

{#- SQL: of lists of names those of the log's columns, as they are written, and '' if there are others. -#}
{% macro distinct_names(lists) -%}
    list_distinct(list_transform(
        flatten(list({{ lists }})),
        lambda name: case when lower(name) in ('{{ log_columns() | join("', '") }}') then name else '' end
    ))
{%- endmacro %}

{% macro json_names(written) %}
    {%- set names = {} -%}
    {%- for name in written | sort if name -%}{%- do names.setdefault(name | lower, []).append(name) -%}{%- endfor -%}
    {{ return(names) }}
{% endmacro %}

{#- Files in which something is odd are read line by line, or, where an object goes over several lines, as a whole. -#}
{% macro examine_odd_lines(files) %}
    {%- do count_json_pieces(files, 'lines') -%}
    {%- set wholes = [] -%}
    {%- for file in files if file.unreadable_count and not file.hidden_count and file.bytes < 268435456
        and (file.begins == '[' or file.unreadable_count * 2 > file.record_count) -%}
        {%- do wholes.append(dict(file)) -%}
    {%- endfor -%}
    {%- if wholes -%}
        {%- do count_json_pieces(wholes, 'whole') -%}
        {%- set found = by_path(files) -%}
        {%- for whole in wholes if not whole.unreadable_count -%}
            {%- do found[whole.path].update(whole) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for file in files -%}
        {%- if file.written_count + (file.hidden_count or 0) and file.unreadable_count == file.record_count
            and (file.unreadable_count or file.hidden_count) -%}
            {%- do refuse_text(file, "has no line that is a JSON object") -%}
        {%- endif -%}
        {%- do file.update({
            'record_count': file.record_count + (file.hidden_count or 0), 'left_out_count': file.hidden_count or 0,
        }) -%}
    {%- endfor -%}
{% endmacro %}

{% macro count_json_pieces(files, form) %}
    {%- set found = by_path(files) -%}
    {%- set query %}
    select
        __log_file,
        count(*) as record_count,
        count(*) filter (where piece is null) as unreadable_count,
        min(begins) as begins,
        to_json({{ distinct_names('json_keys(piece)') }}) as names
    from ({{ json_pieces(files, form) }})
    group by 1
    {%- endset -%}
    {%- for file in files -%}
        {%- do file.update({'record_count': 0, 'unreadable_count': 0, 'begins': '', 'names': []}) -%}
    {%- endfor -%}
    {%- for row in run_query(query).rows -%}
        {%- do found[row[0]].update({
            'record_count': row.record_count | int, 'unreadable_count': row.unreadable_count | int,
            'begins': row.begins, 'names': fromjson(row.names or '[]'),
        }) -%}
    {%- endfor -%}
    {%- for file in files -%}
        {%- do file.update({'form': {
            'reader': log_reader(), 'kind': 'jsonl', 'form': form, 'names': json_names(file.names),
        }}) -%}
    {%- endfor -%}
{% endmacro %}

{#- A query: every object of files, null for a line that holds none. Several in a line, or in an array, are one each.
    Half of a surrogate pair, which a message cut in two ends with, becomes the sign for an unreadable character. The
    engine takes an object that ends in a comma, so one that was cut by such an end would be two. -#}
{% macro json_pieces(files, form) -%}
    {%- set blank = "chr(9) || ' '" -%}
    {%- set escaped = "replace(line, repeat(chr(92), 2), chr(2))" -%}
    {%- set pairs = "regexp_replace(" ~ escaped ~ ", '\\\\u([dD][89abAB][0-9a-fA-F]{2})\\\\u([dD][c-fC-F]"
        "[0-9a-fA-F]{2})', chr(3) || '\\1' || chr(4) || '\\2', 'g')" -%}
    {%- set whole = "regexp_replace(" ~ pairs ~ ", '\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\\\ufffd', 'g')" -%}
    {%- set mended = "replace(translate(" ~ whole ~ ", chr(3) || chr(4), chr(5) || chr(5)), chr(5), chr(92) || 'u')" -%}
    {%- set mended = "replace(" ~ mended ~ ", chr(2), repeat(chr(92), 2))" -%}
    {%- set parted = "regexp_replace(" ~ mended ~ ", '(\"(?:[^\"\\\\]|\\\\.)*\")|([}])\\s*([{])', '\\1\\2' || chr(1) "
        "|| '\\3', 'g')" -%}
    {%- set parted = "replace(replace(" ~ parted ~ ", '}' || chr(1) || '{', '},{'), chr(1), '')" -%}
    select
        __log_file,
        begins,
        unnest(case
            when document is null or not json_valid(document) then [cast(null as varchar)]
            else list_transform(
                from_json(document, '["JSON"]'),
                lambda item: case when json_type(item) = 'OBJECT' then cast(item as varchar) end
            )
        end) as piece
    from (
        select
            __log_file,
            left(trim(line, {{ blank }}), 1) as begins,
            case
                when parted is not null then case
                    when regexp_matches(regexp_replace(parted, '"(?:[^"\\]|\\.)*"', '""', 'g'), ',\s*[}]') then null
                    when starts_with(ltrim(parted, {{ blank }}), '[') then parted
                    else '[' || parted || ']'
                end
                when starts_with(ltrim(line, {{ blank }}), '[') then line
                else '[' || line || ']'
            end as document
        from (select *, case when not json_valid(line) then {{ parted }} end as parted from (
            {%- if form == 'whole' %}
            select __log_file, string_agg(line, chr(10) order by place) as line
            from (select *, row_number() over () as place from {{ raw_log_lines(files) }})
            group by 1
            {%- else %}
            select * from {{ raw_log_lines(files) }}
            {%- endif %}
        ))
        where trim(line, {{ blank }}) != ''
    )
{%- endmacro %}

{% macro jsonl_group(files) %}
    {%- set values, names = {}, files[0].form.names -%}
    {%- if files[0].form.form == 'plain' -%}
        {%- for column in log_columns() -%}{%- do values.update({column: [column, 'VARCHAR']}) -%}{%- endfor -%}
        {{ return({'from': jsonl_reader(files), 'values': values, 'is_unreadable': 'false'}) }}
    {%- endif -%}
    {%- set fields = [] -%}
    {%- for column, written in names.items() -%}
        {%- set found = ['fields.' ~ column] -%}
        {%- for name in written -%}
            {%- if loop.first -%}{%- do fields.append('"' ~ name ~ '":"VARCHAR"') -%}
            {%- else -%}{%- do found.append("piece ->> '$." ~ name ~ "'") -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do values.update({column: ["coalesce(" ~ found | join(', ') ~ ")", 'VARCHAR']}) -%}
    {%- endfor -%}
    {%- set objects -%}
    (select __log_file, piece, json_transform(piece, '{{ "{" ~ fields | join(",") ~ "}" }}') as fields
     from ({{ json_pieces(files, files[0].form.form) }}))
    {%- endset -%}
    {{ return({'from': objects, 'values': values, 'is_unreadable': 'piece is null'}) }}
{% endmacro %}
