{#- The seed error_patterns as constants in the SQL: joined, each pattern would be compiled anew for each row. -#}
{% macro error_patterns() %}
    {%- set patterns = existing_relation('seeds', 'error_patterns') -%}
    {%- if execute and patterns is none and flags.WHICH in ('run', 'build') -%}
        {{ exceptions.raise_compiler_error("The seed error_patterns is not there yet. Run `dbt seed` once before `dbt run`, or `dbt build`.") }}
    {%- endif -%}
    {{ return(run_query("select pattern, error_category, error_signature from " ~ patterns ~ " order by position").rows if patterns else []) }}
{% endmacro %}

{#- The place of the first pattern that an error's text holds, counted from 1; null where none does. -#}
{% macro error_pattern_place(text, patterns) -%}
    {%- if patterns | length -%}
    case
        when {{ text }} is null then null
        {%- for row in patterns %}
        when {{ matches(text, row[0], ignore_case=true) }} then {{ loop.index }}
        {%- endfor %}
    end
    {%- else -%}
    cast(null as integer)
    {%- endif -%}
{%- endmacro %}

{#- What the pattern at a place says of such errors: its error_category or its error_signature. -#}
{% macro error_pattern_value(place, column, patterns) -%}
    {%- set values = [] -%}
    {%- for row in patterns -%}{%- do values.append("'" ~ row[column] | replace("'", "''") ~ "'") -%}{%- endfor -%}
    (array[{{ values | join(', ') if values else "cast(null as text)" }}])[{{ place }}]
{%- endmacro %}

{#- An error's text without what is personal or unique: e-mails, URLs, keys, IPs, ids, file names, times, numbers. -#}
{% macro scrubbed(text) -%}
    {%- set rules = [
        ('[A-Za-z][A-Za-z0-9+.-]*://[^ "<>\'\']+', '<url>'),
        ('[^ "<>(){}:;,=\'\']+@[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9]', '<email>'),
        ('[Bb]earer +[^ "]+', '<key>'),
        ('[A-Za-z0-9]{2,8}-[A-Za-z0-9_-]*[*]{2,}[A-Za-z0-9_-]*', '<key>'),
        ('(sk|pk|rk|key|api|ghp|xox[abp])[_-][A-Za-z0-9_-]{8,}', '<key>'),
        ('[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?', '<time>'),
        ('[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}', '<id>'),
        ('[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}(:[0-9]+)?', '<ip>'),
        ('[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){3,}', '<ip>'),
        ('(org|req|user|job|file|proj|asst|run|img|batch|chatcmpl|gen)[_-][A-Za-z0-9_-]+', '<id>'),
        ('(?i)[^ "<>()=,;\'\']*[.](png|jpe?g|gif|webp|heic|heif|avif|bmp|tiff?|svg|pdf|txt|json|zip|mp4)', '<file>'),
        ('[^ "<>()=,;\'\']*/[^ "<>()=,;\'\']*/[^ "<>()=,;\'\']*', '<file>'),
        ('[A-Za-z0-9_+/=-]*[0-9][A-Za-z0-9_+/=-]{15,}|[A-Za-z0-9_+/=-]{32,}', '<id>'),
        ('[A-Za-z0-9_+/-]{8,}[0-9][A-Za-z0-9_+/=-]*', '<id>'),
        ('[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?', '<time>'),
        ('[0-9]+([.,][0-9]+)*', '<number>'),
        ('[ \t\n\r\f\v]+', ' '),
    ] -%}
    {%- set steps = namespace(sql="case when length(" ~ text ~ ") > 1000 then regexp_replace(left(" ~ text ~ ", 1000), '[^ ]*$', '') else " ~ text ~ " end") -%}
    {%- for pattern, placeholder in rules -%}
        {%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '" ~ pattern ~ "', '" ~ placeholder ~ "', 'g')" -%}
    {%- endfor -%}
    left(trim({{ steps.sql }}, ' '), 200)
{%- endmacro %}
