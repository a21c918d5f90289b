{#- How PostgreSQL reads a value of the log: the functions of functions_duckdb.sql under the same names. There is one
    for each type that a column may have, so that the models need not know which it is. The plain ones are inlined by
    the planner, and an index on created_at serves; those that take text must catch what is malformed. -#}
{% macro postgres__functions() %}
    {%- set internal = internal_schema() %}
    create or replace function {{ internal }}.trimmed(logged text) returns text
    language sql immutable parallel safe as $function$ select trim(logged, ' ') $function$;
    create or replace function {{ internal }}.blank_to_null(logged text) returns text
    language sql immutable parallel safe as $function$
        select case
            when length(trim(logged, ' ')) > 9 or trim(logged, ' ') !~ '{{ nothing_pattern() }}' then trim(logged, ' ')
        end
    $function$;
    create or replace function {{ internal }}.blank_to_null(logged jsonb) returns jsonb
    language sql immutable parallel safe as $function$ select nullif(logged, 'null') $function$;
    create or replace function {{ internal }}.blank_to_null(logged json) returns text
    language sql immutable parallel safe as $function$ select {{ internal }}.blank_to_null(logged::text) $function$;
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
        select coalesce(
            {{ internal }}.as_uuid(logged)::text, {{ whole_number_of(internal ~ '.blank_to_null(logged)') }}
        )
    $function$;
    create or replace function {{ internal }}.as_outcome(logged boolean) returns boolean
    language sql immutable parallel safe as 'select logged';
    {%- for type in ['text', 'integer', 'bigint', 'numeric', 'double precision'] %}
    create or replace function {{ internal }}.as_outcome(logged {{ type }}) returns boolean
    language sql immutable parallel safe as $function$
        select case
            when lower(trim(logged::text, ' ') collate "C") ~ '{{ success_pattern() }}' then true
            when lower(trim(logged::text, ' ') collate "C") ~ '{{ failure_pattern() }}' then false
        end
    $function$;
    {%- endfor %}
    create or replace function {{ internal }}.as_utc(logged timestamp) returns timestamp
    language sql immutable parallel safe as
    {%- if var('log_timezone') == 'UTC' %} 'select logged';
    {%- else %} $function$ select timezone('UTC', timezone('{{ var("log_timezone") }}', logged)) $function$;
    {%- endif %}
    create or replace function {{ internal }}.as_utc(logged timestamptz) returns timestamp
    language sql immutable parallel safe as $function$ select timezone('UTC', logged) $function$;
    create or replace function {{ internal }}.as_utc(logged date) returns timestamp
    language sql immutable parallel safe as $function$ select {{ internal }}.as_utc(logged::timestamp) $function$;
    {#- PostgreSQL has no cast that gives null. A date is checked before: an error to be caught costs much more. -#}
    create or replace function {{ internal }}.as_utc(logged text) returns timestamp
    language plpgsql immutable parallel safe as $function$
    declare
        instant text := regexp_replace(
            case when trim(logged, ' ') ~ '{{ iso_timestamp_pattern() }}'
                then {{ with_iso_offset("trim(logged, ' ')") }} end,
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
    create or replace function {{ internal }}.usable_number(logged jsonb, highest numeric) returns numeric
    language sql immutable parallel safe as $function$
        select case jsonb_typeof(logged)
            when 'number' then {{ internal }}.usable_number(logged::numeric, highest)
            when 'string' then {{ internal }}.usable_number(logged #>> '{}', highest)
        end
    $function$;
    create or replace function {{ internal }}.json_with_quoted_nan(logged text) returns jsonb
    language plpgsql immutable as $function$
    begin
        return logged::jsonb;
    exception when others then
        begin
            return case when logged ~ 'NaN|Infinity'
                then regexp_replace(logged, {{ nan_pattern() }}, '\1"NaN"', 'g')::jsonb end;
        exception when others then
            return null;
        end;
    end $function$;
    {#- A writer may have encoded the document twice. -#}
    create or replace function {{ internal }}.strict_json(logged jsonb) returns jsonb
    language sql immutable parallel safe as $function$
        select case when jsonb_typeof(logged) != 'string' then logged
            else {{ internal }}.json_with_quoted_nan(logged #>> '{}') end
    $function$;
    create or replace function {{ internal }}.strict_json(logged text) returns jsonb
    language sql immutable as $function$
        select {{ internal }}.strict_json({{ internal }}.json_with_quoted_nan(logged))
    $function$;
    create or replace function {{ internal }}.strict_json(logged json) returns jsonb
    language sql immutable parallel safe as $function$ select {{ internal }}.strict_json(logged::text) $function$;
    {%- for type in ['json', 'text'] %}{% for document in ['costs', 'tokens', 'timings'] %}
    create or replace function {{ internal }}.{{ document }}_are_plain(logged {{ type }}) returns boolean
    language sql immutable parallel safe as 'select false';
    {%- endfor %}{% endfor %}
    {%- for type in ['jsonb', 'json', 'text'] %}
    create or replace function {{ internal }}.document_of(logged {{ type }}, is_plain boolean) returns jsonb
    language sql immutable as $function$ select {{ internal }}.strict_json(logged) $function$;
    {%- endfor %}
    create or replace function {{ internal }}.scalar_text(entry jsonb) returns text
    language sql immutable parallel safe as $function$
        select case when jsonb_typeof(entry) in ('string', 'number') then entry #>> '{}' end
    $function$;
    create or replace function {{ internal }}.plain_name(logged text) returns text
    language sql immutable parallel safe as $function$
        select case
            when length(logged) <= 100 and logged ~ '^[!-~]+( [!-~]+)*$' then lower(logged collate "C")
            else {{ plain_name_of('logged') }}
        end
    $function$;
    create or replace function {{ internal }}.style_name(logged text) returns text
    language sql immutable parallel safe as $function$
        select {{ internal }}.plain_name({{ words_of('logged') }})
    $function$;
    create or replace function {{ internal }}.matches(logged text, pattern text) returns boolean
    language sql immutable parallel safe as 'select logged ~* pattern';
    {#- A session keeps 32 compiled patterns; to compile one costs much more than to see that it can find nothing. -#}
    create or replace function {{ internal }}.scrubbed(logged text) returns text
    language plpgsql immutable parallel safe as $function$
    declare
        scrubbed text := {{ before_scrubbing('logged') }};
        lowered text := lower(scrubbed collate "C");
    begin
        {%- for rule in scrubbing_rules() %}
        if {% for part in rule.needed or [] %}strpos(lowered, '{{ part }}') > 0{{ ' or ' if not loop.last }}
            {%- else %}true{% endfor %} then
            scrubbed := {{ scrubbed_by(rule, 'scrubbed') }};
        end if;
        {%- endfor %}
        return {{ after_scrubbing('scrubbed') }};
    end $function$;

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

{#- Members as jsonb, of which each is looked up by its key. -#}
{% macro postgres__document_functions(document, ways, first, known) %}
    {%- set functions = {} -%}
    {%- for value, paths in ways.items() -%}
        {%- set members = {'first': [], 'every': []} -%}
        {%- for path in paths -%}
            {%- set member -%}
            nullif(members -> '{{ path | map('replace', "'", "''") | join("' -> '") }}', 'null')
            {%- endset -%}
            {%- do members.every.append(member) -%}
            {%- if path[0] in first and path | length == 1 -%}{%- do members.first.append(member) -%}{%- endif -%}
        {%- endfor -%}
        {%- do functions.update({document ~ '_' ~ value: {
            'arguments': {'members': 'jsonb', 'is_plain': 'boolean'}, 'type': 'jsonb',
            'body': "case when is_plain then coalesce(" ~ members.first | join(', ') | default('null::jsonb', true)
                ~ ") else coalesce(" ~ members.every | join(', ') | default('null::jsonb', true) ~ ") end",
        }}) -%}
    {%- endfor -%}
    {{ return(dict(functions, **{
        document ~ '_are_plain': {'arguments': {'document': 'jsonb'}, 'type': 'boolean',
            'body': "case when jsonb_typeof(document) = 'object' then document - array[" ~ literals(first)
                ~ "] = '{}' else false end"},
        document ~ '_members': {'arguments': {'document': 'jsonb', 'is_plain': 'boolean'}, 'type': 'jsonb',
            'body': "document"},
        document ~ '_have_others': {'arguments': {'document': 'jsonb', 'is_plain': 'boolean'}, 'type': 'boolean',
            'body': "case when not is_plain and jsonb_typeof(document) = 'object' then document - array["
                ~ literals(known) ~ "] != '{}' end"},
    })) }}
{% endmacro %}

{#- Made only where they say something else. -#}
{% macro postgres__make_functions(functions) %}
    {%- set query -%}
    select proname || ' ' || prosrc from pg_proc
    where pronamespace = to_regnamespace('{{ internal_schema() }}')
    {%- endset -%}
    {%- set found = run_query(query).columns[0].values() | list -%}
    {%- for name, function in functions.items() if name ~ ' select ' ~ function.body not in found %}
        {%- set arguments = [] -%}
        {%- for argument, type in function.arguments.items() -%}{%- do arguments.append(argument ~ ' ' ~ type) -%}
        {%- endfor %}
    create or replace function {{ internal_schema() }}.{{ name }}({{ arguments | join(', ') }})
    returns {{ function.type }} language sql immutable parallel safe as $function$select {{ function.body }}$function$;
    {%- endfor -%}
{% endmacro %}

{#- Made only where it says something else. A session keeps 32 compiled patterns, and each is slow: so a pattern is
    asked only where the message holds one of the words that it cannot do without. -#}
{% macro postgres__pattern_function(name, patterns) %}
    {%- set text %}
    declare
        lowered text := lower(logged collate "C");
    begin
        return case
            {%- for position, pattern in patterns %}
            when (
                {%- for word in words_needed_by(pattern) %}
                {%- if not loop.first %} or {% endif %}strpos(lowered, '{{ word | replace("'", "''") }}') > 0
                {%- else %}true
                {%- endfor %}) and {{ matches_pattern(pattern) }} then {{ position }}
            {%- else %}
            when false then 0
            {%- endfor %}
        end;
    end
    {%- endset -%}
    {%- set query -%}
    select prosrc from pg_proc
    where proname = '{{ name }}' and pronamespace = to_regnamespace('{{ internal_schema() }}')
    {%- endset -%}
    {%- if execute and run_query(query).columns[0].values() | list != [text] %}
    create or replace function {{ internal_schema() }}.{{ name }}(logged text) returns integer
    language plpgsql immutable parallel safe as $function${{ text }}$function$;
    {%- endif -%}
{% endmacro %}

{#- Words in small letters, one of which is in every text that a pattern matches; none where that cannot be told. Of
    each alternative the longest run of letters outside of groups, else a group of plain alternatives. -#}
{% macro words_needed_by(pattern) %}
    {%- set re, letter, is_needed = modules.re, "[a-zA-Z0-9 _\\-'\":;,/<>=@#%&!~`]", '(?![?*{])' -%}
    {#- escapes, sets and groups within groups are any letter here, and each count the same -#}
    {%- set found = namespace(words=[], is_known=true, longest='',
        rest=re.sub('\\{[^}]*\\}', '{', re.sub('\\\\.|\\[[^]]*\\]', '.', pattern))) -%}
    {%- for _ in range(pattern.count('(')) -%}
        {%- set found.rest = re.sub('(\\([^()]*)\\([^()]*\\)', '\\1.', found.rest) -%}
    {%- endfor -%}
    {%- for alternative in re.split('\\|(?![^()]*\\))', found.rest) -%}
        {%- set found.longest = '' -%}
        {%- for run in re.findall(letter ~ '+' ~ is_needed, re.sub('\\([^()]*\\)', '.', alternative)) -%}
            {%- if run | length > found.longest | length -%}{%- set found.longest = run -%}{%- endif -%}
        {%- endfor -%}
        {%- set choices = [[found.longest]] -%}
        {%- for group in re.findall('\\(((?:' ~ letter ~ '|\\|)*)\\)' ~ is_needed, alternative) -%}
            {%- do choices.append(group.split('|')) -%}
        {%- endfor -%}
        {%- set usable = [] -%}
        {%- for each in choices if each | map('length') | min >= 3 -%}{%- do usable.append(each) -%}{%- endfor -%}
        {%- set found.words = found.words + (usable | first | default([])) -%}
        {%- set found.is_known = found.is_known and usable | length > 0 -%}
    {%- endfor -%}
    {#- a set that holds its own end, and characters by number, are not read above -#}
    {%- set is_odd = re.search('\\\\[xuUc0-9]|\\[\\^?\\]|\\[[^]]*\\\\\\]', pattern) is not none -%}
    {{ return(found.words | map('lower') | unique | list if found.is_known and not is_odd else []) }}
{% endmacro %}
