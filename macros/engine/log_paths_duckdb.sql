{#- What the files about the log on DuckDB share: where they are named, paths in SQL, and how a file is refused. -#}

{#- Raised when files must be looked at again because they are read in another way. -#}
{% macro log_reader() %}{{ return(2) }}{% endmacro %}

{#- The files of this run, beside the log: open_log() writes it, and the state log_files remembers it. -#}
{% macro log_files_view() %}
    {{ return(api.Relation.create(
        database=target.database, schema=env_var('GENERATION_LOGS_SCHEMA', 'public'),
        identifier=env_var('GENERATION_LOGS_TABLE', 'generation_logs') ~ '_files'
    )) }}
{% endmacro %}

{#- The pattern that only this path matches. -#}
{% macro literal_path(path) %}{{ return(modules.re.sub('([\\[*?])', '[\\1]', path)) }}{% endmacro %}

{% macro path_list(files) %}
    {%- set paths = [] -%}
    {%- for file in files -%}{%- do paths.append(quoted(literal_path(file.path))) -%}{%- endfor -%}
    {{ return("[" ~ paths | join(', ') ~ "]") }}
{% endmacro %}

{% macro refuse_log_file(file, why) %}
    {{ exceptions.raise_compiler_error("The log file '" ~ file.name ~ "' " ~ why ~ file.get('beside', '')) }}
{% endmacro %}

{#- A file that lacks what tells a generation, or several columns, is another table. What all files lack is said of the
    log as a whole. -#}
{% macro refuse_other_table(file, names) %}
    {%- set missing = needed_log_columns() | reject('in', names) | list -%}
    {%- if 'id' in missing or 'created_at' in missing or missing | length > 2 -%}
        {%- do refuse_log_file(file, "has no column " ~ missing | join(', ') ~ ": if it is another table, keep it out "
            "of GENERATION_LOGS. It needs: " ~ needed_log_columns() | join(', ') ~ ".") -%}
    {%- endif -%}
{% endmacro %}

{% macro by_path(files) %}
    {%- set found = {} -%}
    {%- for file in files -%}{%- do found.update({file.path: file}) -%}{%- endfor -%}
    {{ return(found) }}
{% endmacro %}
