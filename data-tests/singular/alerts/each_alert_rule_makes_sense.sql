-- Stops a build before anything is judged where a rule of the seed makes no sense, and says all that is wrong, by name.
{{ config(tags=['alerts']) }}

{%- set problems = problems_of_rules(ref('alert_rules')) if flags.WHICH in ('test', 'build')
    and existing_relation('seeds', 'alert_rules') else none %}
{%- if problems %}
{{ exceptions.raise_compiler_error(problems ~ "\nNothing was judged. Correct them, then run `dbt build`.") }}
{%- endif %}

select
    rule_name,
    problem
from ({{ checked_rules(ref('alert_rules')) }}) as checked
where problem is not null
