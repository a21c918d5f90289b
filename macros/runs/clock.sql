{#- Times that the whole warehouse shares. All of them are UTC. -#}
{% macro wall_clock() %}timezone('UTC', now()){% endmacro %}

{#- An older created_at is no date of this service; a newer one is in the future. -#}
{% macro earliest_created_at() %}timestamp '2000-01-01 00:00:00'{% endmacro %}
{% macro latest_created_at(run_at=none) %}{{ run_at or wall_clock() }} + interval '5' minute{% endmacro %}

{% macro as_of_is_timestamp() %}{{ return(var('as_of') not in (none, 'now')) }}{% endmacro %}
{% macro as_of_timestamp() %}timestamp '{{ var("as_of") | string | replace("'", "") }}'{% endmacro %}
