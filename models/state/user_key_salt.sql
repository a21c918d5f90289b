-- The secret that users' keys are made with: at random inside the database, once. It is in no text and never leaves
-- it.
select
    true as is_only_row,
    cast(gen_random_uuid() as text) || cast(gen_random_uuid() as text) as salt
