{#- The columns of the log, the types that are read, and the rows with all of them. -#}

{#- The one list of the log's columns, with what each holds. created_at stays the last. -#}
{% macro log_column_kinds() %}
    {{ return({
        'id': 'id', 'user_id': 'name', 'job_id': 'name', 'style': 'name', 'difficulty': 'number',
        'duration_ms': 'number', 'costs': 'document', 'tokens': 'document', 'success': 'outcome',
        'error_message': 'text', 'scene': 'text', 'photo_size': 'number', 'timings': 'document', 'model': 'text',
        'created_at': 'time',
    }) }}
{% endmacro %}

{% macro log_columns() %}{{ return(log_column_kinds().keys() | list) }}{% endmacro %}

{#- Read where the log has them, null where it has not. -#}
{% macro optional_log_columns() %}{{ return(['scene', 'photo_size', 'timings', 'model']) }}{% endmacro %}

{% macro needed_log_columns() %}
    {{ return(log_columns() | reject('in', optional_log_columns()) | list) }}
{% endmacro %}

{#- The classes of types that the readers know for what a column holds; log_type_class() says of which class a type of
    the engine is. All else is refused by the column's name before anything is touched. -#}
{% macro admitted_type_classes(kind) %}
    {{ return({
        'id': ['text', 'uuid', 'nothing'],
        'name': ['text', 'uuid', 'number', 'nothing'],
        'number': ['text', 'number', 'nothing'],
        'document': ['text', 'document', 'nothing'],
        'outcome': ['text', 'boolean', 'number', 'nothing'],
        'text': ['text', 'document', 'nothing'],
        'time': ['text', 'naive time', 'time with zone'],
    }[kind]) }}
{% endmacro %}

{% macro log_type_class(type) %}{{ return(adapter.dispatch('log_type_class')(type)) }}{% endmacro %}

{% macro stop_for_unread_types(types, place) %}
    {%- for column, kind in log_column_kinds().items() if column in types -%}
        {%- if log_type_class(types[column]) not in admitted_type_classes(kind) -%}
            {{ exceptions.raise_compiler_error(column ~ " in the log " ~ place ~ " is of type " ~ types[column]
               ~ "; it should be " ~ {
                    'id': "a uuid, or text that holds one",
                    'name': "text, a uuid or a number",
                    'number': "a number, or text that holds one",
                    'document': "JSON, or text that holds it",
                    'outcome': "a boolean, text or a number",
                    'text': "text",
                    'time': "a timestamp, or text that holds one",
                }[kind] ~ ". Nothing was touched.") }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro stop_for_missing_columns(found, place, needed=none) %}
    {%- set missing = (needed or needed_log_columns()) | reject('in', found) | list -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error("The log " ~ place ~ " has no column " ~ missing | join(', ')
           ~ ". It needs: " ~ (needed or needed_log_columns()) | join(', ') ~ ".") }}
    {%- endif -%}
{% endmacro %}

{#- A query: every row of the log with the columns of log_columns(), and whether the row could be read at all. -#}
{% macro log_rows() %}
    {%- set log = source('application', 'generation_logs') -%}
    {%- if execute and not log.is_cte -%}{{ adapter.dispatch('log_rows')(log) }}
    {%- else -%}
    {#- A unit test gives the columns that it is about. What it does not give is found in the outer query. -#}
    select given.*
    from (
        select
            {%- for column in optional_log_columns() %} cast(null as text) as {{ column }},{% endfor %}
            false as is_unreadable
    ) as absent
    cross join lateral (select {{ log_columns() | join(', ') }}, is_unreadable from {{ log }}) as given
    {%- endif -%}
{% endmacro %}

{% macro default__log_rows(log) -%}
    select {{ log_columns() | join(', ') }}, is_unreadable from {{ log }}
{%- endmacro %}

{#- What a reader does not know by its type is given to it as one that it does. -#}
{% macro postgres__log_rows(log) -%}
    {%- set types, selected = readable_log_columns(log), [] -%}
    {%- for column, kind in log_column_kinds().items() -%}
        {%- set class = log_type_class(types.get(column, 'text')) -%}
        {%- set read_as = {
            'date': 'timestamp', 'smallint': 'integer', 'real': 'double precision', 'character': 'text',
            'name': 'text', 'user-defined': 'text',
        }.get(types.get(column) | string | lower, 'text' if kind in ('name', 'text') and class != 'uuid' else none) -%}
        {%- if column not in types and column in optional_log_columns() -%}
            {%- do selected.append("cast(null as text) as " ~ column) -%}
        {%- elif read_as and types.get(column) != read_as and types.get(column) != 'character varying' -%}
            {%- do selected.append("cast(" ~ column ~ " as " ~ read_as ~ ") as " ~ column) -%}
        {%- else -%}
            {%- do selected.append(column) -%}
        {%- endif -%}
    {%- endfor -%}
    select {{ selected | join(', ') }}, false as is_unreadable from {{ log }}
{%- endmacro %}

{#- PostgreSQL: the columns of the log that this role may read, and their types. What information_schema says of columns
    leaves out materialized views. -#}
{% macro readable_log_columns(log) %}
    {%- set query %}
    select
        attname,
        case
            when typtype = 'e' or typname = 'citext' then 'user-defined'
            when typtype = 'd' then format_type(typbasetype, null)
            else format_type(atttypid, null)
        end
    from pg_attribute
    inner join pg_type on pg_attribute.atttypid = pg_type.oid
    where attrelid = to_regclass('{{ log }}') and attnum > 0 and not attisdropped
        and has_column_privilege(attrelid, attnum, 'select')
    {%- endset -%}
    {%- set types = {} -%}
    {%- for name, type in run_query(query).rows -%}{%- do types.update({name: type}) -%}{%- endfor -%}
    {{ return(types) }}
{% endmacro %}

{#- Of the types that people make, those that are texts by another name are read. -#}
{% macro postgres__log_type_class(type) %}
    {%- set classes = {
        'text': ['text', 'character varying', 'character', 'name', 'user-defined', 'citext'],
        'uuid': ['uuid'],
        'number': ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'],
        'boolean': ['boolean'],
        'naive time': ['timestamp without time zone', 'date'],
        'time with zone': ['timestamp with time zone'],
        'document': ['json', 'jsonb'],
    } -%}
    {%- for class, types in classes.items() if type | lower in types -%}{{ return(class) }}{%- endfor -%}
    {{ return('other') }}
{% endmacro %}
