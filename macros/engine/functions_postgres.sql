{#- How PostgreSQL reads a value of the log: the functions of functions_duckdb.sql under the same names. There is one
    for each type that a column may have, so that the models need not know which it is. The plain ones are inlined by
    the planner, and an index on created_at serves; those that take text must catch what is malformed. -#}
{% macro postgres__functions() %}
    {%- set internal = internal_schema() %}
    create or replace function {{ internal }}.trimmed(logged text) returns text
    language sql immutable parallel safe as $function$ select trim(logged, ' ') $function$;
    create or replace function {{ internal }}.blank_to_null(logged text) returns text
    language sql immutable parallel safe as $function$ select nullif(trim(logged, ' '), '') $function$;
    create or replace function {{ internal }}.as_uuid(logged uuid) returns uuid
    language sql immutable parallel safe as 'select logged';
    create or replace function {{ internal }}.as_uuid(logged text) returns uuid
    language sql immutable parallel safe as $function$
        select case
            when trim(logged, ' ') ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'
                then trim(logged, ' ')::uuid
        end
    $function$;
    create or replace function {{ internal }}.as_user_id(logged uuid) returns text
    language sql immutable parallel safe as 'select logged::text';
    create or replace function {{ internal }}.as_user_id(logged text) returns text
    language sql immutable parallel safe as $function$
        select coalesce({{ internal }}.as_uuid(logged)::text, nullif(trim(logged, ' '), ''))
    $function$;
    create or replace function {{ internal }}.as_utc(logged timestamp) returns timestamp
    language sql immutable parallel safe as
    {%- if var('log_timezone') == 'UTC' %} 'select logged';
    {%- else %} $function$ select timezone('UTC', timezone('{{ var("log_timezone") }}', logged)) $function$;
    {%- endif %}
    create or replace function {{ internal }}.as_utc(logged timestamptz) returns timestamp
    language sql immutable parallel safe as $function$ select timezone('UTC', logged) $function$;
    {#- PostgreSQL has no cast that gives null. A date is checked before: an error to be caught costs much more. -#}
    create or replace function {{ internal }}.as_utc(logged text) returns timestamp
    language plpgsql immutable parallel safe as $function$
    declare
        instant text := regexp_replace(
            case when trim(logged, ' ') ~ '{{ iso_timestamp_pattern() }}' then trim(logged, ' ') end,
            '([.][0-9]{6})[0-9]+', '\1'
        );
    begin
        if instant is null or substr(instant, 1, 4) = '0000' or substr(instant, 6, 2)::int not between 1 and 12
            or substr(instant, 9, 2)::int not between 1 and extract(day from (
                make_date(substr(instant, 1, 4)::int, substr(instant, 6, 2)::int, 1)
                + interval '1 month' - interval '1 day'
            ))
        then
            return null;
        elsif instant ~ '{{ utc_offset_pattern() }}' then
            return timezone('UTC', instant::timestamptz);
        end if;
        return timezone('UTC', timezone('{{ var("log_timezone") }}', instant::timestamp));
    end $function$;
    create or replace function {{ internal }}.usable_number(logged text, highest numeric) returns numeric
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
    {%- for type in ['integer', 'bigint', 'numeric'] %}
    create or replace function {{ internal }}.usable_number(logged {{ type }}, highest numeric) returns numeric
    language sql immutable parallel safe as $function$
        select case when round(logged::numeric, 6) between 0 and highest then round(logged::numeric, 6) end
    $function$;
    {%- endfor %}
    create or replace function {{ internal }}.usable_number(logged double precision, highest numeric) returns numeric
    language sql immutable parallel safe as
    $function$ select {{ internal }}.usable_number(logged::text, highest) $function$;
    create or replace function {{ internal }}.strict_json(logged jsonb) returns jsonb
    language sql immutable parallel safe as 'select logged';
    create or replace function {{ internal }}.strict_json(logged text) returns jsonb
    language plpgsql immutable as $function$
    begin
        return logged::jsonb;
    exception when others then
        return null;
    end $function$;
    create or replace function {{ internal }}.strict_json(logged json) returns jsonb
    language sql immutable parallel safe as $function$ select {{ internal }}.strict_json(logged::text) $function$;
    create or replace function {{ internal }}.plain_name(logged text) returns text
    language sql immutable parallel safe as $function$
        select case
            when length(logged) <= 100 and logged ~ '^[a-z0-9_-]+$' then logged
            else {{ plain_name_of('logged') }}
        end
    $function$;
    create or replace function {{ internal }}.matches(logged text, pattern text) returns boolean
    language sql immutable parallel safe as 'select logged ~* pattern';
    create or replace function {{ internal }}.scrubbed(logged text) returns text
    language sql immutable parallel safe as $function$ select {{ scrubbed_text_of('logged') }} $function$;

    {#- One run at a time: see macros/runs/one_run.sql. -#}
    {%- set run_lock = "hashtextextended('" ~ internal_schema() ~ ".current_run', 0)" %}
    create table if not exists {{ internal }}.current_run (
        is_only_row boolean primary key default true check (is_only_row),
        run_id text not null,
        begun_at timestamp not null,
        ended_at timestamp
    );
    create or replace function {{ internal }}.begin_run(
        this_run text, is_other_dead boolean, out other_run timestamp, out is_at_work boolean
    )
    language plpgsql as $function$
    begin
        is_at_work := not pg_try_advisory_xact_lock({{ run_lock }}) or exists (
            select 1 from pg_stat_activity
            where datname = current_database()
                and usename = current_user
                and application_name = current_setting('application_name')
                and pid != pg_backend_pid()
                and state != 'idle'
                and query not like '%pg_sleep(0.5)%'
                and query not like '%begin_run%'
        );
        if is_at_work or not is_other_dead then
            select begun_at into other_run from {{ internal }}.current_run
            where ended_at is null and run_id != this_run;
            is_at_work := is_at_work and other_run is not null;
        end if;
        if other_run is null and not is_at_work then
            insert into {{ internal }}.current_run (run_id, begun_at) values (this_run, {{ wall_clock() }})
            on conflict (is_only_row) do update
            set run_id = excluded.run_id, begun_at = excluded.begun_at, ended_at = null;
        end if;
    end $function$;
    create or replace function {{ internal }}.hold_run(this_run text) returns void
    language plpgsql as $function$
    begin
        perform pg_advisory_xact_lock_shared({{ run_lock }});
        if not exists (select 1 from {{ internal }}.current_run where run_id = this_run) then
            raise exception 'Another run, begun at % UTC, has taken over. This one stops; what it made so far is kept.',
                (select begun_at from {{ internal }}.current_run);
        end if;
    end $function$;

    {#- See macros/engine/statements.sql. Of a view, the tables that it reads may be locked. Since when, only a member
        of the other's role may see. -#}
    create or replace function {{ internal }}.waiting_briefly(statement text, relation_name text, seconds numeric)
    returns void language plpgsql as $function$
    begin
        perform set_config('lock_timeout', round(seconds * 1000) || 'ms', true);
        execute statement;
    exception when lock_not_available then
        raise lock_not_available using message = format(
            '%s is locked by %s. This waited %s seconds for it (lock_timeout_seconds) and changed nothing; the next '
            'run catches up.', replace(relation_name, '"', ''), coalesce((
                select string_agg(
                    concat_ws(
                        ', ', 'pid ' || pid, 'user ' || usename, 'application ' || nullif(application_name, ''),
                        'since ' || to_char(timezone('UTC', xact_start), 'YYYY-MM-DD HH24:MI:SS UTC')
                    ), ' and by ' order by pid
                )
                from (
                    select distinct pid, usename, application_name, xact_start
                    from pg_locks
                    inner join pg_stat_activity using (pid)
                    where locktype = 'relation' and pid != pg_backend_pid() and case
                            when statement like 'select%' then mode = 'AccessExclusiveLock'
                            when statement like 'lock%' then mode != 'AccessShareLock'
                            else true
                        end
                        and pg_locks.database = (select oid from pg_database where datname = current_database())
                        and relation in (
                            select to_regclass(relation_name)::oid
                            union all
                            select refobjid from pg_depend
                            where refclassid = 'pg_class'::regclass and objid in (
                                select oid from pg_rewrite where ev_class = to_regclass(relation_name)
                            )
                        )
                ) as holders
            ), 'another session'), seconds
        );
    end $function$;
{% endmacro %}

{#- Made only where it says something else. -#}
{% macro postgres__error_pattern_function(body) %}
    {%- set text = "select " ~ body | trim -%}
    {%- set query -%}
    select prosrc from pg_proc
    where proname = 'error_pattern' and pronamespace = to_regnamespace('{{ internal_schema() }}')
    {%- endset -%}
    {%- if execute and run_query(query).columns[0].values() | list != [text] %}
    create or replace function {{ internal_schema() }}.error_pattern(logged text) returns integer
    language sql immutable parallel safe as $function${{ text }}$function$;
    {%- endif -%}
{% endmacro %}
