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
        {{ create_reading_functions() }}
        {{ create_error_pattern_function(existing_relation('seeds', 'error_patterns')) }}
    {%- endif %}
{% endmacro %}

{#- Two first runs at once would otherwise make the schema twice. -#}
{% macro default__lock_internals() %}{% endmacro %}
{% macro postgres__lock_internals() %}
    select pg_advisory_xact_lock(hashtext('{{ internal_schema() }}'));
{% endmacro %}
