-- What comes before the common part of by_hand.sql on PostgreSQL: the clock, the fact and the issues, read from the
-- application's own table. There each `create table` becomes a materialized view; the seeds and the salt are tables.

create table clock as
select max(created_at) as as_of from public.generation_logs;

create table fct_generations as
with numbers as (
    select
        *,
        cast(costs ->> 'vision' as numeric(18, 6)) as vision_usd,
        cast(coalesce(costs ->> 'image_generation', costs ->> 'image') as numeric(18, 6)) as image_usd,
        cast(costs ->> 'storage' as numeric(18, 6)) as storage_usd,
        cast(costs ->> 'total' as numeric(18, 6)) as total_usd,
        coalesce(
            cast(tokens ->> 'input' as bigint),
            cast(tokens -> 'vision' ->> 'prompt_tokens' as bigint) + coalesce(cast(tokens -> 'image' ->> 'input_tokens' as bigint), 0)
        ) as input_tokens,
        coalesce(
            cast(tokens ->> 'output' as bigint),
            cast(tokens -> 'vision' ->> 'completion_tokens' as bigint) + coalesce(cast(tokens -> 'image' ->> 'output_tokens' as bigint), 0)
        ) as output_tokens
    from public.generation_logs
    offset 0
)

select
    id as generation_id,
    cast(created_at as date) as activity_date,
    cast(left(encode(sha256(convert_to((select salt from salt) || cast(user_id as text), 'UTF8')), 'hex'), 32) as uuid) as user_key,
    job_id,
    style,
    difficulty,
    success as is_success,
    case when not success then coalesce(known.error_category, 'unknown') end as error_category,
    case when not success then coalesce(known.error_signature, left(trim(
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(error_message
            , '[A-Za-z][A-Za-z0-9+.-]*://[^ "<>'']+', '<url>', 'g')
            , '[^ "<>(){}:;,='']+@[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9]', '<email>', 'g')
            , '[Bb]earer +[^ "]+', '<key>', 'g')
            , '[A-Za-z0-9]{2,8}-[A-Za-z0-9_-]*[*]{2,}[A-Za-z0-9_-]*', '<key>', 'g')
            , '(sk|pk|rk|key|api|ghp|xox[abp])[_-][A-Za-z0-9_-]{8,}', '<key>', 'g')
            , '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?', '<time>', 'g')
            , '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}', '<id>', 'g')
            , '[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}(:[0-9]+)?', '<ip>', 'g')
            , '[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){3,}', '<ip>', 'g')
            , '(org|req|user|job|file|proj|asst|run|img|batch|chatcmpl|gen)[_-][A-Za-z0-9_-]+', '<id>', 'g')
            , '(?i)[^ "<>()=,;'']*[.](png|jpe?g|gif|webp|heic|heif|avif|bmp|tiff?|svg|pdf|txt|json|zip|mp4)', '<file>', 'g')
            , '[^ "<>()=,;'']*/[^ "<>()=,;'']*/[^ "<>()=,;'']*', '<file>', 'g')
            , '[A-Za-z0-9_+/=-]*[0-9][A-Za-z0-9_+/=-]{15,}|[A-Za-z0-9_+/=-]{32,}', '<id>', 'g')
            , '[A-Za-z0-9_+/-]{8,}[0-9][A-Za-z0-9_+/=-]*', '<id>', 'g')
            , '[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?', '<time>', 'g')
            , '[0-9]+([.,][0-9]+)*', '<number>', 'g')
            , '[ \t\n\r\f\v]+', ' ', 'g')
    ), 200)) end as error_signature,
    cast(duration_ms as bigint) as duration_ms,
    vision_usd as vision_cost_usd,
    image_usd as image_cost_usd,
    storage_usd as storage_cost_usd,
    cast(total_usd - coalesce(vision_usd, 0) - coalesce(image_usd, 0) - coalesce(storage_usd, 0) as numeric(18, 6)) as unattributed_cost_usd,
    total_usd as total_cost_usd,
    input_tokens,
    output_tokens,
    coalesce(cast(tokens ->> 'total' as bigint), input_tokens + output_tokens) as total_tokens,
    created_at,
    date_trunc('hour', created_at) as activity_hour,
    cast(created_at as date) + interval '1 day' <= (select as_of from clock) as is_complete
from numbers
left join lateral (
    select error_category, error_signature
    from error_patterns
    where error_message ~* pattern
    order by position
    limit 1
) as known on not success;

create table generation_log_issues as
with log as (
    select id, created_at, user_id, costs, tokens
    from public.generation_logs
    where costs is null or costs = '{}' or tokens is null or tokens = '{}'
),

issues as (
    select
        *,
        'malformed_costs' as issue,
        case when costs is null then 'no costs logged' else 'no amount in it' end as detail
    from log
    where costs is null or costs = '{}'

    union all

    select
        *,
        'malformed_tokens' as issue,
        case when tokens is null then 'no tokens logged' else 'no count in it' end as detail
    from log
    where tokens is null or tokens = '{}'
)

select
    cast(created_at as date) as activity_date,
    id as generation_id,
    created_at,
    issue,
    'counted' as disposition,
    cast(1 as bigint) as row_count,
    cast(left(encode(sha256(convert_to((select salt from salt) || cast(user_id as text), 'UTF8')), 'hex'), 32) as uuid) as user_key,
    detail,
    cast(created_at as date) + interval '1 day' <= (select as_of from clock) as is_complete
from issues;

