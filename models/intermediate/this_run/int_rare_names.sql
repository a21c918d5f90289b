-- One row per name and day that is about to leave the retention, where fewer users than share_min_users had the name on
-- that day and in the days after it that the fact held beside it: a name that nobody shares may name a person. The
-- marts that outlive the single generations have (other) or (rare) in its place. Empty in most hourly runs.
{%- set leaving = leaving_days() %}

with named_days as (
    {%- if leaving %}
    select distinct
        'style' as kind,
        style as name,
        user_key,
        activity_date
    from {{ ref('fct_generations') }}

    union all

    -- a text that no pattern knows
    select distinct
        'error' as kind,
        error_signature as name,
        user_key,
        activity_date
    from {{ ref('fct_generations') }}
    where error_category = 'unknown'
    {%- else %}
    select
        'style' as kind,
        style as name,
        user_key,
        activity_date
    from {{ ref('fct_generations') }}
    where false
    {%- endif %}
),

-- names of which the leaving day alone does not say that they are shared
candidates as (
    select
        kind,
        name,
        activity_date
    from named_days
    where activity_date < {{ leaving.before if leaving else "date '1000-01-01'" }}
        and not (kind = 'style' and name in (select lasting.style from {{ ref('lasting_styles') }} as lasting))
    group by kind, name, activity_date
    having count(user_key) < {{ var('share_min_users') }}
),

-- of which days on is this the user's first day with the name, within the days of a retention?
firsts as (
    select
        kind,
        name,
        greatest(
            lag(activity_date) over (partition by kind, name, user_key order by activity_date) + 1,
            activity_date - {{ var('log_retention_days') - 1 }}
        ) as first_of_days_from,
        activity_date as first_of_days_to
    from named_days
    where user_key is not null
        and exists (
            select 1 from candidates
            where candidates.kind = named_days.kind and candidates.name = named_days.name
        )
),

changes as (
    select
        kind,
        name,
        first_of_days_from as activity_date,
        1 as user_count
    from firsts

    union all

    select
        kind,
        name,
        first_of_days_to + 1 as activity_date,
        -1 as user_count
    from firsts

    union all

    select
        kind,
        name,
        activity_date,
        0 as user_count
    from candidates
),

counted as (
    select
        kind,
        name,
        activity_date,
        sum(sum(user_count)) over (partition by kind, name order by activity_date) as user_count
    from changes
    group by kind, name, activity_date
)

select
    counted.kind,
    counted.activity_date,
    counted.name
from counted
inner join candidates
    on counted.kind = candidates.kind
    and counted.name = candidates.name
    and counted.activity_date = candidates.activity_date
where counted.user_count < {{ var('share_min_users') }}
