-- Whom the alerts know. Written by python -m warehouse alerts.
{{ config(tags=['alerts', 'state']) }}
{{ no_rows() }}
