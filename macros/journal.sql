{#- The journal of replacements. A table that is replaced writes its entry in the strategy replace_days; one that is made anew,
    here, before it is made and in the same transaction. -#}
{% macro journal_new_table() %}
    {%- if execute and config.get('incremental_strategy') == 'replace_days' and config.get('materialized') == 'incremental' and not is_incremental() -%}
        insert into {{ journal() }} (model, replaced_from, run_id)
        values ('{{ this.identifier }}', {{ replaced_from() }}, '{{ invocation_id }}')
    {%- endif -%}
{% endmacro %}

{#- The run's window, where it read the log, and what it replaced, in dbt's log. -#}
{% macro report_run() %}
    {%- set entries = run_query("select model, cast(replaced_from as text), deleted_rows, inserted_rows from " ~ journal()
        ~ " where run_id = '" ~ invocation_id ~ "' order by id").rows if execute and flags.WHICH in ('run', 'build') else [] -%}
    {%- if 'fct_generations' in entries | map(attribute=0) -%}
        {%- set window = run_query("select cast(as_of as text), cast(replaced_from as text), cast(wanted_from as text), "
            "replaced_from > wanted_from and wanted_from <= watermark from " ~ existing_relation('intermediate', 'int_log_window')).rows[0] -%}
        {%- if window[1] is none -%}
            {{ log("The log has no usable row" ~ (" since " ~ window[2] if window[2] else "") ~ ": no day of it was replaced. The clock is "
                   ~ (window[0] or "not set") ~ ".", info=true) }}
        {%- else -%}
            {{ log("This run rebuilt the days from " ~ window[1] ~ " on, up to " ~ window[0] ~ " UTC.", info=true) }}
            {%- if window[3] -%}
                {{ log("The log holds whole days from " ~ window[1] ~ " on only: the generations and issues of the days from " ~ window[2]
                       ~ " to the one before stay as they were.", info=true) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {%- for model, replaced_from, deleted_rows, inserted_rows in entries -%}
        {%- if inserted_rows is none -%}
            {{ log("  %-32s made anew" % model, info=true) }}
        {%- elif replaced_from or deleted_rows or inserted_rows -%}
            {{ log("  %-32s %s: %s rows replaced by %s" % (model, "from " ~ replaced_from if replaced_from else "rows without a day, or of the future",
                   thousands(deleted_rows), thousands(inserted_rows)), info=true) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
