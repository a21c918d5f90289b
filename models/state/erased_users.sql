-- Whose generations were erased, and up to when. Written by python -m warehouse erase; staging leaves them out.
{{ no_rows() }}
