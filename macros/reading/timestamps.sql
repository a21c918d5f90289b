{#- The log with created_at read: logged_at, a UTC timestamp without zone; null where it is not one. -#}
{% macro with_time_read(relation) %}{{ adapter.dispatch('with_time_read')(relation) }}{% endmacro %}

{% macro duckdb__with_time_read(relation) -%}
    select
        *,
        {{ read_timestamp('created_at') }} as logged_at
    from {{ relation }}
{%- endmacro %}

{#- Reading a text is dear, so it is done once. A column of timestamps must stay in sight of the index. -#}
{% macro postgres__with_time_read(relation) -%}
    {%- set log = source('application', 'generation_logs') -%}
    {%- set types = adapter.get_columns_in_relation(log) | selectattr('name', 'equalto', 'created_at') | map(attribute='dtype') | list if execute else [] -%}
    {%- if 'text' in types or 'character varying' in types -%}
    {{ with_columns(relation, {'logged_at': read_timestamp('created_at')}) }}
    {%- else -%}
    {{ duckdb__with_time_read(relation) }}
    {%- endif -%}
{%- endmacro %}

{#- A column of the log as a UTC timestamp without zone; null where it is not one. -#}
{% macro read_timestamp(column) %}{{ adapter.dispatch('read_timestamp')(column) }}{% endmacro %}

{% macro postgres__read_timestamp(column) -%}
    {{ internal_schema() }}.as_utc({{ column }}, '{{ var("log_timezone") }}')
{%- endmacro %}

{#- typeof() is a constant, so only the branch for the column's own type is left in the plan, and a filter on a UTC
    timestamp column still prunes row groups. -#}
{% macro duckdb__read_timestamp(column) -%}
    {%- set zone = var('log_timezone') -%}
    case
        when typeof({{ column }}) = 'TIMESTAMP WITH TIME ZONE'
            then timezone('UTC', try_cast({{ column }} as timestamptz))
        when typeof({{ column }}) = 'VARCHAR'
            then case
                when regexp_matches({{ iso_timestamp_text('cast(' ~ column ~ ' as varchar)') }}, '{{ utc_offset_pattern() }}')
                    then timezone('UTC', try_cast({{ iso_timestamp_text('cast(' ~ column ~ ' as varchar)') }} as timestamptz))
                else {{ from_zone("try_cast(" ~ iso_timestamp_text('cast(' ~ column ~ ' as varchar)') ~ " as timestamp)", zone) }}
            end
        else {{ from_zone("try_cast(" ~ column ~ " as timestamp)", zone) }}
    end
{%- endmacro %}

{% macro from_zone(timestamp, zone) -%}
    {% if zone == 'UTC' %}{{ timestamp }}{% else %}timezone('UTC', timezone('{{ zone }}', {{ timestamp }})){% endif %}
{%- endmacro %}

{#- The text if it is an ISO 8601 date or timestamp, else null. The engines disagree on what else they would accept, on
    24:00, on leap seconds and on a seventh digit of the second: none of them gets that far. -#}
{% macro iso_timestamp_text(text) -%}
    regexp_replace(
        case
            when {{ matches(trimmed(text), "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$") }}
                then {{ trimmed(text) }}
        end, '([.][0-9]{6})[0-9]+', '\1'
    )
{%- endmacro %}

{% macro utc_offset_pattern() %}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9:]+)${% endmacro %}
