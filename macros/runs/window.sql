{#- The days that a run rebuilds. int_log_window decides for what is made from the log; what is made from
    fct_generations follows the journal of what was replaced there. -#}

{#- Where a run's look at the log begins: the lookback before the newest day of the ledger, or earlier for a backfill,
    or where a run was killed after it had replaced the issues and before the fact. An hourly run compares the days from
    there on with the ledger, any other all that the fact may hold. -#}
{% macro wanted_days() %}
    {%- set ledger, journal, backfill = ref('days'), ref('replacements'), constant(var('backfill_from'), 'date') -%}
    {%- set fact = none if flags.FULL_REFRESH else existing_relation('marts', 'fct_generations') -%}
    {%- set reach = [var('max_rebuilt_days'), var('log_retention_days') - 1] | min -%}
    {%- set query %}
    with half_done as (
        select min(replaced_from) as day from {{ journal }}
        where model = 'generation_log_issues' and id > {{ last_replacement('fct_generations') }}
    )
    select
        cast(least(max(activity_date) - {{ var('lookback_days') }}, {{ backfill }}, max(half_done.day)) as text),
        max(half_done.day) is null,
        cast(max(activity_date) - {{ reach }} as text)
    from {{ ledger }} cross join half_done
    {%- endset -%}
    {%- set found = ask(query).rows[0] if fact else [none, none, none] -%}
    {#- without a day in the ledger, as after an empty log, all is read, whatever a backfill says -#}
    {%- set are_known, compares_all = found[2] is not none, execute and which_run() != 'hourly' -%}
    {%- set first = found[0][:10] if are_known else '2000-01-01' -%}
    {%- set compared_from = [first, found[2][:10]] | min if are_known and compares_all else first -%}
    {%- set issues = existing_relation('marts', 'generation_log_issues') -%}
    {{ return({
        'are_known': are_known,
        'compares_all': compares_all,
        'first': constant(first, 'date'),
        'compared_from': constant(compared_from, 'date'),
        'backfill_from': backfill,
        'holders': [fact, issues] if are_known and compares_all and issues else [],
        'read_from': "least(" ~ constant(compared_from, 'timestamp') ~ ", cast(" ~ constant(first, 'date') ~ " - "
            ~ var('lookback_days') ~ " as timestamp))" if are_known else earliest_created_at(),
        'may_be_left_alone': are_known and found[1] and not var('backfill_from') and not compares_all,
    }) }}
{% endmacro %}

{#- What tells apart by which definitions a day was read: functions, seeds, the columns of marts. -#}
{% macro definitions_hash() -%}
    {%- set columns = [] -%}
    {%- for mart in (models_replaced_by_days() if execute else []) -%}
        {%- do columns.append(mart.name ~ mart.columns.keys() | list) -%}
    {%- endfor -%}
    (
        select ' ' || md5('{{ local_md5(columns | sort | join ~ var('log_begins_on')) }}' || max(release.functions_hash)
            || coalesce(
            string_agg(
                cast(patterns.position as text) || patterns.pattern || patterns.error_category
                || patterns.error_signature,
                '' order by patterns.position
            ), ''
        ) || (
            select coalesce(string_agg(document || key_name || coalesce(step, '') || coalesce(counts, ''), ' '
                order by position), '')
            from {{ ref('document_keys') }}
        ) || (
            select coalesce(string_agg(pattern || scene_type, ' ' order by position), '')
            from {{ ref('scene_patterns') }}
        ))
        from {{ internal_schema() }}.release
        left join {{ ref('error_patterns') }} as patterns on true
    )
{%- endmacro %}

{#- The days that a run leaves as they are although it rebuilds others around them, as a list of constants. -#}
{% macro held_back_days() %}
    {%- set days, log_days = [], existing_relation('intermediate', 'int_log_days') -%}
    {%- if log_days -%}
        {%- for row in ask("select cast(activity_date as text) from " ~ log_days ~ " where is_held_back").rows -%}
            {%- do days.append(constant(row[0], 'date')) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(days) }}
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
    it was itself replaced last, whichever run did it and whether or not that run came to an end. A model finds it out
    once: the rows that it makes and those that it replaces begin on the same day. -#}
{% macro rebuild_from() %}
    {%- if execute and config.get('meta', {}).get('follows_log') -%}{{ return(log_span().rebuild_from) }}{%- endif -%}
    {%- set journal, fact, known = ref('replacements'), ref('fct_generations'), known_of_run() -%}
    {%- set fact = load_relation(fact) if execute else none -%}
    {%- if not fact -%}{{ return(constant(none, 'date')) }}{%- endif -%}
    {%- set begins, asked = "select min(activity_date) from " ~ fact, 'rebuild_from of ' ~ this.identifier -%}
    {%- if not is_incremental() -%}{{ return(constant_of(begins, 'date')) }}{%- endif -%}
    {%- if asked not in known -%}
        {%- set backfilled = "greatest(" ~ constant(var('backfill_from'), 'date') ~ ", (" ~ begins ~ "))"
            if var('backfill_from') else "null" -%}
        {%- set replaced = "(select min(replaced_from) from " ~ journal ~ " where model = 'fct_generations' and id > "
            ~ last_replacement(this.identifier) ~ ")" -%}
        {%- set first = constant_of("select least(" ~ replaced ~ ", " ~ backfilled ~ ")", 'date') -%}
        {%- do known.update({asked: first_day_of_wishes(first) if config.get('meta', {}).get('has_wishes') else first})
        -%}
    {%- endif -%}
    {{ return(known[asked]) }}
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
