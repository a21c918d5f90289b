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
    what is known, in one pass; `_vision_input`, `_input` and so on are a step's counts, and those of the generation as
    a whole, from that; `_have_others` tells whether there is more, `_is_other` which keys are more, and `_other_input`
    what such a key counts. There is a function for each value: DuckDB takes in the whole text of a function wherever it
    is used, and a text of all values, used for each of them, takes long to plan. -#}
{% macro document_functions(seed) %}
    {%- set query = "select document, key_name, coalesce(step || '_', ''), coalesce(counts, '') from " ~ seed
        ~ " order by position" -%}
    {%- set keys = run_query(query).rows if execute and seed else [] -%}
    {%- set counted = {'costs': ['amount'], 'tokens': ['input', 'output', 'total'], 'timings': ['ms']} -%}
    {%- set functions = {} -%}
    {%- for document, all_counts in counted.items() if keys -%}
        {#- each value is found by several ways: a key, or a key within the object of a step -#}
        {%- set ways, first, known, steps, names = {}, [], [], {}, {} -%}
        {%- for counts in all_counts -%}
            {%- do names.update({counts: []}) -%}
            {%- for step in ['', 'vision_', 'image_', 'storage_'] -%}{%- do ways.update({step ~ counts: []}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for _, key, step, counts in keys | selectattr(0, 'equalto', document) -%}
            {%- do known.append(key) -%}
            {%- if not counts -%}
                {%- do steps.setdefault(step, []).append(key) -%}
            {%- elif counts in names -%}
                {%- do ways.setdefault(step ~ counts, []).append([key]) -%}
                {%- do names[counts].append(key) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for step, step_keys in steps.items() -%}
            {%- for counts, count_keys in names.items() -%}
                {%- for step_key in step_keys -%}
                    {%- for key in count_keys -%}
                        {%- do known.append(step_key ~ '_' ~ key) -%}
                        {%- set found = ways.setdefault(step ~ counts, []) -%}
                        {%- do found.extend([[step_key ~ '_' ~ key], [step_key, key]]) -%}
                    {%- endfor -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for paths in ways.values() -%}
            {%- do first.extend((paths | selectattr(1, 'undefined') | map('first') | list)[:2]) -%}
        {%- endfor -%}
        {%- set known = known | unique | list -%}
        {%- do functions.update(adapter.dispatch('document_functions')(document, ways, first or ['none'], known)) -%}
        {#- what was read from a cache, and what a model thought, is a part of what is counted beside it -#}
        {%- do functions.update({document ~ '_is_other': {
            'arguments': {'key_name': 'text'}, 'type': 'boolean',
            'body': "key_name not in (" ~ literals(known) ~ ")" ~ (" and not "
                ~ reading_function('matches', 'key_name', "'cache|reasoning|thought'") if document == 'tokens' else ""),
        }}) -%}
        {%- for counts, count_keys in names.items() -%}
            {%- set nested = [] -%}
            {%- for key in count_keys if steps -%}{%- do nested.append("entry ->> " ~ quoted(key)) -%}{%- endfor -%}
            {#- a step that is not listed: its total follows from the rest -#}
            {%- if nested and counts != 'total' -%}
                {%- set ending = "_(" ~ count_keys | map('replace', '.', '[.]') | join('|') ~ ")$" -%}
                {%- do nested.append("case when " ~ reading_function('matches', 'key_name', quoted(ending)) ~ " then "
                    ~ reading_function('scalar_text', 'entry') ~ " end") -%}
            {%- endif -%}
            {%- do functions.update({document ~ '_other_' ~ counts: {
                'arguments': {'key_name': 'text', 'entry': 'jsonb'}, 'type': 'text',
                'body': "coalesce(" ~ nested | join(', ') ~ ")" if nested
                    else "cast(null as text)" if steps else reading_function('scalar_text', 'entry'),
            }}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ make_functions(functions) }}
{% endmacro %}

{#- Functions by name, each a type, a body and the types of its arguments. -#}
{% macro make_functions(functions) %}{{ adapter.dispatch('make_functions')(functions) if execute }}{% endmacro %}
