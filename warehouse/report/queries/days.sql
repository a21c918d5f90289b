-- what there is of each day, all styles together
with generations as (
    select
        activity_date,
        sum(generation_count) as generation_count,
        sum(success_count) as success_count,
        sum(costed_generation_count) as costed_generation_count,
        sum(total_cost_usd) as total_cost_usd,
        sum(failed_cost_usd) as failed_cost_usd,
        -- null where one of the styles does not know it
        case when count(costed_failure_count) = count(*) then sum(costed_failure_count) end as costed_failure_count
    from warehouse_marts.style_performance
    where activity_date >= %(first_date)s
    group by activity_date
),

costs as (
    select
        cast(activity_hour as date) as activity_date,
        sum(vision_cost_usd) as vision_cost_usd,
        sum(image_cost_usd) as image_cost_usd,
        sum(storage_cost_usd) as storage_cost_usd,
        sum(unattributed_cost_usd) as unattributed_cost_usd
    from warehouse_marts.hourly_costs
    where activity_hour >= %(first_date)s
    group by cast(activity_hour as date)
)

select
    people.activity_date,
    people.is_complete,
    people.daily_active_users,
    people.weekly_active_users,
    people.monthly_active_users,
    coalesce(generations.generation_count, 0) as generation_count,
    coalesce(generations.success_count, 0) as success_count,
    coalesce(generations.costed_generation_count, 0) as costed_generation_count,
    coalesce(generations.total_cost_usd, 0) as total_cost_usd,
    coalesce(generations.failed_cost_usd, 0) as failed_cost_usd,
    case when generations.activity_date is null then 0 else generations.costed_failure_count end
        as costed_failure_count,
    coalesce(costs.vision_cost_usd, 0) as vision_cost_usd,
    coalesce(costs.image_cost_usd, 0) as image_cost_usd,
    coalesce(costs.storage_cost_usd, 0) as storage_cost_usd,
    coalesce(costs.unattributed_cost_usd, 0) as unattributed_cost_usd
from warehouse_marts.daily_engagement as people
left join generations on people.activity_date = generations.activity_date
left join costs on people.activity_date = costs.activity_date
where people.activity_date between %(first_date)s and %(last_date)s
order by people.activity_date
