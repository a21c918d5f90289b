{#- A table in which this run has no day to replace is left alone: dbt would send a dozen statements to replace nothing by
    nothing. The issues are written in any case, for the rows without a day. -#}
{% materialization incremental, adapter='duckdb' %}
    {{ return(left_alone() if has_nothing_to_replace() else dbt.materialization_incremental_duckdb()) }}
{% endmaterialization %}

{% materialization incremental, adapter='postgres' %}
    {{ return(left_alone() if has_nothing_to_replace() else dbt.materialization_incremental_default()) }}
{% endmaterialization %}

{% macro has_nothing_to_replace() %}
    {{ return(is_incremental() and config.get('incremental_strategy') == 'replace_days' and not config.get('meta').get('also_replaced')
        and replaced_from() == constant(none, 'date')) }}
{% endmacro %}

{% macro left_alone() %}
    {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}
