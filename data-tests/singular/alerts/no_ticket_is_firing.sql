-- Warns while an incident of a ticket is open, and says which. Runs when asked for: dbt test --selector alerts.
{{ config(severity='warn', tags=['alerts', 'firing']) }}
{{ firing('ticket') }}
