-- For how many minutes a month did each rule fire? Trap: rules are judged from alerts_judged_from on only: a month
-- before it has no incident because nobody looked.
select
    incidents.rule_name,
    cast(date_trunc('month', incidents.first_firing_at) as date) as month_date,
    count(*) as incident_count,
    sum(incidents.duration_minutes) as duration_minutes,
    max(clock.alerts_judged_from) as alerts_judged_from
from {{ ref('incidents') }} as incidents
cross join {{ ref('warehouse_clock') }} as clock
group by incidents.rule_name, cast(date_trunc('month', incidents.first_firing_at) as date)
order by month_date, duration_minutes desc nulls last, incidents.rule_name
