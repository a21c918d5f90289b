-- One row per day of the log that this run may rebuild, and of the days before it that the clock may need: how far each
-- reaches, what tells its content, and how it compares with the ledger of the days that the fact was made of. A day
-- that the log has no longer has a row, too. Taken before the rows themselves are read: a row that comes in between is
-- read twice rather than missed.

{%- set wanted, definitions = wanted_days(), definitions_hash() %}

with log as (
    select
        cast(created_at as date) as activity_date,
        min(created_at) as first_at,
        max(created_at) as last_at,
        count(*) as row_count,
        {%- if wanted.are_known %}
        cast(sum(cast(row_hash as numeric(38, 0))) filter (where created_at >= {{ wanted.compared_from }}) as text)
        || {{ definitions }} as content_hash
        {%- else %}
        -- a first build reads all of it in any case
        cast(null as text) as content_hash
        {%- endif %}
    from {{ ref('stg_generation_log_times') }}
    where created_at >= {{ wanted.read_from }}
        and created_at <= {{ wall_clock() if var('as_of') == 'now' else latest_created_at() }}
        {%- if as_of_is_timestamp() %}
        and created_at <= {{ as_of_timestamp() }}
        {%- endif %}
    group by cast(created_at as date)
),

ledger as (
    select * from {{ ref('days') }}
    {%- if wanted.are_known %}
    where activity_date >= cast({{ wanted.read_from }} as date)
    {%- else %}
    where false
    {%- endif %}
),

compared as (
    select
        coalesce(log.activity_date, ledger.activity_date) as activity_date,
        log.first_at,
        log.last_at,
        coalesce(log.row_count, 0) as row_count,
        log.content_hash,
        ledger.row_count as known_row_count,
        ledger.held_back_hash,
        not coalesce(log.content_hash = ledger.content_hash, false)
            {%- for mart in wanted.holders %}
            {{ 'or (' if loop.first else 'and' }} not exists (
                select 1 from {{ mart }} as kept
                where kept.activity_date = coalesce(log.activity_date, ledger.activity_date)
            ){{ ')' if loop.last }}
            {%- endfor %} as is_changed
    from log
    full outer join ledger on log.activity_date = ledger.activity_date
)

select
    activity_date,
    first_at,
    last_at,
    row_count,
    content_hash,
    known_row_count,
    is_changed,
    -- a file that is missing for one run must not cost a day, and what was deleted on purpose is deleted tomorrow
    coalesce(
        known_row_count - row_count > greatest(20, {{ var('max_deleted_share') }} * known_row_count)
        and (activity_date < {{ wanted.backfill_from }}) is not false
        {%- if wanted.compares_all %}
        and held_back_hash is distinct from coalesce(content_hash, 'no row')
        {%- endif %},
        false
    ) as is_held_back
from compared
