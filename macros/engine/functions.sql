{#- The functions that read a value of the log. Each engine has them under the same names, made when a run starts: see
    functions_duckdb.sql and functions_postgres.sql, to be read side by side. -#}
{% macro reading_function(name) %}{{ adapter.dispatch('reading_function')(name, varargs) }}{% endmacro %}
{% macro default__reading_function(name, arguments) -%}
    {{ internal_schema() }}.{{ name }}({{ arguments | join(', ') }})
{%- endmacro %}

{#- What seeds say is in the text of functions: joined, a pattern would be compiled again for each row. Made when a run
    starts, and after the seed. -#}
{% macro pattern_function(name, seed) %}
    {%- set patterns = run_query("select position, pattern from " ~ seed ~ " order by position").rows
        if execute and seed else [] -%}
    {{ adapter.dispatch('pattern_function')(name, patterns) }}
{% endmacro %}

{#- How the documents costs, tokens and timings are read, as the seed document_keys says. Nearly all are plain: they
    hold the two first keys of each value, which are much fewer than all, and nothing else. `_members` takes out
    what is known, in one pass; `_value` is a step's count from that; `_have_others` tells whether there is more;
    `_other` is the count of one further key. -#}
{% macro document_functions(seed) %}
    {%- set query = "select document, key_name, coalesce(step, ''), coalesce(counts, '') from " ~ seed
        ~ " order by position" -%}
    {%- set keys = run_query(query).rows if execute and seed else [] -%}
    {%- set functions = {} -%}
    {%- for document in ['costs', 'tokens', 'timings'] if keys -%}
        {#- each value is found by several ways: a key, or a key within the object of a step -#}
        {%- set ways, first, known, steps, names = {}, [], [], {}, {} -%}
        {%- for _, key, step, counts in keys | selectattr(0, 'equalto', document) -%}
            {%- do known.append(key) -%}
            {%- if not counts -%}
                {%- do steps.setdefault(step, []).append(key) -%}
            {%- elif counts != 'nothing' -%}
                {%- do ways.setdefault(step ~ '.' ~ counts, []).append([key]) -%}
                {%- do names.setdefault(counts, []).append(key) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for step, step_keys in steps.items() -%}
            {%- for counts, count_keys in names.items() -%}
                {%- for step_key in step_keys -%}
                    {%- for key in count_keys -%}
                        {%- do known.append(step_key ~ '_' ~ key) -%}
                        {%- set found = ways.setdefault(step ~ '.' ~ counts, []) -%}
                        {%- do found.extend([[step_key ~ '_' ~ key], [step_key, key]]) -%}
                    {%- endfor -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
        {#- the seed of an older release does not know every document -#}
        {%- if not ways -%}{%- do ways.update({'.': [['none']]}) -%}{%- endif -%}
        {%- for paths in ways.values() -%}
            {%- do first.extend((paths | selectattr(1, 'undefined') | map('first') | list)[:2]) -%}
        {%- endfor -%}
        {%- set others = [] -%}
        {%- for counts, count_keys in names.items() if steps -%}
            {%- set nested = [] -%}
            {%- for key in count_keys -%}{%- do nested.append("entry ->> " ~ quoted(key)) -%}{%- endfor -%}
            {#- a step that is not listed: its total follows from the rest -#}
            {%- if counts != 'total' -%}
                {%- set ending = "_(" ~ count_keys | map('replace', '.', '[.]') | join('|') ~ ")$" -%}
                {%- do nested.append("case when " ~ reading_function('matches', 'key_name', quoted(ending)) ~ " then "
                    ~ reading_function('scalar_text', 'entry') ~ " end") -%}
            {%- endif -%}
            {%- do others.append("when " ~ quoted(counts) ~ " then coalesce(" ~ nested | join(', ') ~ ")") -%}
        {%- endfor -%}
        {%- set other = "case counts " ~ others | join(' ') ~ " end" if steps
            else reading_function('scalar_text', 'entry') -%}
        {%- set known = known | unique | list -%}
        {#- what was read from a cache, and what a model thought, is a part of what is counted beside it -#}
        {%- do functions.update(adapter.dispatch('document_functions')(document, ways, first, known)) -%}
        {%- do functions.update({document ~ '_other': {
            'arguments': {'key_name': 'text', 'entry': 'jsonb', 'counts': 'text'}, 'type': 'text',
            'body': "case when key_name not in (" ~ literals(known) ~ ")"
                ~ (" and not " ~ reading_function('matches', 'key_name', "'cache|reasoning|thought'")
                    if document == 'tokens' else "") ~ " then " ~ other ~ " end",
        }}) -%}
    {%- endfor -%}
    {{ make_functions(functions) }}
{% endmacro %}

{#- Functions by name, each a type, a body and the types of its arguments. -#}
{% macro make_functions(functions) %}{{ adapter.dispatch('make_functions')(functions) if execute }}{% endmacro %}
