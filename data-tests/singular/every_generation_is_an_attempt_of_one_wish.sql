-- And every success fulfils one. Where the mart is older than the fact, a wish that began before the fact's first day
-- has some of its attempts in it.
{{ config(tags=['daily']) }}

with fact as (
    select
        min(activity_date) as first_date,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count
    from {{ ref('fct_generations') }}
),

wishes as (
    select
        coalesce(sum(outcomes.attempt_count) filter (where outcomes.activity_date >= fact.first_date), 0)
            as attempt_count,
        coalesce(sum(outcomes.fulfilled_count) filter (where outcomes.activity_date >= fact.first_date), 0)
            as fulfilled_count,
        coalesce(bool_or(outcomes.activity_date < fact.first_date), false) as are_older
    from fact
    left join {{ ref('wish_outcomes') }} as outcomes on true
)

select
    fact.generation_count,
    wishes.attempt_count,
    fact.success_count,
    wishes.fulfilled_count
from fact
cross join wishes
-- of a fact and wishes that were made by different runs nothing is compared
where {{ days_in_step("date '9999-12-31'") or 'true' }}
    and (
        wishes.attempt_count > fact.generation_count
        or wishes.fulfilled_count > fact.success_count
        or (wishes.attempt_count < fact.generation_count and not wishes.are_older)
        or (wishes.fulfilled_count < fact.success_count and not wishes.are_older)
    )
