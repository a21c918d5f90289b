-- as new as the incidents: the clock's is of the run before the newest of the alerts
select
    min(window_end) as judged_from,
    max(window_end) as judged_to
from warehouse_marts.alert_evaluations
