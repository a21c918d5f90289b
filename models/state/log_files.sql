-- The files of the log, as the last run found them: what has not changed since is not looked at and counted again. On
-- DuckDB only; open_log() keeps it up to date.
{{ log_files_of_this_run() }}
