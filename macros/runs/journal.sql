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
        {%- set window = run_query(
            "select cast(as_of as text) as as_of, cast(wanted_from as text) as wanted_from, cast(changed_from as text) as changed_from, "
            "cast(replaced_from as text) as replaced_from, changed_from > wanted_from as has_kept_days, "
            "replaced_from > greatest(wanted_from, changed_from) and wanted_from <= watermark as is_cut, "
            "changed_from is null and log_last_at is not null as is_unchanged from " ~ existing_relation('intermediate', 'int_log_window')).rows[0] -%}
        {%- if window['is_unchanged'] -%}
            {{ log("Nothing has changed in the log since " ~ window['wanted_from'] ~ ": no day was rebuilt. The clock is " ~ window['as_of'] ~ " UTC.", info=true) }}
        {%- elif window['replaced_from'] is none -%}
            {{ log("The log has no usable row" ~ (" since " ~ window['wanted_from'] if window['wanted_from'] else "") ~ ": no day of it was replaced. The clock is "
                   ~ (window['as_of'] or "not set") ~ ".", info=true) }}
        {%- else -%}
            {{ log("This run rebuilt the days from " ~ window['replaced_from'] ~ " on, up to " ~ window['as_of'] ~ " UTC.", info=true) }}
            {%- if window['has_kept_days'] -%}
                {{ log("Nothing has changed in the days from " ~ window['wanted_from'] ~ " to the one before " ~ window['changed_from'] ~ ".", info=true) }}
            {%- endif -%}
            {%- if window['is_cut'] -%}
                {{ log("The log holds whole days from " ~ window['replaced_from'] ~ " on only: the generations and issues of the days from "
                       ~ window['changed_from'] ~ " to the one before stay as they were.", info=true) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {%- for model, replaced_from, deleted_rows, inserted_rows in entries -%}
        {%- if inserted_rows is none -%}
            {{ log("  %-32s made anew" % model, info=true) }}
        {%- elif replaced_from or deleted_rows or inserted_rows -%}
            {{ log("  %-32s %s: %s rows replaced by %s" % (model, "from " ~ replaced_from if replaced_from else "rows without a day, or of the future",
                   "{:,}".format(deleted_rows), "{:,}".format(inserted_rows)), info=true) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#- What of the log the fact was made from last, written in the transaction that replaces it. Known only of a run that has read
    the rows itself: those that an earlier run left need not be the ones that were summed up. -#}
{% macro remember_read_days() %}
    delete from {{ read_days() }};
    {%- set chosen = graph.nodes.values() | selectattr('unique_id', 'in', selected_resources) | map(attribute='name') | list if execute else [] %}
    insert into {{ read_days() }} (activity_date, content_hash, as_of)
    select log_days.activity_date, log_days.content_hash, log_window.as_of
    from {{ ref('int_log_days') }} as log_days
    cross join {{ ref('int_log_window') }} as log_window
    where log_days.content_hash is not null
        and {{ 'int_log_window' in chosen and 'int_log_rows' in chosen }}
{% endmacro %}
