{#- How a value of the log is read, by one name each, whatever its type is. Nothing that they meet stops a run: what
    makes no sense is null. Called by staging only. What they do is written in macros/engine/functions_*.sql, as
    functions of the database; an engine that has none renders an expression instead. -#}

{#- A time as a UTC timestamp without zone. -#}
{% macro as_utc(logged) %}{{ reading_function('as_utc', logged) }}{% endmacro %}

{#- An id as uuid: 36 characters in groups of 8-4-4-4-12, in any case. -#}
{% macro as_uuid(logged) %}{{ reading_function('as_uuid', logged) }}{% endmacro %}

{#- A user's id as text; of a uuid the one spelling that all its spellings share. -#}
{% macro as_user_id(logged) %}{{ reading_function('as_user_id', logged) }}{% endmacro %}

{#- Whether a generation succeeded, null where that is not said. -#}
{% macro as_outcome(logged) %}{{ reading_function('as_outcome', logged) }}{% endmacro %}

{#- A number of six decimals within [0, highest], from text or a column of numbers. -#}
{% macro usable_number(logged, highest) %}{{ reading_function('usable_number', logged, highest) }}{% endmacro %}

{#- A text without the spaces around it, null where nothing is left. -#}
{% macro blank_to_null(logged) %}{{ reading_function('blank_to_null', logged) }}{% endmacro %}

{#- A name in its one spelling: lower case, single spaces, at most 100 characters. -#}
{% macro plain_name(logged) %}{{ reading_function('plain_name', logged) }}{% endmacro %}

{#- A style's name: as above, and what writers put between words is a space. -#}
{% macro style_name(logged) %}{{ reading_function('style_name', logged) }}{% endmacro %}

{#- An error's text without what is personal or unique, at most 200 characters. -#}
{% macro scrubbed(logged) %}{{ reading_function('scrubbed', logged) }}{% endmacro %}

{#- The position in the seed error_patterns of the first pattern that an error's text holds. -#}
{% macro error_pattern(logged) %}{{ reading_function('error_pattern', logged) }}{% endmacro %}

{#- The position in the seed scene_patterns of the first pattern that a scene holds. -#}
{% macro scene_pattern(logged) %}{{ reading_function('scene_pattern', logged) }}{% endmacro %}

{#- SHA-256 over the salt and a user's id, as 64 hexadecimal digits. Its first half is the pseudonymous key. Its second
    half, from which nobody gets to the first or to the id, is what the list of erased users holds. -#}
{% macro user_digest(user_id) -%}
    {{ hex_digest("(select salt from " ~ ref('user_key_salt') ~ ") || " ~ user_id) }}
{%- endmacro %}
{% macro hex_digest(text) %}{{ adapter.dispatch('hex_digest')(text) }}{% endmacro %}
{% macro duckdb__hex_digest(text) %}sha256({{ text }}){% endmacro %}
{% macro postgres__hex_digest(text) %}encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex'){% endmacro %}

{#- A user's pseudonymous key: another one after an erasure, so that the old one never comes back. -#}
{% macro user_key(digest, rekey) -%}
    cast(left(
        case
            when {{ rekey }} is null then {{ digest }}
            else {{ hex_digest("cast(" ~ rekey ~ " as text) || " ~ digest) }}
        end, 32
    ) as uuid)
{%- endmacro %}

{% macro erasure_hash(digest) %}cast(right({{ digest }}, 32) as uuid){% endmacro %}

{#- What an erased user did up to the erasure is read no longer, nor what has no usable time and might be of then. The
    list of erased users is joined as `erased`. -#}
{% macro is_not_erased(created_at) -%}
    (
        erased.erasure_hash is null
        or coalesce({{ created_at }} > erased.erased_before and {{ created_at }} <= {{ latest_created_at() }}, false)
    )
{%- endmacro %}

{#- All rows of the log with the column logged_at: created_at, read. -#}
{% macro with_time_read(relation) %}{{ adapter.dispatch('with_time_read')(relation) }}{% endmacro %}
{% macro default__with_time_read(relation) -%}
    select *, {{ as_utc('created_at') }} as logged_at from {{ relation }}
{%- endmacro %}
{#- To read a text is expensive, so it is done once. A column of timestamps must stay in sight of the index. -#}
{% macro postgres__with_time_read(relation) -%}
    {%- set log = source('application', 'generation_logs') -%}
    {%- set type = readable_log_columns(log).created_at if execute else none -%}
    {{ with_columns(relation, {'logged_at': as_utc('created_at')}) if type in ['text', 'character varying']
        else default__with_time_read(relation) }}
{%- endmacro %}

{#- 64 bits that tell whether a row of the log has changed in one of the columns that are read. -#}
{% macro row_hash() %}{{ adapter.dispatch('row_hash')() }}{% endmacro %}
{% macro duckdb__row_hash() -%}
    cast(cast(hash({{ log_columns() | join(', ') }}) as hugeint) - 9223372036854775808 as bigint)
{%- endmacro %}
{#- The engine's own hash of each type; json has none. -#}
{% macro postgres__row_hash() -%}
    {%- set types = readable_log_columns(source('application', 'generation_logs')) if execute else {} -%}
    {%- set hashed = [] -%}
    {%- for name in log_columns() -%}
        {%- do hashed.append("cast(" ~ name ~ " as text)" if types.get(name) == 'json' else name) -%}
    {%- endfor -%}
    hash_record_extended(row({{ hashed | join(', ') }}), 0)
{%- endmacro %}
