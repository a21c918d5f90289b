{#- The journal of replacements. A table that is replaced writes its entry in the strategy replace_days; one that is made anew,
    here, before it is made and in the same transaction. -#}
{% macro journal_new_table() %}
    {%- if execute and config.get('materialized') == 'incremental' and not is_incremental() -%}
        insert into {{ journal() }} (model, replaced_from, run_id)
        values ('{{ this.identifier }}', {{ replaced_from() }}, '{{ invocation_id }}')
    {%- endif -%}
{% endmacro %}

{#- The run's window and what it replaced, in dbt's log. -#}
{% macro report_run() %}
    {%- set window = existing_relation('intermediate', 'int_log_window') if execute and flags.WHICH in ('run', 'build') else none -%}
    {%- set entries = run_query("select model, cast(replaced_from as text), deleted_rows, inserted_rows from " ~ journal()
        ~ " where run_id = '" ~ invocation_id ~ "' order by id").rows if window else [] -%}
    {%- if entries | length -%}
        {%- set told = run_query("select cast(as_of as text), cast(replaced_from as text), cast(wanted_from as text), "
            "cast(watermark as text), replaced_from > wanted_from and wanted_from <= watermark from " ~ window).rows[0] -%}
        {%- if told[1] is none -%}
            {{ log("The log has no usable row" ~ (" since " ~ told[2] if told[2] else "") ~ ": nothing was replaced. The clock is "
                   ~ (told[0] or "not set") ~ ".", info=true) }}
        {%- else -%}
            {{ log("This run rebuilt the days from " ~ told[1] ~ " on, up to " ~ told[0] ~ " UTC.", info=true) }}
            {%- if told[4] -%}
                {{ log("The log holds whole days from " ~ told[1] ~ " on only: the days from " ~ told[2] ~ " to the one before stay as they were.", info=true) }}
            {%- endif -%}
        {%- endif -%}
        {%- for entry in entries -%}
            {{ log("  %-32s %s" % (entry[0], "made anew" if entry[3] is none else
                   "from %s: %s rows replaced by %s" % (entry[1] or "no day", thousands(entry[2]), thousands(entry[3]))), info=true) }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
