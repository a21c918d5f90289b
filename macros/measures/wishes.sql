{#- Does a generation begin a wish? Not where the same user's generation before it failed, at most 30 minutes ago. One
    without a user does. -#}
{% macro is_first_attempt() -%}
    {%- set by_user = "over (partition by coalesce(user_key, generation_id) order by created_at, generation_id)" -%}
    coalesce(
        lag(is_success) {{ by_user }} or created_at > lag(created_at) {{ by_user }} + interval '30' minute,
        true
    )
{%- endmacro %}

{#- The day, as a constant, on which the oldest wish began that may go on with a generation of a given day or later. The
    days before are looked at in a few steps, as wishes are short: an attempt in the first half hour that is looked at
    may go on with a still older one. -#}
{% macro first_day_of_wishes(first_date) %}
    {%- set fact, steps, found = ref('fct_generations'), [1, 8, 36500], namespace(day=none) -%}
    {%- for days in steps if found.day is none and first_date != constant(none, 'date') -%}
        {%- set query %}
        with attempts as (
            select
                user_key,
                created_at,
                {{ is_first_attempt() }} as is_first
            from {{ fact }}
            where activity_date >= {{ first_date }} - {{ days }} and activity_date < {{ first_date }}
                and user_key in (
                    select user_key from {{ fact }}
                    where created_at >= cast({{ first_date }} as timestamp) - interval '30' minute
                        and created_at < {{ first_date }} and not is_success
                )
        ),

        begun as (
            select max(created_at) as begun_at from attempts
            where is_first
            group by user_key
        )

        select
            cast(least({{ first_date }}, min(cast(begun_at as date))) as text),
            min(begun_at) < cast({{ first_date }} - {{ days }} as timestamp) + interval '30' minute
        from begun
        {%- endset -%}
        {%- set row = ask(query).rows[0] -%}
        {%- if not row[1] or days == steps[2] -%}{%- set found.day = constant(row[0][:10], 'date') -%}{%- endif -%}
    {%- endfor -%}
    {{ return(found.day or first_date) }}
{% endmacro %}
