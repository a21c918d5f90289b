-- The rows of the log with what a generation cost, in US dollars, read from the document `costs`; null where it is
-- unknown. The last columns say what is wrong with the document. Which key is which part: the seed document_keys.
{{ config(materialized='ephemeral') }}

{%- set highest = var('max_cost_usd') %}
{%- set is_total = reading_function(
    'matches', 'each.key_name', "'^(grand_?)?total([_ ]?(costs?|price|amount|usd|spend))*$|^sum$'"
) %}

with log_rows as (
    select * from {{ ref('base_log_rows') }}
),

opened as (
    {{ with_members('log_rows', 'costs') }}
),

logged as (
    {{ with_columns('opened', {
        'logged_vision_cost': document_value('costs', 'vision_amount'),
        'logged_image_cost': document_value('costs', 'image_amount'),
        'logged_storage_cost': document_value('costs', 'storage_amount'),
        'logged_total_cost': document_value('costs', 'amount'),
        'costs_with_others': document_with_others('costs'),
    }) }}
),

-- a richer writer's further parts, and what by its name is a total and no part
with_others as (
    {{ with_sums_over_keys('logged', 'costs', {
        'amount_usd': usable_number(other_value('costs', 'amount'), highest),
        'is_total': is_total,
    }, {
        'other_parts_usd': 'case when not part.is_total then part.amount_usd end',
    }, {
        'other_total_usd': 'case when part.is_total then part.amount_usd end',
    }) }}
),

usable as (
    {{ with_columns('with_others', {
        'usable_vision_usd': usable_number('logged_vision_cost', highest),
        'usable_image_usd': usable_number('logged_image_cost', highest),
        'usable_storage_usd': usable_number('logged_storage_cost', highest),
        'usable_total_usd': usable_number('logged_total_cost', highest),
    }) }}
),

summed as (
    select
        *,
        coalesce(usable_vision_usd, 0) + coalesce(usable_image_usd, 0) + coalesce(usable_storage_usd, 0)
            as known_parts_usd,
        coalesce(usable_vision_usd, usable_image_usd, usable_storage_usd) is not null as has_known_part
    from usable
),

totalled as (
    select
        *,
        -- the total as logged is the truth
        case
            when usable_total_usd is not null then usable_total_usd
            when other_total_usd is not null then other_total_usd
            when has_known_part or other_parts_usd is not null then known_parts_usd + coalesce(other_parts_usd, 0)
        end as known_total_usd
    from summed
),

judged as (
    select
        *,
        -- the application fills in the costs when all is done: the zeros of a failure say nothing
        case
            when is_success then false
            else known_total_usd = 0 and known_parts_usd = 0 and coalesce(other_parts_usd, 0) = 0
        end as are_zeros_of_failure
    from totalled
)

select
    *,
    cast(case when not are_zeros_of_failure then usable_vision_usd end as numeric(18, 6)) as vision_cost_usd,
    cast(case when not are_zeros_of_failure then usable_image_usd end as numeric(18, 6)) as image_cost_usd,
    cast(case when not are_zeros_of_failure then usable_storage_usd end as numeric(18, 6)) as storage_cost_usd,
    -- with this part the four add up to the total
    cast(case when not are_zeros_of_failure then known_total_usd - known_parts_usd end as numeric(18, 6))
        as unattributed_cost_usd,
    cast(case when not are_zeros_of_failure then known_total_usd end as numeric(18, 6)) as total_cost_usd,
    coalesce(are_zeros_of_failure, false) as has_unrecorded_cost,
    case
        when costs_read is null
            then case when {{ blank_to_null('costs') }} is null then 'no costs logged' else 'not JSON' end
        when coalesce(logged_vision_cost, logged_image_cost, logged_storage_cost, logged_total_cost) is null
            and other_parts_usd is null and other_total_usd is null
            then 'no amount in it'
    end as costs_problem,
    nullif(concat_ws(
        ', ',
        case when logged_vision_cost is not null and usable_vision_usd is null then 'vision' end,
        case when logged_image_cost is not null and usable_image_usd is null then 'image' end,
        case when logged_storage_cost is not null and usable_storage_usd is null then 'storage' end,
        case when logged_total_cost is not null and usable_total_usd is null then 'total' end
    ), '') as unusable_cost_names,
    usable_total_usd is not null and has_known_part
    and abs(usable_total_usd - known_parts_usd) > 0.01
    and abs(usable_total_usd - known_parts_usd - coalesce(other_parts_usd, 0)) > 0.01 as has_cost_mismatch
from judged
