{#- The aggregates outlive the log. A full refresh would make them from what the log still holds, so it is refused where
    days would go, before anything is touched. The journals of the alerts, and what runs remember, are never remade. -#}
{% macro refuse_to_lose_history() %}
    {%- if not execute or not flags.FULL_REFRESH or flags.WHICH not in ('run', 'build') or var('lose_history') -%}
        {{ return('') }}
    {%- endif -%}
    {%- set log = existing_relation('staging', 'stg_generation_log_times') -%}
    {%- set fact = none if is_selected('fct_generations') else existing_relation('marts', 'fct_generations') -%}
    {%- set times = "(select created_at from " ~ log ~ " where created_at between " ~ earliest_created_at() ~ " and "
        ~ latest_created_at() ~ ")" if log else "(select cast(null as timestamp) as created_at where false)" -%}
    {%- set begins = constant_of("select cast(min(activity_date) as timestamp) from " ~ fact if fact
        else "select min(created_at) from " ~ times ~ " as log", 'timestamp') -%}
    {%- set lost = [] -%}
    {%- for model in models_replaced_by_days() | selectattr('unique_id', 'in', selected_resources) -%}
        {%- set relation = adapter.get_relation(model.database, model.schema, model.name) -%}
        {%- set time = model.config.event_time -%}
        {%- set day = "cast(" ~ time ~ " as date)" -%}
        {#- a day or an hour that began before the log, and lies in it for the rest, is cut; the single generations also
            tell of days that the log lacks at its end or in between -#}
        {%- set query %}
        select count(distinct {{ day }}), cast(min({{ day }}) as text), cast(max({{ day }}) as text) from {{ relation }}
        where {{ begins }} is null or
            {%- if model.name == 'fct_generations' %}
            created_at < {{ begins }} or activity_date not in (select cast(created_at as date) from {{ times }} as log)
            {%- else %}
            {{ time }} < date_trunc('{{ 'day' if time.endswith('date') else 'hour' }}', {{ begins }})
            {%- endif %}
        {%- endset -%}
        {%- set days = run_query(query).rows[0] if relation else [0] -%}
        {%- if days[0] -%}
            {%- do lost.append("\n  " ~ model.name ~ ": " ~ days[0] ~ " days, " ~ days[1] ~ " to " ~ days[2]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if lost -%}
        {%- set begins = begins | replace("timestamp '", "") | replace("'", "") -%}
        {{ exceptions.raise_compiler_error("A full refresh would lose what the log no longer holds (it begins at "
           ~ begins | replace('cast(null as timestamp)', 'no row') ~ "):" ~ lost | join ~ "\nNo table was touched. The "
           "days that the log holds are rebuilt by: dbt build --vars 'backfill_from: "
           ~ begins[:10] | replace('cast(null ', '2000-01-01') ~ "'. To lose the others on purpose: "
           "dbt build --full-refresh --vars 'lose_history: true'.") }}
    {%- endif -%}
{% endmacro %}

{#- Keeps log_retention_days of single generations. Only after a run in which every model that is made from them
    succeeded: the days that go are then safe in the aggregates. The ledger keeps their days. Users who were not seen
    for user_memory_days are forgotten whole, so that what is known of the others, and the cohorts of that time, stays
    exact; whom an incident hit is forgotten with the generations. -#}
{% macro trim_expired_days() %}
    {%- set log_window, fact, issues = ref('int_log_window'), ref('fct_generations'), ref('generation_log_issues') -%}
    {%- set log_rows, user_days = ref('int_log_rows'), ref('int_user_days') -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list
        if execute else [] -%}
    {%- if execute and flags.WHICH in ('run', 'build')
        and not models_replaced_by_days() | map(attribute='unique_id') | reject('in', built) | list -%}
        {%- set first_kept = constant_of("select cast(as_of as date) - " ~ (var('log_retention_days') - 1) ~ " from "
            ~ log_window, 'date') -%}
        {%- set trimmed = run_query("select count(*) from " ~ fact ~ " where activity_date < " ~ first_kept).rows[0][0]
        -%}
        {%- if trimmed -%}
            {{ log("Trimmed " ~ "{:,}".format(trimmed) ~ " generations of the days before " ~ first_kept[6:-1]
                   ~ " (log_retention_days). The aggregates keep them.", info=true) }}
        {%- endif -%}
        {{ lock_timeout() }}
        {%- for relation in [fact, issues, log_rows] %}
        delete from {{ relation }} where activity_date < {{ first_kept }};
        {%- endfor %}
        {%- set incidents = existing_relation('marts', 'incidents') -%}
        {%- set incident_users = existing_relation('intermediate', 'int_incident_users') -%}
        {%- if incidents and incident_users %}
        delete from {{ incident_users }}
        where incident_key in (select incident_key from {{ incidents }} where resolved_at < {{ first_kept }});
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
