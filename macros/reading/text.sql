{#- Does the text hold the pattern? Patterns keep to what both engines' regular expressions share. -#}
{% macro matches(text, pattern, ignore_case=false) %}{{ adapter.dispatch('matches')(text, pattern | replace("'", "''"), ignore_case) }}{% endmacro %}
{% macro duckdb__matches(text, pattern, ignore_case) -%}
    regexp_matches({{ text }}, '{{ pattern }}'{{ ", 'i'" if ignore_case }})
{%- endmacro %}
{% macro postgres__matches(text, pattern, ignore_case) -%}
    {{ text }} {{ '~*' if ignore_case else '~' }} '{{ pattern }}'
{%- endmacro %}

{#- A text as it is to be searched ignoring case: RE2 takes a long s for an s and a Kelvin sign for a k, PostgreSQL does not. -#}
{% macro searched_text(text) %}{{ adapter.dispatch('searched_text')(text) }}{% endmacro %}
{% macro duckdb__searched_text(text) %}translate({{ text }}, 'ſK', '  '){% endmacro %}
{% macro postgres__searched_text(text) %}{{ text }}{% endmacro %}

{#- Without the spaces around it. Named, because unnamed the engines disagree on what white space is. -#}
{% macro trimmed(text) %}{{ adapter.dispatch('trimmed')(text) }}{% endmacro %}
{% macro default__trimmed(text) %}trim({{ text }}, ' '){% endmacro %}
{#- To look for a space costs DuckDB a tenth of trimming. -#}
{% macro duckdb__trimmed(text) %}case when contains({{ text }}, ' ') then trim({{ text }}, ' ') else {{ text }} end{% endmacro %}

{#- null where there is nothing but white space -#}
{% macro blank_to_null(column) -%}
    nullif({{ trimmed('cast(' ~ column ~ ' as text)') }}, '')
{%- endmacro %}

{#- One spelling of a name: lower case, single spaces, at most 100 characters. lower() depends on a PostgreSQL server's
    locale, so capitals outside of ASCII are mapped by a list, and only where the name is not plain already. -#}
{% macro normalised_name(text) -%}
    {%- set capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽŸĄĆĘŁŃŚŹŻČĎĚŇŘŤŮŐŰĞŞΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЄІЇҐ' -%}
    case
        when length({{ text }}) <= 100 and {{ matches(text, '^[a-z0-9_-]+$') }} then {{ text }}
        else nullif(trim(left(trim(regexp_replace(
            translate({{ text }}, '{{ capitals }}', '{{ capitals | lower }}'), '[ \t\n\r\f\v{{ '\u00a0' }}]+', ' ', 'g'
        ), ' '), 100), ' '), '')
    end
{%- endmacro %}
