{#- The days that a run rebuilds. int_log_window decides for what is made from the log; what is made from
    fct_generations follows the journal of what was replaced there. -#}

{#- Where a run's look at the log begins: the lookback before the newest day of the ledger, or earlier for a backfill,
    or where a run was killed after it had replaced the issues and before the fact. -#}
{% macro wanted_days() %}
    {%- set ledger, journal, backfill = ref('days'), ref('replacements'), constant(var('backfill_from'), 'date') -%}
    {%- set fact = none if flags.FULL_REFRESH else existing_relation('marts', 'fct_generations') -%}
    {%- set query %}
    with half_done as (
        select min(replaced_from) as day from {{ journal }}
        where model = 'generation_log_issues' and id > {{ last_replacement('fct_generations') }}
    )
    select
        cast(least(max(activity_date) - {{ var('lookback_days') }}, {{ backfill }}, max(half_done.day)) as text),
        max(half_done.day) is null
    from {{ ledger }} cross join half_done
    {%- endset -%}
    {%- set found = run_query(query).rows[0] if fact else [none, none] -%}
    {%- set first = constant(found[0][:10] if found[0] else '2000-01-01', 'date') -%}
    {#- a clock within the lookback makes a run look back further -#}
    {{ return({
        'are_known': found[0] is not none,
        'first': first,
        'read_from': "cast(" ~ first ~ " - " ~ var('lookback_days') ~ " as timestamp)" if found[0]
            else earliest_created_at(),
        'may_be_left_alone': found[0] is not none and found[1] and not var('backfill_from') and which_run() == 'hourly',
    }) }}
{% endmacro %}

{#- The span of the log that int_log_window wants, as constants: the days from the first rebuilt one up to the clock,
    and the time of the run, after which a row is of the future. -#}
{% macro log_span() %}
    {{ return(constants_of(ref('int_log_window'), {
        'rebuild_from': 'date', 'as_of': 'timestamp', 'run_at': 'timestamp',
    })) }}
{% endmacro %}

{#- The first day that this run rebuilds in the model that asks; null if there is none. What is made from the log
    (meta.follows_log) does as the window says. What is made from fct_generations rebuilds what was replaced there since
    it was itself replaced last, whichever run did it and whether or not that run came to an end. -#}
{% macro rebuild_from() %}
    {%- if execute and config.get('meta', {}).get('follows_log') -%}{{ return(log_span().rebuild_from) }}{%- endif -%}
    {%- set journal, fact = ref('replacements'), ref('fct_generations') -%}
    {%- set fact = load_relation(fact) if execute else none -%}
    {%- if not fact -%}{{ return(constant(none, 'date')) }}{%- endif -%}
    {%- set begins = "select min(activity_date) from " ~ fact -%}
    {%- if not is_incremental() -%}{{ return(constant_of(begins, 'date')) }}{%- endif -%}
    {%- set backfilled = "greatest(" ~ constant(var('backfill_from'), 'date') ~ ", (" ~ begins ~ "))"
        if var('backfill_from') else "null" -%}
    {%- set replaced = "(select min(replaced_from) from " ~ journal ~ " where model = 'fct_generations' and id > "
        ~ last_replacement(this.identifier) ~ ")" -%}
    {{ return(constant_of("select least(" ~ replaced ~ ", " ~ backfilled ~ ")", 'date')) }}
{% endmacro %}

{% macro last_replacement(model) -%}
    (select coalesce(max(id), 0) from {{ journal() }} where model = '{{ model }}')
{%- endmacro %}

{#- The first hour, day or window that a mart which has a row for every one is to make: where this run starts to
    replace, or after the mart's last row where that is earlier (the log has forgotten what lay between); where the log
    starts if the mart holds nothing. -#}
{% macro first_period(column_of_fact, length) %}
    {%- set fact, first_date, time = ref('fct_generations'), rebuild_from(), config.get('event_time') -%}
    {%- if not execute or first_date == constant(none, 'date') -%}{{ return(constant(none, 'timestamp')) }}{%- endif -%}
    {%- set from = "cast(" ~ first_date ~ " as timestamp)" -%}
    {%- set after_last = "(select max(" ~ time ~ ") + interval '" ~ length ~ "' from " ~ this ~ " where " ~ time ~ " < "
        ~ from ~ ")" if is_incremental() else "cast(null as timestamp)" -%}
    {%- set query %}
    select case
        when {{ from }} is null then null
        when {{ after_last }} is not null then least({{ from }}, {{ after_last }})
        else (select min({{ column_of_fact }}) from {{ fact }} where activity_date >= {{ first_date }})
    end
    {%- endset -%}
    {{ return(constant_of(query, 'timestamp')) }}
{% endmacro %}
