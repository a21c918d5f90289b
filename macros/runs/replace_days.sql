{#- The one incremental strategy: from its first rebuilt day on, a table's days are replaced whole, in one transaction,
    with the table locked; also a day that has become empty. The journal says so in the same transaction. -#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set from = replaced_from() -%}
    {%- set replaced = config.get('meta')['time_column'] ~ " >= " ~ from
        ~ (" or " ~ config.get('meta')['also_replaced'] if config.get('meta').get('also_replaced') else "") -%}
    {{ adapter.dispatch('lock_table')(target) }}
    insert into {{ journal() }} (model, replaced_from, deleted_rows, inserted_rows, run_id)
    select
        '{{ target.identifier }}',
        {{ from }},
        (select count(*) from {{ target }} where {{ replaced }}),
        (select count(*) from {{ arg_dict['temp_relation'] }}),
        '{{ invocation_id }}';
    delete from {{ target }} where {{ replaced }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}

{#- DuckDB has one writing process, and its transactions conflict rather than mix. -#}
{% macro duckdb__lock_table(relation) %}{% endmacro %}
{% macro postgres__lock_table(relation) %}lock table {{ relation }} in exclusive mode;{% endmacro %}

{#- The first day that this run rebuilds in the model that asks. What is made from the log (meta.follows_log) does as the
    run's window says. What is made from fct_generations rebuilds what was replaced there since it was itself replaced
    last, whichever run did it and whether or not that run came to an end; null if nothing was. -#}
{% macro replaced_from() %}
    {%- if execute and config.get('meta').get('follows_log') -%}{{ return(log_replaced_from()) }}{%- endif -%}
    {%- set fact = ref('fct_generations') -%}
    {%- set fact = load_relation(fact) if execute else none -%}
    {%- if not fact -%}{{ return("cast(null as date)") }}{%- endif -%}
    {%- if not is_incremental() -%}
        {%- set from = "select min(activity_date) from " ~ fact -%}
    {%- else -%}
        {%- set from = "select least("
            ~ "(select min(replaced_from) from " ~ journal() ~ " where model = 'fct_generations' and id > " ~ last_replacement(this.identifier) ~ ")"
            ~ (", greatest(" ~ backfill_from() ~ ", (select min(activity_date) from " ~ fact ~ "))" if var('backfill_from') else ", null")
            ~ ")" -%}
    {%- endif -%}
    {{ return(constant(run_query("select cast((" ~ from ~ ") as text)").rows[0][0], 'date')) }}
{% endmacro %}

{% macro backfill_from() %}{{ return("date '" ~ var('backfill_from') | string | replace("'", "") ~ "'") }}{% endmacro %}

{% macro last_replacement(model) %}(select coalesce(max(id), 0) from {{ journal() }} where model = '{{ model }}'){% endmacro %}

{#- What the warehouse holds before this run: the watermark, and from it the first day that the run wants to rebuild. -#}
{% macro built_so_far() %}
    {%- set fact = already_built('marts', 'fct_generations') -%}
    {#- The newest row alone: for the greatest of each column, DuckDB would read both of them whole. Not named, the column to order
        by would be the text on PostgreSQL, and no index serve. -#}
    {%- set newest = run_query("select cast(newest.activity_date as text), cast(newest.created_at as text) from " ~ fact ~ " as newest order by newest.created_at desc limit 1").rows if fact else [] -%}
    {%- set found = newest[0] if newest else [none, none] -%}
    {%- set watermark = constant(found[0], 'date') -%}
    {%- set wanted_from = "date '2000-01-01'" -%}
    {%- set read_from = earliest_created_at() -%}
    {%- set may_keep_days = false -%}
    {%- if found[0] -%}
        {#- the issues are replaced before the fact: a run that was killed in between is caught up as well -#}
        {%- set half_done = "(select min(replaced_from) from " ~ journal() ~ " where model = 'generation_log_issues' and id > "
            ~ last_replacement('fct_generations') ~ ")" -%}
        {%- set wanted = run_query("select cast(cast(least(" ~ watermark ~ " - " ~ var('lookback_days')
            ~ (", " ~ backfill_from() if var('backfill_from') else "") ~ ", " ~ half_done ~ ") as date) as text), " ~ half_done ~ " is null").rows[0] -%}
        {%- set wanted_from = constant(wanted[0], 'date') -%}
        {%- set may_keep_days = wanted[1] and not var('backfill_from') and invocation_args_dict.get('selector') == 'hourly' -%}
        {#- a clock within the lookback makes it look back further -#}
        {%- set read_from = "cast(" ~ wanted_from ~ " - " ~ var('lookback_days') ~ " as timestamp)" -%}
    {%- endif -%}
    {{ return({
        'fact': fact,
        'issues': already_built('marts', 'generation_log_issues'),
        'hours': already_built('marts', 'hourly_engagement'),
        'watermark': watermark,
        'watermark_is_known': found[0] is not none,
        'last_at': constant(found[1], 'timestamp'),
        'wanted_from': wanted_from,
        'read_from': read_from,
        'may_keep_days': may_keep_days,
    }) }}
{% endmacro %}

{#- A relation that is built already and that this run does not make anew; none otherwise. -#}
{% macro already_built(layer, name) %}
    {{ return(none if flags.FULL_REFRESH else existing_relation(layer, name)) }}
{% endmacro %}

{#- A relation as it stands in the database, or none. By name and not by ref(), for those that a model must look at
    although they are made after it, and for a look into the database while a unit test puts its own rows in their place. -#}
{% macro existing_relation(layer, name) %}
    {{ return(adapter.get_relation(target.database, generate_schema_name(layer, none) | trim, name) if execute else none) }}
{% endmacro %}
