-- What do vision, image and storage cost in each style? Trap: only single generations know parts by style, so this
-- reaches back 90 days; the parts and what is unattributed add up to the total.
select
    style,
    count(total_cost_usd) as costed_generation_count,
    {{ usd('vision_cost_usd') }} as vision_cost_usd,
    {{ usd('image_cost_usd') }} as image_cost_usd,
    {{ usd('storage_cost_usd') }} as storage_cost_usd,
    {{ usd('unattributed_cost_usd') }} as unattributed_cost_usd,
    {{ usd('total_cost_usd') }} as total_cost_usd
from {{ ref('fct_generations') }}
group by style
order by total_cost_usd desc, style
