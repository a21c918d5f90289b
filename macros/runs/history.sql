{#- The aggregates outlive the log. A full refresh would make them from what the log still holds, so it is refused where
    days would go, before anything is touched. The journals of the alerts, and what runs remember, are never remade. -#}
{% macro refuse_to_lose_history() %}
    {%- if not execute or not flags.FULL_REFRESH or flags.WHICH not in ('run', 'build') or var('lose_history') -%}
        {{ return('') }}
    {%- endif -%}
    {%- set log = existing_relation('staging', 'stg_generation_log_times') -%}
    {%- set fact = existing_relation('marts', 'fct_generations') -%}
    {%- set times = "(select created_at from " ~ log ~ " where created_at between " ~ earliest_created_at() ~ " and "
        ~ latest_created_at() ~ ")" if log else "(select cast(null as timestamp) as created_at where false)" -%}
    {%- set log_begins = constant_of("select min(created_at) from " ~ times ~ " as log", 'timestamp') -%}
    {%- set is_fact_read = fact and not is_selected('fct_generations') -%}
    {%- set begins = constant_of("select cast(min(activity_date) as timestamp) from " ~ fact, 'timestamp')
        if is_fact_read else log_begins -%}
    {%- set lost = [] -%}
    {%- for model in models_replaced_by_days() | selectattr('unique_id', 'in', selected_resources) -%}
        {%- set relation = adapter.get_relation(model.database, model.schema, model.name) -%}
        {%- set time = model.config.event_time -%}
        {%- set day = "cast(" ~ time ~ " as date)" -%}
        {%- set unit = 'day' if time.endswith('date') else 'hour' -%}
        {#- What is made of the log loses each day that the log lacks, at its ends or in between, and the one in which
            it was cut. What is made of the fact loses what is older than that, which may keep days for longer. -#}
        {%- set query %}
        select count(distinct {{ day }}), cast(min({{ day }}) as text), cast(max({{ day }}) as text) from {{ relation }}
        where (
            {%- if model.config.meta.get('follows_log') %}
            {{ day }} not in (select cast(created_at as date) from {{ times }} as log)
            {{ 'or ' ~ day ~ ' in (select activity_date from ' ~ fact ~ ' where created_at < ' ~ log_begins ~ ')'
                if fact }}
            {%- else %}
            {{ begins }} is null or {{ time }} < date_trunc('{{ unit }}', {{ begins }})
            {%- endif %}
        )
        {#- what every run takes from the present log is no history #}
        {{ 'and (' ~ model.config.meta.also_replaced ~ ') is not true' if model.config.meta.get('also_replaced') }}
        {%- endset -%}
        {%- set days = run_query(query).rows[0] if relation else [0] -%}
        {%- if days[0] -%}
            {%- do lost.append("\n  " ~ model.name ~ ": " ~ days[0] ~ " days, " ~ days[1] ~ " to " ~ days[2]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if lost -%}
        {%- set begin = {} -%}
        {%- for name, time in [('log', log_begins), ('fact', begins)] -%}
            {%- do begin.update({name: time | replace('cast(null as timestamp)', 'no row') | replace('timestamp ', '')
                | replace("'", '')}) -%}
        {%- endfor -%}
        {{ exceptions.raise_compiler_error("A full refresh would lose what the log no longer holds (it begins at "
           ~ begin.log ~ (", and fct_generations, which is not selected, at " ~ begin.fact if is_fact_read else '')
           ~ "):" ~ lost | join ~ "\nNo table was touched. The days that the log holds are rebuilt by: "
           "dbt build --vars 'backfill_from: " ~ begin.log[:10] | replace('no row', '2000-01-01') ~ "'. To lose the "
           "others on purpose: dbt build --full-refresh --vars 'lose_history: true'.") }}
    {%- endif -%}
{% endmacro %}

{#- Keeps log_retention_days of single generations. Only after a run in which every model that is made from them
    succeeded: the days that go are then safe in the aggregates. The ledger keeps their days. Users who were not seen
    for user_memory_days are forgotten whole, so that what is known of the others, and the cohorts of that time, stays
    exact; whom an incident hit is forgotten with the generations. -#}
{% macro trim_expired_days() %}
    {%- set log_window, fact, issues = ref('int_log_window'), ref('fct_generations'), ref('generation_log_issues') -%}
    {%- set log_rows, user_days = ref('int_log_rows'), ref('int_user_days') -%}
    {%- set rare_names, spellings = ref('int_rare_names'), ref('int_style_spellings') -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list
        if execute else [] -%}
    {%- set needed = models_replaced_by_days() | map(attribute='unique_id') | list
        + ['model.' ~ project_name ~ '.int_rare_names'] if execute else [] -%}
    {%- if execute and flags.WHICH in ('run', 'build') and not needed | reject('in', built) | list -%}
        {%- set first_kept = constant_of("select cast(as_of as date) - " ~ (var('log_retention_days') - 1) ~ " from "
            ~ log_window, 'date') -%}
        {%- set trimmed = run_query("select count(*) from " ~ fact ~ " where activity_date < " ~ first_kept).rows[0][0]
        -%}
        {%- if trimmed -%}
            {{ log("Trimmed " ~ "{:,}".format(trimmed) ~ " generations of the days before " ~ first_kept[6:-1]
                   ~ " (log_retention_days). The aggregates keep them.", info=true) }}
        {%- endif -%}
        {{ lock_timeout() }}
        {#- by name: dbt takes a hook's refs of an older release for those of this one #}
        {%- for relation in [fact, issues, log_rows, existing_relation('intermediate', 'int_continued_wishes')] %}
        delete from {{ relation }} where activity_date < {{ first_kept }};
        {%- endfor %}
        {%- set incidents = existing_relation('marts', 'incidents') -%}
        {%- set incident_users = existing_relation('intermediate', 'int_incident_users') -%}
        {%- if incidents and incident_users %}
        delete from {{ incident_users }}
        where incident_key in (select incident_key from {{ incidents }} where resolved_at < {{ first_kept }});
        {%- endif %}
        {%- if leaving_days() and existing_relation('intermediate', 'int_rare_names') %}
        delete from {{ spellings }} where (activity_date, style) in (
            select activity_date, name from {{ rare_names }} where kind = 'style'
        );
        update {{ user_days }} set first_style = '(other)' where (activity_date, first_style) in (
            select activity_date, name from {{ rare_names }} where kind = 'style'
        );
        {%- endif %}
        {%- if which_run() != 'hourly' %}
        delete from {{ user_days }} where user_key in (
            select user_key from {{ user_days }}
            group by user_key
            having max(activity_date) < {{ remembered_from() }}
        );
        {%- endif %}
        delete from {{ journal() }}
        where replaced_at < {{ wall_clock() }} - interval '{{ var("log_retention_days") }} days'
            and id not in (select max(id) from {{ journal() }} group by model);
    {%- endif -%}
    {%- set clock = existing_relation('marts', 'warehouse_clock') -%}
    {%- if clock and flags.WHICH in ('run', 'build') and is_selected('warehouse_clock') %}
        {{ lock_timeout() }}
        update {{ clock }} set retention_lag_days = (
            select coalesce(greatest(max(
                cast(log_window.as_of as date) - {{ var('log_retention_days') - 1 }} - stored.activity_date
            ), 0), 0)
            from {{ log_window }} as log_window
            cross join (
                select min(activity_date) as activity_date from {{ fact }}
                union all
                select min(activity_date) as activity_date from {{ issues }}
                union all
                select min(activity_date) as activity_date from {{ log_rows }}
            ) as stored
        );
    {%- endif -%}
{% endmacro %}

{#- The days that this run will trim, once the fact has been made: what outlives the single generations is made of them
    for the last time. None where there are none, which is so in most hourly runs. -#}
{% macro leaving_days() %}
    {%- set log_window = existing_relation('intermediate', 'int_log_window') -%}
    {%- set fact, known = existing_relation('marts', 'fct_generations'), known_of_run() -%}
    {%- if not fact or not log_window -%}{{ return(none) }}{%- endif -%}
    {%- if 'leaving days' not in known -%}
        {%- set query %}
        select cast(min(fact.activity_date) as text), cast(max(kept.first_date) as text)
        from (
            select cast(as_of as date) - {{ var('log_retention_days') - 1 }} as first_date from {{ log_window }}
        ) as kept
        inner join {{ fact }} as fact on kept.first_date > fact.activity_date
        {%- endset -%}
        {%- set found = ask(query).rows[0] -%}
        {%- do known.update({'leaving days': {
            'from': constant(found[0], 'date'), 'before': constant(found[1], 'date'),
        } if found[0] else none}) -%}
    {%- endif -%}
    {{ return(known['leaving days']) }}
{% endmacro %}

{#- Is the model that asks one in which rare names become common ones, and are there days to do it in? -#}
{% macro makes_leaving_days() %}
    {{ return(config.get('meta', {}).get('names_become_common', false) and leaving_days() is not none) }}
{% endmacro %}

{#- The condition for the leaving days, on a column of days or hours. -#}
{% macro is_leaving(column) -%}
    ({{ column }} >= {{ leaving_days().from }} and {{ column }} < {{ leaving_days().before }})
{%- endmacro %}

{#- A query: the generations of the days that a model makes, with the names under which they are kept for good: a style
    or a text of an error that too few users have becomes (other) or (rare) as its day leaves the retention. -#}
{% macro generations_of_this_run() -%}
    {%- set fact, rare_names = ref('fct_generations'), ref('int_rare_names') -%}
    select
        fact.*,
        {%- if leaving_days() %}
        case when rare_styles.name is null then fact.style else '(other)' end as lasting_style,
        case when rare_errors.name is null then fact.error_signature else '(rare)' end as lasting_signature
    from {{ fact }} as fact
    left join {{ rare_names }} as rare_styles
        on rare_styles.kind = 'style'
        and fact.activity_date = rare_styles.activity_date
        and fact.style = rare_styles.name
    left join {{ rare_names }} as rare_errors
        on rare_errors.kind = 'error'
        and fact.error_category = 'unknown'
        and fact.activity_date = rare_errors.activity_date
        and fact.error_signature = rare_errors.name
    where fact.activity_date >= {{ rebuild_from() }} or {{ is_leaving('fact.activity_date') }}
        {%- else %}
        fact.style as lasting_style,
        fact.error_signature as lasting_signature
    from {{ fact }} as fact
    where fact.activity_date >= {{ rebuild_from() }}
        {%- endif %}
{%- endmacro %}

{#- The day since when a user must have been seen to be remembered; never later than what the fact holds. -#}
{% macro remembered_from() -%}
    coalesce(
        (
            select cast(as_of as date) - {{ [var('user_memory_days'), var('log_retention_days')] | max }}
            from {{ ref('int_log_window') }}
        ),
        date '1000-01-01'
    )
{%- endmacro %}
