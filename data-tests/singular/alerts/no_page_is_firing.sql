-- Fails while an incident of a page is open, and says which. Runs when asked for: dbt test --selector alerts.
{{ config(tags=['alerts', 'firing']) }}
{{ firing('page') }}
