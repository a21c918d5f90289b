{#- The position of the first pattern of the seed error_patterns that an error's text holds; null where none does. The
    patterns stand in the SQL as constants: joined, each would be compiled anew for each row. -#}
{% macro error_pattern_position(text) -%}
    {%- set patterns = existing_relation('seeds', 'error_patterns') -%}
    {%- if execute and patterns is none and flags.WHICH in ('run', 'build') -%}
        {{ exceptions.raise_compiler_error("The seed error_patterns is not there yet. Run `dbt seed` once before `dbt run`, or `dbt build`.") }}
    {%- endif -%}
    case
        when {{ text }} is null then null
        {%- if patterns %}
        {%- for row in run_query("select position, pattern from " ~ patterns ~ " order by position").rows %}
        when {{ matches(text, row[1], ignore_case=true) }} then {{ row[0] }}
        {%- endfor %}
        {%- endif %}
    end
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
    left({{ trimmed(steps.sql) }}, 200)
{%- endmacro %}
