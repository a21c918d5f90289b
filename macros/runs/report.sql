{#- The run's window, where it read the log, and what it replaced, in dbt's log. -#}
{% macro report_run() %}
    {%- set log_window, rules = ref('int_log_window'), ref('alert_rules') -%}
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
            rebuild_from > greatest(wanted_from, changed_from) and wanted_from <= watermark as is_cut,
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
            {%- if window.is_cut -%}
                {{ log("The log holds whole days from " ~ window.rebuild_from ~ " on only: the generations and issues "
                       "of the days from " ~ window.changed_from ~ " to the one before stay as they were.",
                       info=true) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {%- if execute and flags.WHICH == 'run' and is_selected('alert_evaluations') and problems_of_rules(rules) -%}
        {%- do exceptions.warn(problems_of_rules(rules) ~ "\nThey were not judged; the others were.") -%}
    {%- endif -%}
    {%- for model, replaced_from, deleted_rows, inserted_rows in entries -%}
        {%- if inserted_rows is none -%}
            {{ log("  %-32s made from nothing" % model, info=true) }}
        {%- elif replaced_from or deleted_rows or inserted_rows -%}
            {%- set days = "from " ~ replaced_from if replaced_from else "rows without a day, or of the future" -%}
            {{ log("  %-32s %s: %s rows replaced by %s" % (model, days, "{:,}".format(deleted_rows),
                   "{:,}".format(inserted_rows)), info=true) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
