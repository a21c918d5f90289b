-- The journal of what was replaced. Each mart looks here for what was replaced in the fact since it was itself replaced
-- last.
{{ no_rows() }}
