{#- What a person wants to know after a build, on the terminal: dbt run-operation summary --quiet -#}
{% macro summary() %}
    {%- if execute -%}
    {%- set window = existing_relation('intermediate', 'int_log_window') -%}
    {%- set fact = existing_relation('marts', 'fct_generations') -%}
    {%- set issues = existing_relation('marts', 'generation_log_issues') -%}
    {%- set styles = existing_relation('marts', 'style_performance') -%}
    {%- set log_rows = existing_relation('intermediate', 'int_log_rows') -%}
    {%- if none in [window, fact, issues, styles, log_rows] -%}
        {{ exceptions.raise_compiler_error("The warehouse is not built yet. Run `make build` or `dbt build`.") }}
    {%- endif -%}

    {%- set clock = run_query("select cast(as_of as text), cast(replaced_from as text) from " ~ window).rows[0] -%}
    {%- set read = run_query("select count(*) from " ~ log_rows).rows[0][0] -%}
    {%- set counted = run_query("select count(*), cast(min(activity_date) as text), cast(max(activity_date) as text) from " ~ fact).rows[0] -%}
    {{ print("") }}
    {{ print("The log: " ~ adapter.dispatch('log_place')()) }}
    {%- if clock[1] is none %}
    {{ print("  It has no row that is new enough to be counted; the marts are as they were.") }}
    {%- else %}
    {{ print("  read in this run    " ~ thousands(read) ~ " rows, from " ~ clock[1] ~ " up to " ~ clock[0] ~ " UTC") }}
    {%- endif %}
    {{ print("In the warehouse:") }}
    {{ print("  counted             " ~ thousands(counted[0]) ~ (" generations, " ~ counted[1] ~ " to " ~ counted[2] if counted[0] else " generations")) }}
    {%- for disposition, title, note in [
        ('set_aside', 'set aside          ', 'rows that cannot be counted'),
        ('repeated', 'repeated           ', 'rows whose id is counted already'),
        ('counted', 'counted in part    ', 'issues of rows whose other values are used'),
    ] %}
        {%- set found = run_query("select issue, cast(sum(row_count) as bigint) as n from " ~ issues ~ " where disposition = '"
            ~ disposition ~ "' group by issue order by n desc, issue").rows %}
        {{ print("  " ~ title ~ " " ~ thousands(found | map(attribute=1) | sum) ~ " " ~ note) }}
        {%- for row in found %}
        {{ print("      " ~ "%-24s" % row[0] ~ "%10s" % thousands(row[1])) }}
        {%- endfor %}
    {%- endfor %}
    {{ print("") }}
    {{ print("Styles by success rate, last 30 days (of 10 generations or more):") }}
    {{ print("  %-24s%12s%10s%18s" % ("style", "generations", "success", "USD per success")) }}
    {%- for row in run_query(
        "select style, sum(generation_count), 100.0 * sum(success_count) / sum(generation_count) as success_rate,"
        " sum(total_cost_usd) / nullif(sum(success_count), 0) from " ~ styles
        ~ " where activity_date > (select cast(as_of as date) from " ~ window ~ ") - 30"
        " group by style having sum(generation_count) >= 10 order by success_rate desc, 2 desc, style limit 10").rows %}
    {{ print("  %-24s%12s%9.1f%%%18s" % (row[0][:24], thousands(row[1]), row[2], "%.4f" % row[3] if row[3] is not none else "-")) }}
    {%- endfor %}
    {{ print("") }}
    {{ print("The database: " ~ adapter.dispatch('database_place')()) }}
    {{ print("  the marts are in the schema " ~ fact.schema ~ "; for example: select * from " ~ fact.schema ~ ".style_performance") }}
    {{ print("Next:") }}
    {{ print("  your own log        " ~ adapter.dispatch('own_log_hint')()) }}
    {{ print("  a question          .venv/bin/dbt show --limit -1 --select failures_by_message_7_days   (all: analyses/)") }}
    {{ print("  what the tables say make docs") }}
    {{ print("") }}
    {%- endif -%}
{% endmacro %}

{% macro thousands(number) %}{{ return("{:,}".format(number | int)) }}{% endmacro %}

{% macro duckdb__log_place() %}{{ return(log_path()) }}{% endmacro %}
{% macro postgres__log_place() %}{{ return("the table " ~ source('application', 'generation_logs')) }}{% endmacro %}
{% macro duckdb__database_place() %}{{ return(target.path ~ " (DuckDB)") }}{% endmacro %}
{% macro postgres__database_place() %}{{ return(target.dbname ~ " on " ~ target.host ~ " (PostgreSQL)") }}{% endmacro %}
{% macro duckdb__own_log_hint() %}{{ return("GENERATION_LOGS='exports/*.parquet' WAREHOUSE_DUCKDB=mine.duckdb make build") }}{% endmacro %}
{% macro postgres__own_log_hint() %}{{ return("GENERATION_LOGS_SCHEMA, GENERATION_LOGS_TABLE") }}{% endmacro %}
