-- Who was notified of what. Made once, and written by python -m warehouse alerts; no run rewrites it.
{{ config(
    tags=['alerts', 'state'],
    schema='marts',
    materialized='incremental',
    incremental_strategy='kept',
    full_refresh=false,
    on_schema_change='append_new_columns',
    contract={'enforced': true}
) }}
{{ no_rows() }}
