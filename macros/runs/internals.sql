{#- What the warehouse keeps for itself, in a schema that no reader is granted: the salt of the user keys, the journal of
    what was replaced, how far alerts have come and, on PostgreSQL, the run that is at work and the functions that read the
    log's columns whatever their type. -#}
{% macro internal_schema() %}{{ target.schema }}_internal{% endmacro %}
{% macro journal() %}{{ internal_schema() }}.replacements{% endmacro %}
{% macro read_days() %}{{ internal_schema() }}.read_days{% endmacro %}

{#- The salt is made at random inside the database, once, and never leaves it. A refresh of the alerts finds all of this there,
    from the run that made what it reads the log through. -#}
{% macro create_internals() %}
    {%- if execute and invocation_args_dict.get('selector') != 'alerts_refresh' %}
        {{ adapter.dispatch('lock_internals')() }}
        create schema if not exists {{ internal_schema() }};
        create table if not exists {{ internal_schema() }}.user_key_salt (
            is_only_row boolean primary key default true check (is_only_row),
            salt text not null
        );
        insert into {{ internal_schema() }}.user_key_salt (salt)
        select cast(gen_random_uuid() as text) || cast(gen_random_uuid() as text)
        where not exists (select 1 from {{ internal_schema() }}.user_key_salt);
        {#- One row per model and run: the days from replaced_from on were replaced (null: none). Where the table was made
            anew, its rows are not counted. -#}
        create sequence if not exists {{ internal_schema() }}.replacements_id;
        create table if not exists {{ journal() }} (
            id bigint primary key default nextval('{{ internal_schema() }}.replacements_id'),
            model text not null,
            replaced_from date,
            deleted_rows bigint,
            inserted_rows bigint,
            run_id text not null,
            replaced_at timestamp not null default ({{ wall_clock() }})
        );
        {#- The days of the log that the fact was made from last, as they were then. -#}
        create table if not exists {{ read_days() }} (
            activity_date date primary key,
            content_hash text not null,
            as_of timestamp not null
        );
        {{ create_alert_journals() }}
        {#- How far the alerts have come: the span of the log that int_alert_generations holds, and the newest window that the
            incidents know. A run may be killed between any two of its models. -#}
        create table if not exists {{ alert_progress() }} (
            is_only_row boolean primary key default true check (is_only_row),
            generations_from timestamp,
            generations_until timestamp,
            incidents_until timestamp
        );
        {{ adapter.dispatch('create_run_functions')() }}
        {{ adapter.dispatch('create_reading_functions')() }}
    {%- endif %}
{% endmacro %}

{#- Two first runs at once would otherwise make the schema twice. -#}
{% macro default__lock_internals() %}{% endmacro %}
{% macro postgres__lock_internals() %}
    select pg_advisory_xact_lock(hashtext('{{ internal_schema() }}'));
{% endmacro %}

{% macro default__create_reading_functions() %}{% endmacro %}

{#- One name for each type that the log's column may have, so that the models need not know which it is. The plain ones
    are inlined by the planner (an index on created_at serves); those that take text must catch what is malformed. -#}
{% macro postgres__create_reading_functions() %}
    create or replace function {{ internal_schema() }}.as_json(jsonb) returns jsonb
    language sql immutable parallel safe as 'select $1';
    create or replace function {{ internal_schema() }}.as_json(document text) returns jsonb
    language plpgsql immutable as $function$
    begin
        return document::jsonb;
    exception when others then
        return null;
    end $function$;
    create or replace function {{ internal_schema() }}.as_json(json) returns jsonb
    language sql immutable parallel safe as 'select {{ internal_schema() }}.as_json($1::text)';

    create or replace function {{ internal_schema() }}.as_uuid(uuid) returns uuid
    language sql immutable parallel safe as 'select $1';
    create or replace function {{ internal_schema() }}.as_uuid(logged text) returns uuid
    language sql immutable parallel safe as $function$
        select case
            when trim(logged, ' ') ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$' then trim(logged, ' ')::uuid
        end
    $function$;

    create or replace function {{ internal_schema() }}.as_utc(timestamp, zone text) returns timestamp
    language sql immutable parallel safe as
    {%- if var('log_timezone') == 'UTC' %} 'select $1'; {%- else %} $function$ select timezone('UTC', timezone($2, $1)) $function$; {%- endif %}
    create or replace function {{ internal_schema() }}.as_utc(timestamptz, zone text) returns timestamp
    language sql immutable parallel safe as $function$ select timezone('UTC', $1) $function$;
    {#- PostgreSQL has no cast that gives null. A date is checked before, since an error to be caught costs much more. -#}
    create or replace function {{ internal_schema() }}.as_utc(logged text, zone text) returns timestamp
    language plpgsql immutable parallel safe as $function$
    declare
        instant text := {{ iso_timestamp_text('logged') }};
    begin
        if instant is null or substr(instant, 1, 4) = '0000' or substr(instant, 6, 2)::int not between 1 and 12
            or substr(instant, 9, 2)::int not between 1 and extract(day from (
                make_date(substr(instant, 1, 4)::int, substr(instant, 6, 2)::int, 1) + interval '1 month' - interval '1 day'
            ))
        then
            return null;
        elsif instant ~ '{{ utc_offset_pattern() }}' then
            return timezone('UTC', instant::timestamptz);
        end if;
        return timezone('UTC', timezone(zone, instant::timestamp));
    end $function$;

    create or replace function {{ internal_schema() }}.usable_number(logged text, highest numeric) returns numeric
    language plpgsql immutable strict parallel safe as $function$
    declare
        rounded numeric;
    begin
        if length(logged) < 15000 and logged ~ '^\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?\s*$' then
            rounded := round(logged::numeric, 6);
            if rounded between 0 and highest then
                return rounded;
            end if;
        end if;
        return null;
    end $function$;
    {% for type in ['integer', 'bigint', 'numeric'] -%}
    create or replace function {{ internal_schema() }}.usable_number({{ type }}, highest numeric) returns numeric
    language sql immutable parallel safe as 'select case when round($1::numeric, 6) between 0 and $2 then round($1::numeric, 6) end';
    {% endfor -%}
    create or replace function {{ internal_schema() }}.usable_number(double precision, highest numeric) returns numeric
    language sql immutable parallel safe as 'select {{ internal_schema() }}.usable_number($1::text, $2)';
{% endmacro %}
