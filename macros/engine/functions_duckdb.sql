{#- How DuckDB reads a value of the log: the functions of functions_postgres.sql under the same names, as macros of the
    database. typeof() is a constant where they are used, so that only the branch for the column's own type is left. -#}
{% macro duckdb__functions() %}
    {%- set internal, zone = internal_schema(), var('log_timezone') %}
    {%- set to_utc = ["", ""] if zone == 'UTC' else ["timezone('UTC', timezone('" ~ zone ~ "', ", "))"] %}
    {#- To look for a space costs a tenth of trimming. -#}
    create or replace macro {{ internal }}.trimmed(logged) as (
        case when contains(logged, ' ') then trim(logged, ' ') else logged end
    );
    create or replace macro {{ internal }}.blank_to_null(logged) as (
        nullif({{ internal }}.trimmed(cast(logged as varchar)), '')
    );
    {#- DuckDB takes other spellings for uuids as well. -#}
    create or replace macro {{ internal }}.as_uuid(logged) as (
        case
            when typeof(logged) = 'UUID' then try_cast(logged as uuid)
            when cast(try_cast({{ internal }}.trimmed(cast(logged as varchar)) as uuid) as varchar)
                = lower({{ internal }}.trimmed(cast(logged as varchar)))
                then try_cast({{ internal }}.trimmed(cast(logged as varchar)) as uuid)
        end
    );
    create or replace macro {{ internal }}.as_user_id(logged) as (
        case
            when typeof(logged) = 'UUID' then cast(logged as varchar)
            else coalesce(cast({{ internal }}.as_uuid(logged) as varchar), {{ internal }}.blank_to_null(logged))
        end
    );
    {#- The text, if it is an ISO 8601 date or timestamp, with six digits of the second at most. -#}
    create or replace macro {{ internal }}.iso_timestamp(logged) as (
        regexp_replace(
            case
                when regexp_matches({{ internal }}.trimmed(logged), '{{ iso_timestamp_pattern() }}')
                    then {{ internal }}.trimmed(logged)
            end, '([.][0-9]{6})[0-9]+', '\1'
        )
    );
    {#- A filter on a column of UTC timestamps still skips row groups. -#}
    create or replace macro {{ internal }}.as_utc(logged) as (
        case
            when typeof(logged) = 'TIMESTAMP WITH TIME ZONE' then timezone('UTC', try_cast(logged as timestamptz))
            when typeof(logged) = 'VARCHAR' then case
                when regexp_matches({{ internal }}.iso_timestamp(cast(logged as varchar)), '{{ utc_offset_pattern() }}')
                    then timezone('UTC', try_cast({{ internal }}.iso_timestamp(cast(logged as varchar)) as timestamptz))
                else {{ to_utc[0] }}try_cast(
                    {{ internal }}.iso_timestamp(cast(logged as varchar)) as timestamp
                ){{ to_utc[1] }}
            end
            else {{ to_utc[0] }}try_cast(logged as timestamp){{ to_utc[1] }}
        end
    );
    {#- What does not fit the decimal is beyond any use here. DuckDB would read 1_000 as a thousand, and take more
        digits than PostgreSQL has. -#}
    create or replace macro {{ internal }}.decimal_of(logged) as (
        try_cast(case when not contains(logged, '_') and strlen(logged) < 15000 then logged end as decimal(18, 6))
    );
    create or replace macro {{ internal }}.usable_number(logged, highest) as (
        case
            when {{ internal }}.decimal_of(cast(logged as varchar)) between 0 and highest
                then {{ internal }}.decimal_of(cast(logged as varchar))
        end
    );
    {#- DuckDB also takes a trailing comma, NaN, Infinity and \u0000 for JSON. (chr(92) is a backslash: dbt's unit tests
        misread a literal that ends in one.) -#}
    {%- set lax = ',\\s*[\\]}]|(^|[:,\\[])\\s*-?[NIni][an]' %}
    create or replace macro {{ internal }}.strict_json(logged) as (
        case
            when not json_valid(logged) then null
            when regexp_matches(logged, '{{ lax }}|\\u0000') then case
                when not contains(replace(logged, chr(92) || chr(92), ''), '\u0000')
                    and not regexp_matches(regexp_replace(logged, '"(\\.|[^"\\])*"', '""', 'g'), '{{ lax }}')
                    then logged
            end
            else logged
        end
    );
    create or replace macro {{ internal }}.plain_name(logged) as (
        case
            when length(logged) <= 100 and regexp_matches(logged, '^[a-z0-9_-]+$') then logged
            else {{ plain_name_of('logged') }}
        end
    );
    create or replace macro {{ internal }}.matches(logged, pattern) as (regexp_matches(logged, pattern, 'i'));
    create or replace macro {{ internal }}.scrubbed(logged) as ({{ scrubbed_text_of('logged') }});
{% endmacro %}

{% macro duckdb__error_pattern_function(body) %}
    create or replace macro {{ internal_schema() }}.error_pattern(logged) as ({{ body }});
{% endmacro %}
