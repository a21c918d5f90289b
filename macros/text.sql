{#- Does the text hold the pattern? Patterns keep to what both engines' regular expressions share. -#}
{% macro matches(text, pattern, ignore_case=false) %}{{ adapter.dispatch('matches')(text, pattern | replace("'", "''"), ignore_case) }}{% endmacro %}
{% macro duckdb__matches(text, pattern, ignore_case) -%}
    {#- ignoring case, RE2 takes a long s for an s and a Kelvin sign for a k; PostgreSQL does not -#}
    {%- if ignore_case -%}
    regexp_matches(translate({{ text }}, 'ſK', '  '), '{{ pattern }}', 'i')
    {%- else -%}
    regexp_matches({{ text }}, '{{ pattern }}')
    {%- endif -%}
{%- endmacro %}
{% macro postgres__matches(text, pattern, ignore_case) -%}
    {{ text }} {{ '~*' if ignore_case else '~' }} '{{ pattern }}'
{%- endmacro %}

{#- Without the spaces around it. Named, because unnamed the engines disagree on what white space is. -#}
{% macro trimmed(text) %}trim({{ text }}, ' '){% endmacro %}

{#- null where there is nothing but white space -#}
{% macro blank_to_null(column) -%}
    nullif({{ trimmed('cast(' ~ column ~ ' as text)') }}, '')
{%- endmacro %}

{#- One spelling of a name: lower case, single spaces, at most 100 characters. lower() depends on a PostgreSQL server's
    locale, so capitals outside of ASCII are mapped by a list, and only where the name is not plain already. -#}
{% macro normalised_name(text) -%}
    {%- set capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽŸĄĆĘŁŃŚŹŻČĎĚŇŘŤŮŐŰĞŞΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЄІЇҐ' -%}
    case
        when {{ matches(text, '^[a-z0-9_-]{1,100}$') }} then {{ text }}
        else nullif(trim(left(trim(regexp_replace(
            translate({{ text }}, '{{ capitals }}', '{{ capitals | lower }}'), '[ \t\n\r\f\v{{ '\u00a0' }}]+', ' ', 'g'
        ), ' '), 100), ' '), '')
    end
{%- endmacro %}
