with generations as (
    select * from {{ ref('fct_generations') }}
    where activity_date >= {{ rebuild_from() }}
)

select
    activity_date,
    difficulty,
    count(*) as generation_count,
    count(*) filter (where is_success) as success_count,
    count(total_cost_usd) filter (where is_success) as success_costed_count,
    {{ usd('total_cost_usd', 'is_success') }} as success_cost_usd,
    {{ ratio('sum(total_cost_usd) filter (where is_success)', 'count(total_cost_usd) filter (where is_success)') }}
        as avg_success_cost_usd,
    {{ usd('total_cost_usd', 'not is_success') }} as failed_cost_usd,
    {{ usd('total_cost_usd') }} as total_cost_usd,
    {{ ratio(usd('total_cost_usd'), 'count(*) filter (where is_success)') }} as cost_per_success_usd,
    {{ usd('vision_cost_usd') }} as vision_cost_usd,
    {{ usd('image_cost_usd') }} as image_cost_usd,
    {{ usd('storage_cost_usd') }} as storage_cost_usd,
    {{ usd('unattributed_cost_usd') }} as unattributed_cost_usd,
    {{ total('input_tokens') }} as input_tokens,
    {{ total('output_tokens') }} as output_tokens,
    {{ total('total_tokens') }} as total_tokens,
    count(total_cost_usd) filter (where not is_success) as costed_failure_count,
    count(input_tokens) as counted_input_generation_count,
    count(output_tokens) as counted_output_generation_count,
    {{ is_complete('activity_date', "'1' day") }} as is_complete
from generations
group by activity_date, difficulty
