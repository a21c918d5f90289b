-- One row per day of the log that this run may rebuild, and of the days before it that the clock may need: how far each
-- reaches, and what tells whether it has changed since it was rebuilt last. Taken before the rows themselves are read:
-- a row that comes in between is read twice rather than missed.

{%- set wanted = wanted_days() %}

select
    cast(created_at as date) as activity_date,
    min(created_at) as first_at,
    max(created_at) as last_at,
    count(*) as row_count,
    {%- if wanted.are_known %}
    cast(sum(cast(row_hash as numeric(38, 0))) filter (where created_at >= {{ wanted.first }}) as text) as content_hash
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
