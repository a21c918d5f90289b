{#- Every variable, and what the environment says, before anything is touched: a wrong one would end in an engine's
    error half-way, or in numbers of nonsense. -#}
{% macro check_settings() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set wrong = [] -%}
    {%- for name, least, most in [
        ('lookback_days', 0, 3650), ('max_rebuilt_days', 0, 3650), ('log_retention_days', 1, 36500),
        ('user_memory_days', 1, 36500),
        ('wait_for_other_run_seconds', 0, 86400), ('alert_settle_minutes', 0, 1440), ('alert_first_hours', 1, 8760),
        ('min_difficulty', 0, 1000000), ('max_difficulty', 0, 1000000), ('share_min_users', 0, 1000000),
    ] if var(name) is not integer or var(name) is boolean or not least <= var(name) <= most -%}
        {%- do wrong.append([name, "an integer from " ~ least ~ " to " ~ most]) -%}
    {%- endfor -%}
    {%- for name, least, most in [
        ('max_deleted_share', 0, 1), ('max_trimmed_share', 0, 1), ('max_set_aside_share', 0, 1),
        ('lock_timeout_seconds', 0.1, 3600),
        ('max_cost_usd', 0.000001, 100000000000),
    ] if var(name) is not number or var(name) is boolean or not least <= var(name) <= most -%}
        {%- do wrong.append([name, "a number from " ~ least ~ " to " ~ most]) -%}
    {%- endfor -%}
    {%- for name in ['lose_history', 'strict'] if var(name) is not boolean -%}
        {%- do wrong.append([name, "true or false"]) -%}
    {%- endfor -%}
    {%- if var('log_timezone') not in modules.pytz.all_timezones -%}
        {%- do wrong.append(['log_timezone', "the name of a time zone, such as Europe/Berlin"]) -%}
    {%- endif -%}
    {%- if var('backfill_from') is not none and not is_time(var('backfill_from'), only_date=true) -%}
        {%- do wrong.append(['backfill_from', "a date, such as 2026-05-01"]) -%}
    {%- endif -%}
    {%- if var('log_begins_on') is not none and not is_time(var('log_begins_on'), only_date=true) -%}
        {%- do wrong.append(['log_begins_on', "a date, such as 2026-05-01"]) -%}
    {%- endif -%}
    {%- if as_of_is_timestamp() and not is_time(var('as_of')) -%}
        {%- do wrong.append(['as_of', "now, or a time in UTC without an offset, such as '2026-05-31 12:00:00'"]) -%}
    {%- endif -%}
    {%- if not wrong and var('min_difficulty') > var('max_difficulty') -%}
        {%- do wrong.append(['min_difficulty', "at most max_difficulty, which is " ~ var('max_difficulty')]) -%}
    {%- endif -%}
    {%- set messages = [] -%}
    {%- for name, right in wrong -%}
        {%- set value = var(name) -%}
        {%- set shown = "the text '" ~ value ~ "'" if value is string else value -%}
        {%- do messages.append("The variable " ~ name ~ " is " ~ shown ~ "; it should be " ~ right ~ ".") -%}
    {%- endfor -%}
    {%- if not modules.re.match('[a-z_][a-z0-9_]{0,45}$', target.schema) -%}
        {%- do messages.append("The prefix of the schemas (WAREHOUSE_SCHEMA) is '" ~ target.schema ~ "'; it should be "
            "of small letters, digits and _, at most 46, and not begin with a digit.") -%}
    {%- endif -%}
    {%- for name in ['GENERATION_LOGS_SCHEMA', 'GENERATION_LOGS_TABLE'] if '"' in env_var(name, '') -%}
        {%- do messages.append(name ~ " holds a quotation mark; it should be a name.") -%}
    {%- endfor -%}
    {#- dbt would show each model and hook a part of what it reads: the run would replace days by that part -#}
    {%- for option, is_set in [('--empty', flags.EMPTY), ('--sample', invocation_args_dict.get('sample'))] if is_set -%}
        {%- do messages.append("With dbt's option " ~ option ~ " tables of a part of the log, or of none, would take "
            "the place of what is built. To try a change, build into another database, from a log of few rows: "
            "WAREHOUSE_DUCKDB=try.duckdb dbt build.") -%}
    {%- endfor -%}
    {%- if messages -%}
        {{ exceptions.raise_compiler_error(messages | join(' ') ~ " Nothing was touched.") }}
    {%- endif -%}
{% endmacro %}

{#- Is it a date that the calendar has, with a time of day or without? -#}
{% macro is_time(value, only_date=false) %}
    {%- set form = '(\\d{4})-(\\d\\d)-(\\d\\d)([ T](\\d\\d):(\\d\\d)(:(\\d\\d)(\\.\\d{1,6})?)?)?$' -%}
    {%- set found = modules.re.match(form, value | string) -%}
    {%- if not found or only_date and found.group(4) -%}{{ return(false) }}{%- endif -%}
    {%- set year, month, day = found.group(1) | int, found.group(2) | int, found.group(3) | int -%}
    {%- if not (1 <= year <= 9998 and 1 <= month <= 12) -%}{{ return(false) }}{%- endif -%}
    {%- set last = modules.datetime.date(year + month // 12, month % 12 + 1, 1) - modules.datetime.timedelta(days=1) -%}
    {{ return(1 <= day <= last.day and (found.group(5) or 0) | int < 24 and (found.group(6) or 0) | int < 60
        and (found.group(8) or 0) | int < 60) }}
{% endmacro %}
