{#- What people outside may see is made of groups. A group is safe if it has share_min_users users or more, and nobody
    can have more than half of its generations or of its cost: not even who has the most, if all that has no user were
    theirs as well. -#}
{% macro is_safe_group() -%}
    active_users >= {{ var('share_min_users') }}
    and 2 * most_generations <= generation_count
    and 2 * most_cost_usd <= total_cost_usd
{%- endmacro %}

{#- Of a part of a group, a number of users: none, or enough of them. -#}
{% macro is_safe_part(users, all_users) -%}
    ({{ users }} = 0 or {{ users }} >= {{ var('share_min_users') }})
    and ({{ users }} = {{ all_users }} or {{ users }} <= {{ all_users }} - {{ var('share_min_users') }})
{%- endmacro %}

{#- A query: under which name each part of a whole is shown. `user_parts` has what each user has in each part; `whole`
    is a list of columns. A part that is safe keeps its name. The others are shown as one, with as few more as make them
    safe together, the smallest first: as (other), or as (all) where no part is left. Null: the whole is not safe.

    Users are counted where they come first in the order of the parts. Nothing of what a user has is negative, so who
    has the most of the first parts is found among those who had the most up to some part of them. -#}
{% macro merged_parts(user_parts, whole, part) -%}
    {%- set of_whole = "partition by " ~ whole | join(', ') -%}
    {%- set whole = whole | join(', ') -%}
    {%- set amounts = {'most_generations': 'generation_count', 'most_cost_usd': 'total_cost_usd'} -%}
    with parts as (
        select
            {{ whole }},
            {{ part }},
            count(user_key) as active_users,
            sum(generation_count) as generation_count,
            sum(total_cost_usd) as total_cost_usd
            {%- for name, amount in amounts.items() %},
            coalesce(max({{ amount }}) filter (where user_key is not null), 0)
            + coalesce(sum({{ amount }}) filter (where user_key is null), 0) as {{ name }}
            {%- endfor %}
        from {{ user_parts }}
        group by {{ whole }}, {{ part }}
    ),

    -- a name that the log has by chance is not to be taken for one of ours
    judged as (
        select
            {{ whole }},
            {{ part }},
            active_users,
            {{ is_safe_group() }} and {{ part }} not in ('(other)', '(all)') as is_safe
        from parts
    ),

    ordered as (
        select
            {{ whole }},
            {{ part }},
            row_number() over ({{ of_whole }} order by is_safe, active_users, {{ part }} collate "C") as place,
            count(*) filter (where not is_safe) over ({{ of_whole }}) as unsafe_count,
            count(*) over ({{ of_whole }}) as part_count
        from judged
    ),

    so_far as (
        select
            {{ user_parts }}.*,
            ordered.place,
            ordered.unsafe_count,
            row_number() over ({{ of_whole }}, user_key order by ordered.place) as place_of_user
            {%- for name, amount in amounts.items() %},
            sum({{ amount }}) over ({{ of_whole }}, user_key order by ordered.place) as {{ name }}
            {%- endfor %}
        from {{ user_parts }}
        inner join ordered using ({{ whole }}, {{ part }})
    ),

    -- the first parts together, up to each of them
    first_parts as (
        select
            {{ whole }},
            place,
            unsafe_count,
            sum(count(user_key) filter (where place_of_user = 1)) over up_to_here as active_users,
            sum(sum(generation_count)) over up_to_here as generation_count,
            sum(sum(total_cost_usd)) over up_to_here as total_cost_usd
            {%- for name in amounts %},
            coalesce(max(max({{ name }}) filter (where user_key is not null)) over up_to_here, 0)
            + coalesce(max(max({{ name }}) filter (where user_key is null)) over up_to_here, 0) as {{ name }}
            {%- endfor %}
        from so_far
        group by {{ whole }}, place, unsafe_count
        window up_to_here as ({{ of_whole }} order by place)
    ),

    merged as (
        select
            {{ whole }},
            min(place) as last_place
        from first_parts
        where place >= unsafe_count and {{ is_safe_group() }}
        group by {{ whole }}
    )

    select
        {{ whole }},
        {{ part }},
        case
            when ordered.unsafe_count = 0 or ordered.place > merged.last_place then {{ part }}
            when ordered.part_count = merged.last_place then '(all)'
            when merged.last_place is not null then '(other)'
        end as shown_{{ part }}
    from ordered
    left join merged using ({{ whole }})
{%- endmacro %}
