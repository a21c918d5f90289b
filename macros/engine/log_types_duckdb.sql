{#- The types of columns in files of the log, and how a value of each comes to the readers. -#}

{% macro duckdb__log_type_class(type) %}
    {%- set classes = {
        'text': 'VARCHAR|BLOB|ENUM[(].*[)]',
        'uuid': 'UUID',
        'number': 'U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL[(].*[)]|FLOAT|DOUBLE|BIGNUM',
        'boolean': 'BOOLEAN',
        'naive time': 'TIMESTAMP(_S|_MS|_NS)?|DATE',
        'time with zone': 'TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS',
        'document': '(STRUCT|MAP)[(].*[)]|JSON|VARIANT',
        'nothing': '"NULL"',
    } -%}
    {%- for class, pattern in classes.items() if modules.re.fullmatch('(?s)(' ~ pattern ~ ')', type) -%}
        {{ return(class) }}
    {%- endfor -%}
    {{ return('other') }}
{% endmacro %}

{#- A column of a file as the readers know it, and its type. Bytes that are no UTF-8 stay visible as escapes. Ids that
    a data frame has made floats of are whole numbers again. -#}
{% macro duckdb_log_value(column, type, kind) %}
    {%- set class = duckdb__log_type_class(type) -%}
    {%- if type == 'BLOB' -%}
        {{ return(["coalesce(try(decode(" ~ column ~ ")), cast(" ~ column ~ " as varchar))", 'VARCHAR']) }}
    {%- elif type == 'VARIANT' -%}
        {{ return(["cast(cast(" ~ column ~ " as json) as varchar)", 'VARCHAR']) }}
    {%- elif class == 'document' and type != 'JSON' -%}
        {{ return(["cast(to_json(" ~ column ~ ") as varchar)", 'VARCHAR']) }}
    {%- elif class == 'naive time' and type != 'TIMESTAMP' -%}
        {{ return(["try_cast(" ~ column ~ " as timestamp)", 'TIMESTAMP']) }}
    {%- elif type == 'TIMESTAMPTZ_NS' -%}
        {{ return(["try_cast(" ~ column ~ " as timestamptz)", 'TIMESTAMP WITH TIME ZONE']) }}
    {%- elif class == 'number' and kind in ('name', 'outcome')
        and modules.re.match('DECIMAL|FLOAT|DOUBLE', type) -%}
        {{ return(["coalesce(cast(case when " ~ column ~ " = trunc(" ~ column ~ ") then try_cast(" ~ column
            ~ " as hugeint) end as varchar), cast(" ~ column ~ " as varchar))", 'VARCHAR']) }}
    {%- elif class in ('text', 'nothing') and type != 'VARCHAR' or type in ('JSON', 'BIGNUM') -%}
        {{ return(["cast(" ~ column ~ " as varchar)", 'VARCHAR']) }}
    {%- endif -%}
    {{ return([column, type]) }}
{% endmacro %}
