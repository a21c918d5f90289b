{#- What both engines share. The engines disagree on what else they would accept as a time, on 24:00, on leap seconds
    and on a seventh digit of the second: none of them gets that far. -#}
{% macro iso_timestamp_pattern() -%}
    ^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?
    {{- '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$' }}
{%- endmacro %}
{% macro utc_offset_pattern() %}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9:]+)${% endmacro %}

{#- lower() depends on a PostgreSQL server's locale, so capitals are mapped by a list. -#}
{% macro plain_name_of(text) -%}
    {%- set capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽŸĄĆĘŁŃŚŹŻČĎĚŇŘŤŮŐŰĞŞ'
        ~ 'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЄІЇҐ' -%}
    nullif(trim(left(trim(regexp_replace(
        translate({{ text }}, '{{ capitals }}', '{{ capitals | lower }}'), '[ \t\n\r\f\v{{ '\u00a0' }}]+', ' ', 'g'
    ), ' '), 100), ' '), '')
{%- endmacro %}

{#- An error's text without e-mails, URLs, keys, IPs, ids, file names, times and numbers. -#}
{% macro scrubbed_text_of(text) -%}
    {%- set rules = [
        ('[A-Za-z][A-Za-z0-9+.-]*://[^ "<>\'\']+', '<url>'),
        ('[^ "<>(){}:;,=\'\']+@[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9]', '<email>'),
        ('[Bb]earer +[^ "]+', '<key>'),
        ('[A-Za-z0-9]{2,8}-[A-Za-z0-9_-]*[*]{2,}[A-Za-z0-9_-]*', '<key>'),
        ('(sk|pk|rk|key|api|ghp|xox[abp])[_-][A-Za-z0-9_-]{8,}', '<key>'),
        ('[0-9]{4}-[0-9]{2}-[0-9]{2}'
         '([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?', '<time>'),
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
    {%- set steps = namespace(sql="case when length(" ~ text ~ ") > 1000 then regexp_replace(left(" ~ text
        ~ ", 1000), '[^ ]*$', '') else " ~ text ~ " end") -%}
    {%- for pattern, placeholder in rules -%}
        {%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '" ~ pattern ~ "', '" ~ placeholder ~ "', 'g')" -%}
    {%- endfor -%}
    left(trim({{ steps.sql }}, ' '), 200)
{%- endmacro %}
