-- What does a success of each difficulty cost? Over all days; an unknown difficulty is a separate row. Trap: this is
-- what successes cost by themselves; what failures cost besides is in cost_per_success_usd of the mart.
select
    difficulty,
    sum(success_count) as success_count,
    {{ ratio('sum(success_cost_usd)', 'sum(success_costed_count)') }} as avg_success_cost_usd,
    sum(success_cost_usd) as success_cost_usd
from {{ ref('cost_by_difficulty') }}
group by difficulty
having sum(success_count) > 0
order by difficulty
