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
    {%- if execute and 'fct_generations' in results | selectattr('status', 'equalto', 'success') | map(attribute='node.name') -%}
        {%- set window = run_query("select cast(as_of as text), cast(replaced_from as text), cast(wanted_from as text), "
            "replaced_from > greatest(wanted_from, changed_from) and wanted_from <= watermark, changed_from is null and log_last_at is not null, "
            "cast(changed_from as text), changed_from > wanted_from from " ~ existing_relation('intermediate', 'int_log_window')).rows[0] -%}
        {%- if window[4] -%}
            {{ log("Nothing has changed in the log since " ~ window[2] ~ ": no day was rebuilt. The clock is " ~ window[0] ~ " UTC.", info=true) }}
        {%- elif window[1] is none -%}
            {{ log("The log has no usable row" ~ (" since " ~ window[2] if window[2] else "") ~ ": no day of it was replaced. The clock is "
                   ~ (window[0] or "not set") ~ ".", info=true) }}
        {%- else -%}
            {{ log("This run rebuilt the days from " ~ window[1] ~ " on, up to " ~ window[0] ~ " UTC.", info=true) }}
            {%- if window[3] -%}
                {{ log("The log holds whole days from " ~ window[1] ~ " on only: the generations and issues of the days from "
                       ~ (window[5] if window[6] else window[2]) ~ " to the one before stay as they were.", info=true) }}
            {%- elif window[6] -%}
                {{ log("Nothing has changed in the days from " ~ window[2] ~ " to the one before.", info=true) }}
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

{#- What of the log the fact was made from last, written in the transaction that replaces it. -#}
{% macro remember_read_days() %}
    delete from {{ read_days() }};
    insert into {{ read_days() }} (activity_date, content_hash, as_of)
    select log_days.activity_date, log_days.content_hash, log_window.as_of
    from {{ ref('int_log_days') }} as log_days
    cross join {{ ref('int_log_window') }} as log_window
    where log_days.content_hash is not null
{% endmacro %}
