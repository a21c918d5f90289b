-- the newest first; the open ones always
select
    incidents.rule_name,
    incidents.severity,
    incidents.metric,
    incidents.comparison,
    incidents.threshold,
    evaluations.window_minutes,
    incidents.first_firing_at,
    incidents.resolved_at,
    incidents.resolution,
    incidents.duration_minutes,
    incidents.worst_value,
    incidents.affected_generation_count,
    incidents.affected_users,
    incidents.lost_cost_usd,
    incidents.affected_failure_count,
    incidents.costed_failure_count,
    incidents.reopened_count,
    count(*) over () as incident_count
from warehouse_marts.incidents as incidents
left join warehouse_marts.alert_evaluations as evaluations
    on incidents.rule_name = evaluations.rule_name
    and incidents.last_firing_at = evaluations.window_end
where incidents.resolved_at is null
    or incidents.resolved_at >= %(first_date)s
order by
    incidents.resolved_at is null desc,
    incidents.first_firing_at desc,
    incidents.rule_name collate "C"
limit %(kept_incidents)s
