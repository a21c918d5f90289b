-- The same id on two days is counted on both. That is right for neither: somebody should look at the application.
{{ config(severity='warn', tags=['daily']) }}

select
    generation_id,
    min(activity_date) as first_date,
    max(activity_date) as last_date
from {{ ref('fct_generations') }}
group by generation_id
having count(*) > 1
