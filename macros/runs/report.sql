{#- The run's window, where it read the log, and what it replaced, in dbt's log. -#}
{% macro report_run() %}
    {%- set log_window, rules, trimmed = ref('int_log_window'), ref('alert_rules'), trimmed_days_out_of_reach() -%}
    {%- set entries = run_query("select model, cast(replaced_from as text), deleted_rows, inserted_rows from "
        ~ journal() ~ " where run_id = '" ~ invocation_id ~ "' order by id").rows
        if execute and flags.WHICH in ('run', 'build') and existing_relation('internal', 'replacements') else [] -%}
    {%- if execute and 'fct_generations' in results | selectattr('status', 'equalto', 'success')
        | map(attribute='node.name') -%}
        {%- set query %}
        select
            cast(as_of as text) as as_of, cast(wanted_from as text) as wanted_from,
            cast(changed_from as text) as changed_from, cast(rebuild_from as text) as rebuild_from,
            changed_from > wanted_from as has_kept_days,
            rebuild_from > changed_from and changed_from <= watermark as is_cut,
            changed_from is null and log_last_at is not null as is_unchanged
        from {{ log_window }}
        {%- endset -%}
        {%- set window = run_query(query).rows[0] -%}
        {%- if window.is_unchanged -%}
            {{ log("Nothing has changed in the log since " ~ window.wanted_from ~ ": no day was rebuilt. The clock is "
                   ~ window.as_of ~ " UTC.", info=true) }}
        {%- elif window.rebuild_from is none -%}
            {{ log("The log has no usable row" ~ (" since " ~ window.wanted_from if window.wanted_from else "")
                   ~ ": no day of it was replaced. The clock is "
                   ~ (window.as_of ~ " UTC" if window.as_of else "not set") ~ ".", info=true) }}
        {%- else -%}
            {{ log("This run rebuilt the days from " ~ window.rebuild_from ~ " on, up to " ~ window.as_of
                   ~ " UTC.", info=true) }}
            {%- if window.has_kept_days -%}
                {{ log("Nothing has changed in the days from " ~ window.wanted_from ~ " to the one before "
                       ~ window.changed_from ~ ".", info=true) }}
            {%- endif -%}
            {%- set found = run_query("select count(*), cast(min(activity_date) as text) from (" ~ trimmed
                ~ ") as trimmed").rows[0] if which_run() != 'hourly' else [0] -%}
            {%- if found[0] -%}
                {{ log("The log holds days whose generations were trimmed, and that log_retention_days admits again: "
                       ~ found[0] ~ " from " ~ found[1] ~ " on. They are older than max_rebuilt_days. What brings them "
                       "back: dbt build --vars 'backfill_from: " ~ found[1] ~ "'", info=true) }}
            {%- endif -%}
            {%- if window.is_cut -%}
                {{ log("The log holds whole days from " ~ window.rebuild_from ~ " on only: the generations and issues "
                       "of the days from " ~ window.changed_from ~ " to the one before stay as they were.",
                       info=true) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {%- for message in messages_of_days(log_window) -%}{{ log(message, info=true) }}{%- endfor -%}
    {%- if execute and flags.WHICH == 'run' and is_selected('alert_evaluations') and problems_of_rules(rules) -%}
        {%- do exceptions.warn(problems_of_rules(rules) ~ "\nThey were not judged; the others were.") -%}
    {%- endif -%}
    {%- set by_days = models_replaced_by_days() | map(attribute='name') | list if execute else [] -%}
    {%- for model, replaced_from, deleted_rows, inserted_rows in entries if model in by_days -%}
        {%- if inserted_rows is none -%}
            {{ log("  %-32s made from nothing" % model, info=true) }}
        {%- elif replaced_from or deleted_rows or inserted_rows -%}
            {%- set days = "from " ~ replaced_from if replaced_from else "rows without a day, or of the future" -%}
            {{ log("  %-32s %s: %s rows replaced by %s" % (model, days, "{:,}".format(deleted_rows),
                   "{:,}".format(inserted_rows)), info=true) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#- What the comparison of days found beyond the lookback, and what it kept. -#}
{% macro messages_of_days(log_window) %}
    {%- set messages, days = [], existing_relation('intermediate', 'int_log_days') -%}
    {%- if not days or 'int_log_days' not in results | selectattr('status', 'equalto', 'success')
        | map(attribute='node.name') -%}
        {{ return(messages) }}
    {%- endif -%}
    {%- set query %}
    select cast(activity_date as text), known_row_count, row_count, is_held_back from {{ days }}
    cross join {{ log_window }} as log_window
    where (is_held_back or is_changed and activity_date < wanted_from and activity_date >= rebuild_from)
        and known_row_count != row_count
        and (log_first_at is null or activity_date > cast(log_first_at as date))
    order by activity_date
    {%- endset -%}
    {%- for held_back in [false, true] -%}
        {%- set found = [] -%}
        {%- for day, known, now, is_held_back in run_query(query).rows if is_held_back == held_back -%}
            {%- do found.append(day ~ " (" ~ "{:,} rows, now {:,})".format(known, now)) -%}
        {%- endfor -%}
        {%- set more = ", and " ~ (found | length - 10) ~ " more days" if found | length > 10 else "" -%}
        {%- if found and held_back -%}
            {%- do messages.append("The log has lost many rows of days that the warehouse keeps as they are: "
                ~ found[:10] | join(', ') ~ more ~ ". The next daily run that sees the same replaces them; at once: "
                "dbt build --vars 'backfill_from: " ~ found[0][:10] ~ "'") -%}
        {%- elif found -%}
            {%- do messages.append("Older days have changed in the log and were rebuilt: " ~ found[:10] | join(', ')
                ~ more ~ ".") -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(messages) }}
{% endmacro %}

{#- A query: the days that a shorter retention has trimmed, that the log holds whole and the retention admits again, and
    that are too old for a run to compare (max_rebuilt_days). -#}
{% macro trimmed_days_out_of_reach() %}
    {%- set log, ledger = ref('stg_generation_log_times'), ref('days') -%}
    {%- set fact, issues, log_window = ref('fct_generations'), ref('generation_log_issues'), ref('int_log_window') %}
    select ledger.activity_date from {{ ledger }} as ledger
    {%- if var('max_rebuilt_days') >= var('log_retention_days') - 1 %}
    where false
    {%- else %}
    where ledger.activity_date < (select max(activity_date) from {{ ledger }}) - {{ var('max_rebuilt_days') }}
        and ledger.activity_date > (select cast(as_of as date) from {{ log_window }}) - {{ var('log_retention_days') }}
        and ledger.activity_date not in (select activity_date from {{ fact }})
        and ledger.activity_date not in (select activity_date from {{ issues }} where activity_date is not null)
        and ledger.activity_date in (
            select cast(created_at as date) from {{ log }} where created_at >= {{ earliest_created_at() }}
        )
        and ledger.first_at >= (select min(created_at) from {{ log }} where created_at >= {{ earliest_created_at() }})
    {%- endif %}
{%- endmacro %}
