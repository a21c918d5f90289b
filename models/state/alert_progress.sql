-- How far the alerts have come.
{{ config(tags=['alerts', 'state']) }}
{{ no_rows() }}
