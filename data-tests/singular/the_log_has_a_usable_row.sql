-- A log without a usable row gives marts that are empty, or that stay as they are; with strict, nothing is built of it.
{{ config(severity=('error' if var('strict') else 'warn')) }}

select 'no usable row' as problem
where not exists (
    select 1 from {{ ref('stg_generation_log_times') }}
    where created_at between {{ earliest_created_at() }} and {{ latest_created_at() }}
)
