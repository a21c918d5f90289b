{#- Quantiles of durations from duration_histogram: one row per value of the columns in `by` (all in one without any),
    over the rows that `where` selects. `shares` maps the name of a column to its share: {'p95_duration_ms': 0.95}. As
    percentile_cont, it interpolates between the two neighbouring ranks; of each it knows the bucket's estimate only, so
    the result is within 1 % of the exact quantile. -#}
{% macro duration_quantiles(shares, by=[], where='true') -%}
    {%- set columns = by | join(', ') -%}
    {%- set of_group = "partition by " ~ columns if by else "" -%}
    select
        {{ columns ~ "," if by }}
        max(timed_count) as timed_count
        {%- for name, share in shares.items() %}
        {%- set rank = "cast(" ~ share ~ " as double precision) * (timed_count - 1)" %}
        {%- set lower = "min(bucket_estimate_ms) filter (where up_to_here > floor(" ~ rank ~ "))" %}
        {%- set upper = "min(bucket_estimate_ms) filter (where up_to_here > ceil(" ~ rank ~ "))" %},
        {{ lower }} + max({{ rank }} - floor({{ rank }})) * ({{ upper }} - {{ lower }}) as {{ name }}
        {%- endfor %}
    from (
        select
            buckets.*,
            cast(sum(bucket_count) over ({{ of_group }} order by bucket_estimate_ms) as bigint) as up_to_here,
            cast(sum(bucket_count) over ({{ of_group }}) as bigint) as timed_count
        from (
            select
                {{ columns ~ "," if by }}
                bucket_estimate_ms,
                sum(generation_count) as bucket_count
            from {{ ref('duration_histogram') }}
            where {{ where }}
            group by {{ columns ~ ", " if by }}bucket_estimate_ms
        ) as buckets
    ) as ranked
    {{ "group by " ~ columns if by }}
{%- endmacro %}
