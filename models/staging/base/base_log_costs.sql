-- The rows of the log with what a generation cost, in US dollars, read from the document `costs`; null where it is
-- unknown. The last columns say what is wrong with the document.
{{ config(materialized='ephemeral') }}

{%- set highest = var('max_cost_usd') %}

with log_rows as (
    select * from {{ ref('base_log_rows') }}
),

plain as (
    {{ with_plain_costs('log_rows') }}
),

documents as (
    {{ with_columns('plain', {'cost_document': strict_json('case when not is_costs_plain then costs end')}) }}
),

logged as (
    select
        *,
        {{ first_of('cost_document', ['vision']) }} as logged_vision_cost,
        {{ first_of('cost_document', ['image_generation', 'image']) }} as logged_image_cost,
        {{ first_of('cost_document', ['storage']) }} as logged_storage_cost,
        {{ first_of('cost_document', ['total']) }} as logged_total_cost
    from documents
),

usable as (
    {{ with_columns('logged', {
        'usable_vision_usd': 'coalesce(plain_vision_usd, ' ~ usable_number('logged_vision_cost', highest) ~ ')',
        'usable_image_usd': 'coalesce(plain_image_usd, ' ~ usable_number('logged_image_cost', highest) ~ ')',
        'usable_storage_usd': 'coalesce(plain_storage_usd, ' ~ usable_number('logged_storage_cost', highest) ~ ')',
        'usable_total_usd': 'coalesce(plain_total_usd, ' ~ usable_number('logged_total_cost', highest) ~ ')',
    }) }}
),

summed as (
    select
        *,
        coalesce(usable_vision_usd, 0) + coalesce(usable_image_usd, 0) + coalesce(usable_storage_usd, 0)
            as cost_parts_usd,
        coalesce(usable_vision_usd, usable_image_usd, usable_storage_usd) is not null as has_known_cost_part
    from usable
)

select
    *,
    cast(usable_vision_usd as numeric(18, 6)) as vision_cost_usd,
    cast(usable_image_usd as numeric(18, 6)) as image_cost_usd,
    cast(usable_storage_usd as numeric(18, 6)) as storage_cost_usd,
    -- the total as logged is the truth; with this part the four add up to it
    cast(case
        when usable_total_usd is not null then usable_total_usd - cost_parts_usd
        when has_known_cost_part then 0
    end as numeric(18, 6)) as unattributed_cost_usd,
    cast(case
        when usable_total_usd is not null then usable_total_usd
        when has_known_cost_part then cost_parts_usd
    end as numeric(18, 6)) as total_cost_usd,
    case
        when costs is null then 'no costs logged'
        when is_costs_plain then null
        when cost_document is null then 'not JSON'
        when coalesce(logged_vision_cost, logged_image_cost, logged_storage_cost, logged_total_cost) is null
            then 'no amount in it'
    end as costs_problem,
    nullif(concat_ws(
        ', ',
        case when logged_vision_cost is not null and usable_vision_usd is null then 'vision' end,
        case when logged_image_cost is not null and usable_image_usd is null then 'image' end,
        case when logged_storage_cost is not null and usable_storage_usd is null then 'storage' end,
        case when logged_total_cost is not null and usable_total_usd is null then 'total' end
    ), '') as unusable_cost_names,
    usable_total_usd is not null and has_known_cost_part
    and abs(usable_total_usd - cost_parts_usd) > 0.01 as has_cost_mismatch
from summed
