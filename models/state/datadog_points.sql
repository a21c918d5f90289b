-- What Datadog was sent. Written by python -m warehouse alerts.
{{ config(tags=['alerts', 'state']) }}
{{ no_rows() }}
