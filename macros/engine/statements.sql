{#- Statements that the engines write differently. -#}

{#- DuckDB has one writing process, and its transactions conflict rather than mix. -#}
{% macro lock_table(relation) %}{{ adapter.dispatch('lock_table')(relation) }}{% endmacro %}
{% macro duckdb__lock_table(relation) %}{% endmacro %}
{% macro postgres__lock_table(relation) -%}
    {{ waiting_briefly("lock table " ~ relation ~ " in exclusive mode", relation) }};
{%- endmacro %}

{#- Of a group's values, the one that comes first in an order. -#}
{% macro first_in_order(value, order) %}{{ adapter.dispatch('first_in_order')(value, order) }}{% endmacro %}
{% macro duckdb__first_in_order(value, order) %}first({{ value }} order by {{ order }}){% endmacro %}
{% macro postgres__first_in_order(value, order) %}(array_agg({{ value }} order by {{ order }}))[1]{% endmacro %}

{#- Puts rows in the place of those of a table for which a condition holds. PostgreSQL keeps what is the same: each row
    that is written again leaves a dead one behind, and most rows of a day that is rebuilt have not changed. -#}
{% macro replace_rows(target, rows, columns, replaced) -%}
    {{ adapter.dispatch('replace_rows')(target, rows, columns, replaced) }}
{%- endmacro %}
{% macro duckdb__replace_rows(target, rows, columns, replaced) %}
    delete from {{ target }} where {{ replaced }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ rows }};
{% endmacro %}
{% macro postgres__replace_rows(target, rows, columns, replaced) %}
    {%- set is_same -%}
        hash_record_extended(row(new.{{ columns | replace(', ', ', new.') }}), 0)
        = hash_record_extended(row(old.{{ columns | replace(', ', ', old.') }}), 0)
        and row(new.{{ columns | replace(', ', ', new.') }})
        is not distinct from row(old.{{ columns | replace(', ', ', old.') }})
    {%- endset %}
    delete from {{ target }} as old where ({{ replaced }}) and not exists (
        select 1 from {{ rows }} as new where {{ is_same }}
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ rows }} as new where not exists (
        select 1 from (select * from {{ target }} where {{ replaced }}) as old where {{ is_same }}
    );
{% endmacro %}

{#- PostgreSQL: a statement that needs a lock on a relation, and waits for it no longer than lock_timeout_seconds. Then
    it fails, saying who has the lock. -#}
{% macro waiting_briefly(statement, relation, seconds=none) -%}
    select {{ internal_schema() }}.waiting_briefly(
        $statement${{ statement }}$statement$, '{{ relation }}', {{ seconds or var('lock_timeout_seconds') }}
    )
{%- endmacro %}

{#- Before a model's or a test's own statement. The application's log is looked at first where it is read, as its owner
    may be about to change it: behind a run that waits there, the application would wait. -#}
{% macro limit_waits() -%}
    {%- set log = source('application', 'generation_logs') -%}
    {%- set read = model.depends_on.nodes | join(' ') -%}
    {%- if 'source.' in read or '.stg_' in read or '.base_log_' in read -%}
        {{ waiting_briefly("select 1 from " ~ log ~ " limit 0", log, [1, var('lock_timeout_seconds')] | min) }};
    {%- endif -%}
    {{ lock_timeout() }}
{%- endmacro %}

{#- PostgreSQL: how long each statement of this transaction may wait for a lock. -#}
{% macro lock_timeout() %}{{ adapter.dispatch('lock_timeout')() }}{% endmacro %}
{% macro default__lock_timeout() %}{% endmacro %}
{% macro postgres__lock_timeout() %}set local lock_timeout = '{{ (var('lock_timeout_seconds') * 1000) | int }}ms';
{% endmacro %}

{#- Numbers that go up, each given once. -#}
{% macro next_number(sequence) %}nextval('{{ internal_schema() }}.{{ sequence }}'){% endmacro %}

{#- PostgreSQL would keep what with_columns() adds for a row with the same documents; none comes, and a hash costs. It
    would also compile the expressions, which takes longer than to read a day, or to judge a few windows. -#}
{% macro planned_for_one_pass() %}{{ adapter.dispatch('planned_for_one_pass')() }}{% endmacro %}
{% macro default__planned_for_one_pass() %}{% endmacro %}
{% macro postgres__planned_for_one_pass() %}set local enable_memoize = off; set local jit = off{% endmacro %}

{#- PostgreSQL knows nothing of the rows of a step that it has not yet made, takes them for a few, and would compare
    each with each: to part 2,500 generations took it minutes. By hashes 300,000 take three seconds. -#}
{% macro planned_with_hashes() %}{{ adapter.dispatch('planned_with_hashes')() }}{% endmacro %}
{% macro default__planned_with_hashes() %}{% endmacro %}
{% macro postgres__planned_with_hashes() %}set local enable_nestloop = off; set local jit = off{% endmacro %}

{#- When users were first seen, as the kept user-days from before a date say: a query of one row per user that they
    know. All days of a user say the same. PostgreSQL reads the first alone, by the index. DuckDB has none: it reads the
    keys of all, once, past a hash table of the few users. -#}
{% macro first_ever_at_before(kept, users, date) -%}
    {{ adapter.dispatch('first_ever_at_before')(kept, users, date) }}
{%- endmacro %}

{% macro postgres__first_ever_at_before(kept, users, date) -%}
    select
        user_key,
        (
            select earlier.first_ever_at from {{ kept }} as earlier
            where earlier.user_key = users.user_key and earlier.activity_date < {{ date }}
            order by earlier.activity_date
            limit 1
        ) as first_ever_at
    from (select distinct user_key from {{ users }}) as users
{%- endmacro %}

{% macro duckdb__first_ever_at_before(kept, users, date) -%}
    select
        earlier.user_key,
        min(earlier.first_ever_at) as first_ever_at
    from {{ kept }} as earlier
    inner join (select distinct user_key from {{ users }}) as users on earlier.user_key = users.user_key
    where earlier.activity_date < {{ date }}
    group by earlier.user_key
{%- endmacro %}
