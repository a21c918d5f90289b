{#- A mart's measures, summed by day, equal those of fct_generations over the days that the fact holds whole. `measures`
    maps a column of the mart to the expression over the fact; `fact_filter` says which generations the mart is about.
    -#}
{% test equals_fact_by_day(model, measures, time_column='activity_date', fact_filter='true') %}
with mart as (
    select
        cast({{ time_column }} as date) as activity_date
        {%- for column in measures %},
        sum({{ column }}) as {{ column }}
        {%- endfor %}
    from {{ model }}
    where {{ time_column }} >= (select min(activity_date) from {{ ref('fct_generations') }})
        and {{ replaced_days('fct_generations', time_column) or 'true' }}
    group by cast({{ time_column }} as date)
),

fact as (
    select
        activity_date
        {%- for column, expression in measures.items() %},
        {{ expression }} as {{ column }}
        {%- endfor %}
    from {{ ref('fct_generations') }}
    where {{ replaced_days('fct_generations') or 'true' }}
        and {{ days_in_step('activity_date') or 'true' }}
        and ({{ fact_filter }})
    group by activity_date
)

select
    coalesce(mart.activity_date, fact.activity_date) as activity_date
    {%- for column in measures %},
    mart.{{ column }} as mart_{{ column }},
    fact.{{ column }} as fact_{{ column }}
    {%- endfor %}
from mart
full outer join fact on mart.activity_date = fact.activity_date
where false
    {%- for column in measures %}
    or coalesce(mart.{{ column }}, 0) != coalesce(fact.{{ column }}, 0)
    {%- endfor %}
{% endtest %}
