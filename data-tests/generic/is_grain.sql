{#- One row for each value of these columns together; a null is a value like any other. -#}
{% test is_grain(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
