-- The key by which targets are named. Made once, at random, inside the database.
{{ config(tags=['alerts', 'state']) }}

select
    true as is_only_row,
    cast(gen_random_uuid() as text) as target_key
