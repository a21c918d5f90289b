{#- A run of which hardly a row is used would be green, and its marts empty or old. A hook of int_log_rows: before the
    issues and the fact are made of them. Rows without a day, and those of the future, are read again by every run: what
    the issues have of them already is not held against this one. Days that an hourly run leaves alone count as
    read. -#}
{% macro stop_where_most_is_set_aside() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set issues = none if flags.FULL_REFRESH else existing_relation('marts', 'generation_log_issues') -%}
    {%- set ledger = existing_relation('internal', 'days') if issues else none -%}
    {%- set stands = "(activity_date is null or set_aside_because = 'future_created_at')" -%}
    {%- set query %}
    select
        count(*) filter (where set_aside_because is null) + {% if ledger -%}
        (
            select coalesce(sum(row_count), 0) from {{ ledger }} cross join {{ ref('int_log_window') }} as log_window
            where activity_date >= wanted_from and (rebuild_from is null or activity_date < rebuild_from)
        )
        {%- else %}0{% endif %},
        count(*) filter (where set_aside_because is not null and not {{ stands }}),
        count(*) filter (where set_aside_because is not null and {{ stands }}) - {% if issues -%}
        (
            select coalesce(sum(row_count), 0) from {{ issues }}
            where disposition = 'set_aside' and (activity_date is null or issue = 'future_created_at')
        )
        {%- else %}0{% endif %}
    from {{ this }}
    {%- endset -%}
    {%- set usable, dated, standing = run_query(query).rows[0].values() | map('int') -%}
    {%- set set_aside = dated + [standing, 0] | max -%}
    {%- if set_aside <= var('max_set_aside_share') * (usable + set_aside) -%}{{ return('') }}{%- endif -%}
    {%- set reason, count = run_query("select set_aside_because, count(*) from " ~ this ~ " where set_aside_because is "
        "not null group by 1 order by 2 desc, 1 limit 1").rows[0] -%}
    {{ exceptions.raise_compiler_error("Of the rows that this run reads " ~ "{:,} of {:,}".format(set_aside,
        usable + set_aside) ~ " cannot be counted, most of them (" ~ "{:,}".format(count) ~ ") because of "
        ~ reason ~ sample_of(reason) ~ ": " ~ {
            'unreadable_row': "the line cannot be read",
            'missing_id': "id is missing or no uuid",
            'missing_created_at': "created_at is missing, no timestamp, or before 2000",
            'future_created_at': "created_at is more than five minutes ahead of now",
        }[reason] ~ ". No mart was touched. If it is right so: --vars 'max_set_aside_share: 1'.") }}
{% endmacro %}

{#- Where the first row stands that is set aside for a reason, without a value of it. -#}
{% macro sample_of(reason) %}
    {%- set condition = {
        'unreadable_row': "is_unreadable",
        'missing_id': "not is_unreadable and " ~ as_uuid('id') ~ " is null",
        'missing_created_at': "not is_unreadable and (logged_at is null or logged_at < " ~ earliest_created_at()
            ~ " or not isfinite(logged_at))",
        'future_created_at': "logged_at > " ~ latest_created_at(),
    }[reason] -%}
    {%- set found = run_query(adapter.dispatch('sample_row')(condition)).rows -%}
    {%- if not found -%}{{ return("") }}{%- endif -%}
    {%- set place, file = found[0][0], found[0][1] -%}
    {%- set place = "row " ~ place if place else known_place_of_left_out(file) if file -%}
    {{ return((", such as " ~ place if place else "") ~ ((" of '" if place else " in '") ~ file ~ "'" if file
        else " as the table is read")) }}
{% endmacro %}

{% macro default__sample_row(condition) %}
    select place, null from (
        select log_rows.*, row_number() over () as place
        from ({{ with_time_read('(' ~ log_rows() ~ ') as log_rows') }}) as log_rows
    ) as numbered
    where {{ condition }}
    order by place limit 1
{% endmacro %}

{#- The rows that a reader has left out come last: their place in the log is not that in the file. -#}
{% macro duckdb__sample_row(condition) %}
    {%- set log = source('application', 'generation_logs') -%}
    with numbered as (
        select {{ log_columns() | join(', ') }}, is_unreadable, log_file, logged_at, row_number() over () as place
        from ({{ with_time_read(log) }})
    ),

    found as (
        select log_file, is_unreadable, place from numbered where {{ condition }} order by place limit 1
    ),

    begins as (
        select log_file, min(place) as first_place from numbered group by log_file
    )

    select
        case when not (found.is_unreadable and files.left_out_count > 0) then place - first_place + 1 end,
        found.log_file
    from found
    inner join begins on found.log_file = begins.log_file
    left join {{ log_files_view() }} as files on found.log_file = files.path
{% endmacro %}
