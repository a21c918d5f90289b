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
        case
            when contains(cast(logged as varchar), ' ')
                then case when not regexp_matches(trim(cast(logged as varchar), ' '), '{{ nothing_pattern() }}')
                    then trim(cast(logged as varchar), ' ') end
            when strlen(cast(logged as varchar)) > 9
                or not regexp_matches(cast(logged as varchar), '{{ nothing_pattern() }}')
                then cast(logged as varchar)
        end
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
            else coalesce(
                cast({{ internal }}.as_uuid(logged) as varchar),
                {{ whole_number_of(internal ~ '.blank_to_null(logged)') }}
            )
        end
    );
    create or replace macro {{ internal }}.as_outcome(logged) as (
        case
            when typeof(logged) = 'BOOLEAN' then try_cast(logged as boolean)
            when regexp_matches(lower({{ internal }}.trimmed(cast(logged as varchar))), '{{ success_pattern() }}')
                then true
            when regexp_matches(lower({{ internal }}.trimmed(cast(logged as varchar))), '{{ failure_pattern() }}')
                then false
        end
    );
    {#- The text, if it is an ISO 8601 date or timestamp, with six digits of the second at most. -#}
    create or replace macro {{ internal }}.iso_timestamp(logged) as (
        regexp_replace(
            case
                when regexp_matches({{ internal }}.trimmed(logged), '{{ iso_timestamp_pattern() }}')
                    then {{ with_iso_offset(internal ~ '.trimmed(logged)') }}
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
    create or replace macro {{ internal }}.is_strict_json(logged) as (
        json_valid(logged) and (
            not regexp_matches(logged, '{{ lax }}|\\u0000')
            or not contains(replace(logged, chr(92) || chr(92), ''), '\u0000')
            and not regexp_matches(regexp_replace(logged, '"(\\.|[^"\\])*"', '""', 'g'), '{{ lax }}')
        )
    );
    create or replace macro {{ internal }}.json_with_quoted_nan(logged) as (
        case
            when {{ internal }}.is_strict_json(logged) then logged
            when regexp_matches(logged, 'NaN|Infinity')
                and {{ internal }}.is_strict_json(regexp_replace(logged, {{ nan_pattern() }}, '\1"NaN"', 'g'))
                then regexp_replace(logged, {{ nan_pattern() }}, '\1"NaN"', 'g')
        end
    );
    {#- A writer may have encoded the document twice. -#}
    create or replace macro {{ internal }}.strict_json(logged) as (
        case
            when not starts_with(ltrim(logged), '"') then {{ internal }}.json_with_quoted_nan(logged)
            when {{ internal }}.is_strict_json(logged) then {{ internal }}.json_with_quoted_nan(logged ->> '$')
        end
    );
    create or replace macro {{ internal }}.document_of(logged, is_plain) as (
        case when is_plain then logged else {{ internal }}.strict_json(logged) end
    );
    create or replace macro {{ internal }}.scalar_text(entry) as (
        case when json_type(entry) not in ('OBJECT', 'ARRAY', 'BOOLEAN', 'NULL') then entry ->> '$' end
    );
    create or replace macro {{ internal }}.plain_name(logged) as (
        case
            when length(logged) <= 100 and regexp_matches(logged, '^[!-~]+( [!-~]+)*$') then lower(logged)
            else {{ plain_name_of('logged') }}
        end
    );
    create or replace macro {{ internal }}.style_name(logged) as (
        {{ internal }}.plain_name({{ words_of('logged') }})
    );
    {#- As on PostgreSQL, a dot is also the end of a line. -#}
    create or replace macro {{ internal }}.matches(logged, pattern) as (regexp_matches(logged, pattern, 'is'));
    {%- set text = namespace(sql=before_scrubbing('logged')) -%}
    {%- for rule in scrubbing_rules() -%}{%- set text.sql = scrubbed_by(rule, text.sql) -%}{%- endfor %}
    create or replace macro {{ internal }}.scrubbed(logged) as ({{ after_scrubbing(text.sql) }});
{% endmacro %}

{#- Members as text, in one pass. Of nearly all documents one pattern tells that they are plain, and so are JSON. -#}
{% macro duckdb__document_functions(document, ways, first, known) %}
    {%- set all, functions = {}, {} -%}
    {%- for value, paths in ways.items() -%}
        {%- set members = {'first': [], 'every': []} -%}
        {%- for path in paths -%}
            {%- set member = '."' ~ path | map('replace', '"', '""') | join('"."') ~ '"' -%}
            {%- if path | length == 2 -%}
                {%- do all.setdefault(path[0], {}).update({path[1]: 'VARCHAR'}) -%}
            {%- else -%}
                {%- do all.update({path[0]: 'VARCHAR'}) -%}
                {%- if path[0] in first -%}{%- do members.first.append('members.first' ~ member) -%}{%- endif -%}
            {%- endif -%}
            {%- do members.every.append('members.every' ~ member) -%}
        {%- endfor -%}
        {%- do functions.update({document ~ '_' ~ value: {
            'arguments': {'members': 'record', 'is_plain': 'boolean'},
            'body': "case when is_plain then coalesce(" ~ members.first | join(', ') | default('null', true)
                ~ ") else coalesce(" ~ members.every | join(', ') | default('null', true) ~ ") end",
        }}) -%}
    {%- endfor -%}
    {%- set member = '"(?:' ~ first | map('replace', '.', '[.]') | join('|')
        ~ ')": ?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:e-[0-9]+)?' -%}
    {{ return(dict(functions, **{
        document ~ '_are_plain': {'arguments': {'logged': 'text'}, 'body':
            "regexp_matches(logged, " ~ quoted('^[{]' ~ member ~ '(?:, ?' ~ member ~ ')*[}]$') ~ ")"},
        document ~ '_members': {'arguments': {'document': 'text', 'is_plain': 'boolean'}, 'body':
            "struct_pack(first := case when is_plain then json_transform(document, "
            ~ quoted(tojson(dict.fromkeys(first, 'VARCHAR'))) ~ ") end, every := case when not is_plain then "
            "json_transform(document, " ~ quoted(tojson(all or {'none': 'VARCHAR'})) ~ ") end)"},
        document ~ '_have_others': {'arguments': {'document': 'text', 'is_plain': 'boolean'}, 'body':
            "case when not is_plain and json_type(document) = 'OBJECT' then not list_has_all([" ~ literals(known)
            ~ "], json_keys(document)) end"},
    })) }}
{% endmacro %}

{#- Made where this run has not made the same before: the file is its alone. -#}
{% macro duckdb__make_functions(functions) %}
    {%- set known = known_of_run() -%}
    {%- for name, function in functions.items() if known.get('function ' ~ name) != function.body %}
    create or replace macro {{ internal_schema() }}.{{ name }}({{ function.arguments | join(', ') }}) as (
        {{ function.body }}
    );
        {%- do known.update({'function ' ~ name: function.body}) -%}
    {%- endfor -%}
{% endmacro %}

{#- In blocks: most messages hold no pattern of most blocks. -#}
{% macro duckdb__pattern_function(name, patterns) %}
    {%- set body %}
        case
            {%- for block in patterns | batch(10) %}
            when {{ matches_pattern(block | map(attribute=1) | join('|')) }} then case
                {%- for position, pattern in block %}
                when {{ matches_pattern(pattern) }} then {{ position }}
                {%- endfor %}
            end
            {%- else %}
            when false then 0
            {%- endfor %}
        end
    {%- endset -%}
    {{ duckdb__make_functions({name: {'arguments': {'logged': 'text'}, 'body': body}}) if execute }}
{% endmacro %}
