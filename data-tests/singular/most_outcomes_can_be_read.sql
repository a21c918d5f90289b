-- A writer that says it in another word would be a service in which everything fails.
{{ config(severity=('error' if var('strict') else 'warn')) }}

with newest as (
    select
        activity_date,
        count(*) as generation_count
    from {{ ref('fct_generations') }}
    where activity_date >= (select max(activity_date) - 1 from {{ ref('fct_generations') }})
    group by activity_date
),

unread as (
    select
        activity_date,
        sum(row_count) as row_count
    from {{ ref('generation_log_issues') }}
    where issue = 'missing_outcome'
    group by activity_date
)

select
    newest.activity_date,
    newest.generation_count,
    unread.row_count as unread_count
from newest
inner join unread on newest.activity_date = unread.activity_date
where unread.row_count * 2 > newest.generation_count
    and newest.generation_count >= 20
