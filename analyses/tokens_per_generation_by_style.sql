-- How many tokens does a generation take, by style, over 28 whole days? Trap: not every generation's tokens are
-- known, and input may be known where output is not: each sum has its own denominator.
select
    style,
    sum(generation_count) as generation_count,
    {{ ratio('sum(input_tokens)', 'sum(counted_input_generation_count)') }} as avg_input_tokens,
    {{ ratio('sum(output_tokens)', 'sum(counted_output_generation_count)') }} as avg_output_tokens
from {{ ref('style_performance') }}
cross join {{ ref('warehouse_clock') }} as clock
where activity_date between clock.last_complete_date - 27 and clock.last_complete_date
group by style
order by generation_count desc, style
