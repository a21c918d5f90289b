-- How long do incidents last? By rule over the last 90 days: how often, how soon seen, how soon over, whom they hit,
-- and the cost of as many of the failures as have a known one. Trap: incidents that are still open have no duration
-- and are in no mean.
select
    rule_name,
    severity,
    count(*) as incident_count,
    count(*) filter (where resolved_at is null) as open_incident_count,
    {{ ratio("sum(duration_minutes) filter (where resolution = 'ok')", "count(*) filter (where resolution = 'ok')") }}
        as mean_minutes_to_resolve,
    max(duration_minutes) as longest_minutes,
    cast(avg(extract(epoch from opened_at - first_firing_at)) / 60 as double precision) as mean_minutes_to_open,
    {{ total('affected_generation_count') }} as affected_generation_count,
    {{ usd('lost_cost_usd') }} as lost_cost_usd,
    {{ total('affected_failure_count') }} as affected_failure_count,
    {{ total('costed_failure_count') }} as costed_failure_count
from {{ ref('incidents') }}
where opened_at >= (select max(window_end) from {{ ref('alert_evaluations') }}) - interval '90' day
group by rule_name, severity
order by mean_minutes_to_resolve desc nulls last, rule_name
