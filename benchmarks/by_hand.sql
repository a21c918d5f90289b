-- The warehouse's tables by hand: int_user_days and all marts of a clean log, in one go. The log's columns have the
-- right types and its ids do not repeat, so nothing is checked and nothing is set aside. Written for speed.
--
-- The session has the variables `log` (files) and `salt` (of the user keys), and the warehouse's own functions for error
-- texts. Everything after the fact is PostgreSQL's SQL too; by_hand_postgres.sql has what comes before it.

create table error_categories as
select * from read_csv('seeds/error_categories.csv');

create table error_patterns as
select * from read_csv('seeds/error_patterns.csv');

create table clock as
select
    max(created_at) as as_of,
    min(created_at) as held_from
from read_parquet(getvariable('log'));

create table fct_generations as
with documents as (
    select
        *,
        json_transform(costs, '{"vision": "DOUBLE", "image": "DOUBLE", "total": "DOUBLE"}') as c,
        json_transform(tokens, '{
            "vision_input": "BIGINT", "vision_output": "BIGINT", "image_input": "BIGINT", "image_output": "BIGINT"
        }') as t,
        case when not success then warehouse_internal.error_pattern(error_message) end as pattern_position
    from read_parquet(getvariable('log'))
),

numbers as (
    select
        *,
        -- the zeros of a failure say nothing
        success or c.total > 0 as has_documents,
        cast(case when has_documents then c.vision end as decimal(18, 6)) as vision_usd,
        cast(case when has_documents then c.image end as decimal(18, 6)) as image_usd,
        cast(case when has_documents then c.total end as decimal(18, 6)) as total_usd,
        case when has_documents then t.vision_input end as vision_input_tokens,
        case when has_documents then t.vision_output end as vision_output_tokens,
        case when has_documents then t.image_input end as image_input_tokens,
        case when has_documents then t.image_output end as image_output_tokens,
        vision_input_tokens + image_input_tokens as input_tokens,
        vision_output_tokens + image_output_tokens as output_tokens
    from documents
)

select
    id as generation_id,
    cast(created_at as date) as activity_date,
    cast(left(sha256(getvariable('salt') || cast(user_id as varchar)), 32) as uuid) as user_key,
    job_id,
    coalesce(lower(replace(replace(style, '_', ' '), '-', ' ')), 'unknown') as style,
    difficulty,
    success as is_success,
    case when not success then coalesce(error_patterns.error_category, 'unknown') end as error_category,
    case
        when success then null
        when pattern_position is not null then error_patterns.error_signature
        else warehouse_internal.scrubbed(error_message)
    end as error_signature,
    -- a request that is refused early has one since 1970
    case when duration_ms <= 86400000 then duration_ms end as duration_ms,
    vision_usd as vision_cost_usd,
    image_usd as image_cost_usd,
    cast(null as decimal(18, 6)) as storage_cost_usd,
    cast(total_usd - vision_usd - image_usd as decimal(18, 6)) as unattributed_cost_usd,
    total_usd as total_cost_usd,
    input_tokens,
    output_tokens,
    input_tokens + output_tokens as total_tokens,
    created_at,
    date_trunc('hour', created_at) as activity_hour,
    vision_input_tokens,
    vision_output_tokens,
    image_input_tokens,
    image_output_tokens,
    cast(null as varchar) as scene_type,
    cast(null as bigint) as photo_size_bytes,
    cast(null as varchar) as model,
    cast(null as bigint) as vision_ms,
    cast(null as bigint) as image_ms,
    cast(null as bigint) as storage_ms,
    cast(created_at as date) + interval '1 day' <= (select as_of from clock)
    and cast(created_at as date) >= (select held_from from clock) as is_complete
from numbers
left join error_patterns on pattern_position = error_patterns.position;

-- a clean log has no other issues than those of failures
create table generation_log_issues as
with issues as (
    select
        id,
        created_at,
        user_id,
        'invalid_difficulty' as issue,
        'difficulty is missing, no integer, or out of range' as detail
    from read_parquet(getvariable('log'))
    where difficulty is null

    union all

    select
        id,
        created_at,
        user_id,
        'invalid_duration' as issue,
        'duration_ms is missing, no number, negative, or above a day' as detail
    from read_parquet(getvariable('log'))
    where duration_ms > 86400000

    union all

    select
        id,
        created_at,
        user_id,
        'unrecorded_cost' as issue,
        'a failure whose costs are all zero: unknown' as detail
    from read_parquet(getvariable('log'))
    where not success and cast(costs ->> 'total' as double) = 0
)

select
    cast(created_at as date) as activity_date,
    id as generation_id,
    created_at,
    issue,
    'counted' as disposition,
    cast(1 as bigint) as row_count,
    cast(left(sha256(getvariable('salt') || cast(user_id as varchar)), 32) as uuid) as user_key,
    detail,
    cast(created_at as date) + interval '1 day' <= (select as_of from clock)
    and cast(created_at as date) >= (select held_from from clock) as is_complete
from issues;

-- From here on the same SQL serves both engines.

create table style_difficulty_performance as
with measured as (
    select
        activity_date,
        style,
        difficulty,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count,
        count(distinct user_key) as active_users,
        count(duration_ms) filter (where is_success) as timed_success_count,
        sum(duration_ms) filter (where is_success) as total_duration_ms,
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) filter (where is_success) as p,
        count(total_cost_usd) as costed_generation_count,
        sum(total_cost_usd) as total_cost_usd,
        sum(total_cost_usd) filter (where not is_success) as failed_cost_usd,
        count(total_cost_usd) filter (where not is_success) as costed_failure_count,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        sum(total_tokens) as total_tokens,
        count(input_tokens) as counted_input_generation_count,
        count(output_tokens) as counted_output_generation_count
    from fct_generations
    group by activity_date, style, difficulty
)

select
    activity_date,
    style,
    difficulty,
    generation_count,
    success_count,
    generation_count - success_count as failure_count,
    cast(success_count as double precision) / generation_count as success_rate,
    active_users,
    timed_success_count,
    cast(coalesce(total_duration_ms, 0) as bigint) as total_duration_ms,
    cast(total_duration_ms as double precision) / nullif(timed_success_count, 0) as avg_duration_ms,
    cast(p[1] as double precision) as p50_duration_ms,
    cast(p[2] as double precision) as p95_duration_ms,
    cast(p[3] as double precision) as p99_duration_ms,
    costed_generation_count,
    cast(coalesce(total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
    cast(total_cost_usd as double precision) / nullif(costed_generation_count, 0) as avg_cost_usd,
    cast(coalesce(failed_cost_usd, 0) as numeric(18, 6)) as failed_cost_usd,
    cast(coalesce(total_cost_usd, 0) as double precision) / nullif(success_count, 0) as cost_per_success_usd,
    cast(coalesce(input_tokens, 0) as bigint) as input_tokens,
    cast(coalesce(output_tokens, 0) as bigint) as output_tokens,
    cast(coalesce(total_tokens, 0) as bigint) as total_tokens,
    costed_failure_count,
    costed_failure_count,
    counted_input_generation_count,
    counted_output_generation_count,
    activity_date + interval '1 day' <= (select as_of from clock)
    and activity_date >= (select held_from from clock) as is_complete
from measured;

create table style_performance as
with measured as (
    select
        activity_date,
        style,
        count(distinct user_key) as active_users,
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) filter (where is_success) as p
    from fct_generations
    group by activity_date, style
),

summed as (
    select
        activity_date,
        style,
        sum(generation_count) as generation_count,
        sum(success_count) as success_count,
        sum(timed_success_count) as timed_success_count,
        sum(total_duration_ms) as total_duration_ms,
        sum(costed_generation_count) as costed_generation_count,
        sum(total_cost_usd) as total_cost_usd,
        sum(failed_cost_usd) as failed_cost_usd,
        sum(costed_failure_count) as costed_failure_count,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        sum(total_tokens) as total_tokens,
        sum(counted_input_generation_count) as counted_input_generation_count,
        sum(counted_output_generation_count) as counted_output_generation_count
    from style_difficulty_performance
    group by activity_date, style
)

select
    activity_date,
    style,
    cast(generation_count as bigint) as generation_count,
    cast(success_count as bigint) as success_count,
    cast(generation_count - success_count as bigint) as failure_count,
    cast(success_count as double precision) / cast(generation_count as bigint) as success_rate,
    active_users,
    cast(timed_success_count as bigint) as timed_success_count,
    cast(total_duration_ms as bigint) as total_duration_ms,
    cast(total_duration_ms as double precision) / nullif(cast(timed_success_count as bigint), 0) as avg_duration_ms,
    cast(p[1] as double precision) as p50_duration_ms,
    cast(p[2] as double precision) as p95_duration_ms,
    cast(p[3] as double precision) as p99_duration_ms,
    cast(costed_generation_count as bigint) as costed_generation_count,
    cast(total_cost_usd as numeric(18, 6)) as total_cost_usd,
    cast(total_cost_usd as double precision) / nullif(cast(costed_generation_count as bigint), 0) as avg_cost_usd,
    cast(failed_cost_usd as numeric(18, 6)) as failed_cost_usd,
    cast(total_cost_usd as double precision) / nullif(cast(success_count as bigint), 0) as cost_per_success_usd,
    cast(input_tokens as bigint) as input_tokens,
    cast(output_tokens as bigint) as output_tokens,
    cast(total_tokens as bigint) as total_tokens,
    cast(costed_failure_count as bigint) as costed_failure_count,
    cast(counted_input_generation_count as bigint) as counted_input_generation_count,
    cast(counted_output_generation_count as bigint) as counted_output_generation_count,
    activity_date + interval '1 day' <= (select as_of from clock)
    and activity_date >= (select held_from from clock) as is_complete
from summed
inner join measured using (activity_date, style);

create table cost_by_difficulty as
with measured as (
    select
        activity_date,
        difficulty,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count,
        count(total_cost_usd) filter (where is_success) as success_costed_count,
        coalesce(sum(total_cost_usd) filter (where is_success), 0) as success_cost_usd,
        coalesce(sum(total_cost_usd) filter (where not is_success), 0) as failed_cost_usd,
        count(total_cost_usd) filter (where not is_success) as costed_failure_count,
        coalesce(sum(total_cost_usd), 0) as total_cost_usd,
        coalesce(sum(vision_cost_usd), 0) as vision_cost_usd,
        coalesce(sum(image_cost_usd), 0) as image_cost_usd,
        coalesce(sum(storage_cost_usd), 0) as storage_cost_usd,
        coalesce(sum(unattributed_cost_usd), 0) as unattributed_cost_usd,
        coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(output_tokens), 0) as output_tokens,
        coalesce(sum(total_tokens), 0) as total_tokens,
        count(input_tokens) as counted_input_generation_count,
        count(output_tokens) as counted_output_generation_count
    from fct_generations
    group by activity_date, difficulty
)

select
    activity_date,
    difficulty,
    generation_count,
    success_count,
    success_costed_count,
    cast(success_cost_usd as numeric(18, 6)) as success_cost_usd,
    cast(success_cost_usd as double precision) / nullif(success_costed_count, 0) as avg_success_cost_usd,
    cast(failed_cost_usd as numeric(18, 6)) as failed_cost_usd,
    cast(total_cost_usd as numeric(18, 6)) as total_cost_usd,
    cast(total_cost_usd as double precision) / nullif(success_count, 0) as cost_per_success_usd,
    cast(vision_cost_usd as numeric(18, 6)) as vision_cost_usd,
    cast(image_cost_usd as numeric(18, 6)) as image_cost_usd,
    cast(storage_cost_usd as numeric(18, 6)) as storage_cost_usd,
    cast(unattributed_cost_usd as numeric(18, 6)) as unattributed_cost_usd,
    cast(input_tokens as bigint) as input_tokens,
    cast(output_tokens as bigint) as output_tokens,
    cast(total_tokens as bigint) as total_tokens,
    cast(costed_failure_count as bigint) as costed_failure_count,
    cast(counted_input_generation_count as bigint) as counted_input_generation_count,
    cast(counted_output_generation_count as bigint) as counted_output_generation_count,
    activity_date + interval '1 day' <= (select as_of from clock)
    and activity_date >= (select held_from from clock) as is_complete
from measured;

create table hourly_costs as
with costs as (
    select
        activity_hour,
        count(*) as generation_count,
        sum(total_cost_usd) as total_cost_usd,
        sum(vision_cost_usd) as vision_cost_usd,
        sum(image_cost_usd) as image_cost_usd,
        sum(storage_cost_usd) as storage_cost_usd,
        sum(unattributed_cost_usd) as unattributed_cost_usd,
        sum(total_cost_usd) filter (where not is_success) as failed_cost_usd,
        count(total_cost_usd) filter (where not is_success) as costed_failure_count,
        count(total_cost_usd) as costed_generation_count
    from fct_generations
    group by activity_hour
),

hours as (
    select activity_hour
    from generate_series(
        (select min(activity_hour) from costs), (select as_of from clock), interval '1 hour'
    ) as every_hour (activity_hour)
),

compared as (
    select
        hours.activity_hour,
        coalesce(generation_count, 0) as generation_count,
        cast(coalesce(total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
        cast(coalesce(vision_cost_usd, 0) as numeric(18, 6)) as vision_cost_usd,
        cast(coalesce(image_cost_usd, 0) as numeric(18, 6)) as image_cost_usd,
        cast(coalesce(storage_cost_usd, 0) as numeric(18, 6)) as storage_cost_usd,
        cast(coalesce(unattributed_cost_usd, 0) as numeric(18, 6)) as unattributed_cost_usd,
        cast(coalesce(failed_cost_usd, 0) as numeric(18, 6)) as failed_cost_usd,
        coalesce(costed_failure_count, 0) as costed_failure_count,
        coalesce(costed_generation_count, 0) as costed_generation_count,
        cast(lag(coalesce(total_cost_usd, 0)) over (order by hours.activity_hour) as numeric(18, 6)) as previous_hour_cost_usd
    from hours
    left join costs on hours.activity_hour = costs.activity_hour
)

select
    *,
    cast(total_cost_usd - previous_hour_cost_usd as double precision) / nullif(previous_hour_cost_usd, 0) as cost_change_ratio,
    activity_hour + interval '1 hour' <= (select as_of from clock)
    and activity_hour >= (select held_from from clock) as is_complete
from compared;

create table int_user_days as
with user_days as (
    select
        user_key,
        activity_date,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count,
        cast(coalesce(sum(total_cost_usd), 0) as numeric(18, 6)) as total_cost_usd,
        cast(coalesce(sum(total_cost_usd) filter (where not is_success), 0) as numeric(18, 6)) as failed_cost_usd,
        cast(coalesce(sum(total_tokens), 0) as bigint) as total_tokens,
        min(created_at) as first_generation_at,
        max(created_at) as last_generation_at,
        min(created_at) filter (where is_success) as first_success_at,
        count(total_cost_usd) filter (where not is_success) as costed_failure_count,
        count(input_tokens) as counted_input_generation_count,
        count(output_tokens) as counted_output_generation_count,
        (array_agg(style order by created_at, style))[1] as first_style
    from fct_generations
    where user_key is not null
    group by user_key, activity_date
)

select
    *,
    min(first_generation_at) over (partition by user_key) as first_ever_at,
    activity_date + interval '1 day' <= (select as_of from clock)
    and activity_date >= (select held_from from clock) as is_complete
from user_days;

create view cost_by_user as
select
    activity_date,
    user_key,
    generation_count,
    success_count,
    total_cost_usd,
    failed_cost_usd,
    total_tokens,
    costed_failure_count,
    counted_input_generation_count,
    counted_output_generation_count,
    is_complete
from int_user_days;

create table hourly_engagement as
with activity as (
    select
        activity_hour,
        count(*) as generation_count,
        count(*) filter (where is_success) as success_count,
        count(distinct user_key) as active_users,
        sum(total_cost_usd) as total_cost_usd,
        count(total_cost_usd) as costed_generation_count
    from fct_generations
    group by activity_hour
),

newcomers as (
    select
        date_trunc('hour', first_ever_at) as activity_hour,
        count(*) as new_users
    from int_user_days
    where first_generation_at = first_ever_at
    group by date_trunc('hour', first_ever_at)
),

hours as (
    select activity_hour
    from generate_series(
        (select min(activity_hour) from activity), (select as_of from clock), interval '1 hour'
    ) as every_hour (activity_hour)
)

select
    hours.activity_hour,
    coalesce(generation_count, 0) as generation_count,
    coalesce(success_count, 0) as success_count,
    coalesce(generation_count - success_count, 0) as failure_count,
    coalesce(active_users, 0) as active_users,
    coalesce(new_users, 0) as new_users,
    cast(coalesce(total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
    coalesce(costed_generation_count, 0) as costed_generation_count,
    hours.activity_hour + interval '1 hour' <= (select as_of from clock)
    and hours.activity_hour >= (select held_from from clock) as is_complete
from hours
left join activity on hours.activity_hour = activity.activity_hour
left join newcomers on hours.activity_hour = newcomers.activity_hour;

create table daily_engagement as
with user_days as (
    select
        activity_date,
        cast(first_ever_at as date) = activity_date as is_first_day,
        lead(activity_date) over (partition by user_key order by activity_date) as next_date
    from int_user_days
),

-- A user counts in a span of n days from each active day until the next one, or until the span has passed. The days
-- between two active ones decide all three spans, so they are grouped first.
gaps as (
    select
        activity_date,
        next_date,
        count(*) as users,
        count(*) filter (where is_first_day) as new_users
    from user_days
    group by activity_date, next_date
),

changes as (
    select
        activity_date,
        users as entering,
        new_users,
        0 as leaving_7,
        0 as leaving_14,
        0 as leaving_30
    from gaps
    union all
    select least(next_date, activity_date + 7), 0, 0, users, 0, 0 from gaps
    union all
    select least(next_date, activity_date + 14), 0, 0, 0, users, 0 from gaps
    union all
    select least(next_date, activity_date + 30), 0, 0, 0, 0, users from gaps
),

days as (
    select cast(every_day.activity_date as date) as activity_date
    from generate_series(
        (select cast(min(activity_date) as timestamp) from gaps), (select as_of from clock), interval '1 day'
    ) as every_day (activity_date)
),

changes_by_day as (
    select
        days.activity_date,
        coalesce(sum(entering), 0) as daily_active_users,
        coalesce(sum(new_users), 0) as new_users,
        coalesce(sum(entering - leaving_7), 0) as change_7,
        coalesce(sum(entering - leaving_14), 0) as change_14,
        coalesce(sum(entering - leaving_30), 0) as change_30
    from days
    left join changes on days.activity_date = changes.activity_date
    group by days.activity_date
),

spans as (
    select
        activity_date,
        cast(daily_active_users as bigint) as daily_active_users,
        cast(new_users as bigint) as new_users,
        cast(sum(new_users) over (order by activity_date rows between 6 preceding and current row) as bigint) as weekly_new_users,
        cast(sum(change_7) over (order by activity_date) as bigint) as weekly_active_users,
        cast(sum(change_14) over (order by activity_date) as bigint) as fortnightly_active_users,
        cast(sum(change_30) over (order by activity_date) as bigint) as monthly_active_users
    from changes_by_day
),

weeks as (
    select
        *,
        coalesce(lag(weekly_active_users, 7) over (order by activity_date), 0) as earlier_users,
        row_number() over (order by activity_date) as day_number
    from spans
),

generations as (
    select
        cast(activity_hour as date) as activity_date,
        cast(sum(generation_count) as bigint) as generation_count
    from hourly_engagement
    group by cast(activity_hour as date)
)

select
    weeks.activity_date,
    daily_active_users,
    case when day_number > 6 then weekly_active_users end as weekly_active_users,
    case when day_number > 29 then monthly_active_users end as monthly_active_users,
    case
        when day_number > 29 then cast(daily_active_users as double precision) / nullif(monthly_active_users, 0)
    end as stickiness_ratio,
    new_users,
    case when day_number > 13 then weekly_new_users end as weekly_new_users,
    case
        when day_number > 13 then weekly_active_users + earlier_users - fortnightly_active_users
    end as weekly_returning_users,
    case
        when day_number > 13 then fortnightly_active_users - earlier_users - weekly_new_users
    end as weekly_resurrected_users,
    case when day_number > 13 then fortnightly_active_users - weekly_active_users end as weekly_dormant_users,
    coalesce(generation_count, 0) as generation_count,
    cast(coalesce(generation_count, 0) as double precision) / nullif(daily_active_users, 0) as generations_per_active_user,
    day_number <= 28 as has_older_users,
    weeks.activity_date + interval '1 day' <= (select as_of from clock)
    and weeks.activity_date >= (select held_from from clock) as is_complete
from weeks
left join generations on weeks.activity_date = generations.activity_date;

create table dim_users as
with users as (
    select
        user_key,
        min(first_ever_at) as first_generation_at,
        max(last_generation_at) as last_generation_at,
        count(*) as active_days,
        cast(sum(generation_count) as bigint) as generation_count,
        cast(sum(success_count) as bigint) as success_count,
        cast(sum(total_cost_usd) as numeric(18, 6)) as total_cost_usd,
        coalesce(min(first_success_at) = min(first_ever_at), false) as is_first_success,
        max(first_style) filter (where first_generation_at = first_ever_at) as first_style,
        max(activity_date) as last_date,
        max(activity_date) filter (where activity_date <= (select cast(as_of as date) - 7 from clock)) as last_date_before
    from int_user_days
    group by user_key
),

styles as (
    select
        user_key,
        style,
        count(*) as generation_count,
        max(created_at) as last_at
    from fct_generations
    where user_key is not null
    group by user_key, style
),

favourites as (
    select
        user_key,
        style,
        row_number() over (partition by user_key order by generation_count desc, last_at desc, style) as place
    from styles
),

ranked as (
    select
        *,
        row_number() over (order by total_cost_usd desc, user_key) as spend_rank,
        count(*) over () as user_count,
        (select cast(as_of as date) from clock) as today
    from users
)

select
    ranked.user_key,
    first_generation_at,
    last_generation_at,
    active_days,
    generation_count,
    success_count,
    total_cost_usd,
    is_first_success,
    favourites.style as favourite_style,
    case
        when total_cost_usd = 0 then 'standard'
        when (spend_rank - 1) * 100 < user_count then 'top_1_percent'
        when (spend_rank - 1) * 10 < user_count then 'next_9_percent'
        else 'standard'
    end as value_tier,
    case
        when today - 13 < (select cast(held_from as date) from clock) then null
        when last_date > today - 7 and cast(first_generation_at as date) > today - 7 then 'new'
        when last_date > today - 7 and last_date_before > today - 14 then 'returning'
        when last_date > today - 7 then 'resurrected'
        when last_date > today - 14 then 'dormant'
        else 'inactive'
    end as lifecycle_stage,
    first_style
from ranked
left join favourites on ranked.user_key = favourites.user_key and favourites.place = 1;

create table user_retention as
with user_days as (
    select
        user_key,
        activity_date,
        cast(first_ever_at as date) as first_date,
        lead(activity_date) over (partition by user_key order by activity_date) as next_date
    from int_user_days
),

-- Users of one cohort who were active on one day and next on another are one row: few enough for both grains.
steps as (
    select
        first_date,
        activity_date,
        next_date,
        count(*) as users
    from user_days
    group by first_date, activity_date, next_date
),

counted as (
    select
        'day' as cohort_grain,
        first_date as cohort_date,
        activity_date as period_date,
        sum(users) as retained_users,
        sum(users) filter (where next_date is null) as lost_users
    from steps
    group by first_date, activity_date

    union all

    -- the last day that a user was active in a week counts for the week
    select
        'week' as cohort_grain,
        cast(date_trunc('week', first_date) as date) as cohort_date,
        cast(date_trunc('week', activity_date) as date) as period_date,
        sum(users) as retained_users,
        sum(users) filter (where next_date is null) as lost_users
    from steps
    where next_date is null or date_trunc('week', next_date) > date_trunc('week', activity_date)
    group by 2, 3
),

cohorts as (
    select
        cohort_grain,
        cohort_date,
        sum(lost_users) as cohort_size
    from counted
    group by cohort_grain, cohort_date
),

periods as (
    select
        'day' as cohort_grain,
        activity_date as period_date
    from daily_engagement
    union
    select
        'week' as cohort_grain,
        cast(date_trunc('week', activity_date) as date) as period_date
    from daily_engagement
),

begun as (
    select
        cohorts.cohort_grain,
        cohorts.cohort_date,
        cohorts.cohort_size,
        periods.period_date,
        coalesce(counted.retained_users, 0) as retained_users,
        cohorts.cohort_size - coalesce(sum(counted.lost_users) over (
            partition by cohorts.cohort_grain, cohorts.cohort_date
            order by periods.period_date
            rows between unbounded preceding and 1 preceding
        ), 0) as retained_on_or_after_users,
        periods.period_date + case when cohorts.cohort_grain = 'week' then interval '7 day' else interval '1 day' end
        <= (select as_of from clock)
        and periods.period_date >= (select held_from from clock) as is_complete
    from cohorts
    inner join periods on cohorts.cohort_grain = periods.cohort_grain and cohorts.cohort_date <= periods.period_date
    left join counted
        on cohorts.cohort_grain = counted.cohort_grain
        and cohorts.cohort_date = counted.cohort_date
        and periods.period_date = counted.period_date
)

select
    cohort_grain,
    cohort_date,
    cast((period_date - cohort_date) / case when cohort_grain = 'week' then 7 else 1 end as integer) as period_number,
    cast(cohort_size as bigint) as cohort_size,
    cast(retained_users as bigint) as retained_users,
    case when is_complete then cast(retained_users as double precision) / cast(cohort_size as bigint) end as retention_rate,
    cast(retained_on_or_after_users as bigint) as retained_on_or_after_users,
    case
        when is_complete then cast(retained_on_or_after_users as double precision) / cast(cohort_size as bigint)
    end as unbounded_retention_rate,
    cohort_date < (select cast(held_from as date) + 28 from clock) as has_older_users,
    is_complete
from begun
where cohort_grain = 'week' or period_date <= cohort_date + 90;

create table response_times as
with measured as (
    select
        activity_hour,
        style,
        count(*) as timed_success_count,
        cast(sum(duration_ms) as bigint) as total_duration_ms,
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) as p,
        max(duration_ms) as max_duration_ms
    from fct_generations
    where is_success and duration_ms is not null
    group by activity_hour, style
)

select
    activity_hour,
    style,
    timed_success_count,
    total_duration_ms,
    cast(total_duration_ms as double precision) / timed_success_count as avg_duration_ms,
    cast(p[1] as double precision) as p50_duration_ms,
    cast(p[2] as double precision) as p95_duration_ms,
    cast(p[3] as double precision) as p99_duration_ms,
    max_duration_ms,
    activity_hour + interval '1 hour' <= (select as_of from clock)
    and activity_hour >= (select held_from from clock) as is_complete
from measured;

create table error_analysis as
with failures as (
    select
        activity_date,
        error_category,
        error_signature,
        count(*) as error_count,
        count(distinct user_key) as affected_users,
        count(duration_ms) as timed_failure_count,
        cast(coalesce(sum(duration_ms), 0) as bigint) as total_failure_duration_ms,
        cast(coalesce(sum(total_cost_usd), 0) as numeric(18, 6)) as failed_cost_usd,
        count(total_cost_usd) as costed_failure_count,
        min(created_at) as first_seen_at,
        max(created_at) as last_seen_at
    from fct_generations
    where not is_success
    group by activity_date, error_category, error_signature
)

select
    activity_date,
    failures.error_category,
    error_signature,
    error_count,
    affected_users,
    timed_failure_count,
    total_failure_duration_ms,
    cast(total_failure_duration_ms as double precision) / nullif(timed_failure_count, 0) as avg_failure_duration_ms,
    failed_cost_usd,
    coalesce(is_retryable, false) as is_retryable,
    first_seen_at,
    last_seen_at,
    costed_failure_count,
    activity_date + interval '1 day' <= (select as_of from clock)
    and activity_date >= (select held_from from clock) as is_complete
from failures
left join error_categories on failures.error_category = error_categories.error_category;

create table service_health as
with health as (
    select
        date_trunc('hour', created_at)
        + interval '5' minute * cast(floor(extract(minute from created_at) / 5) as integer) as window_start,
        count(*) as generation_count,
        count(*) filter (where not is_success) as failure_count,
        count(duration_ms) filter (where is_success) as timed_success_count,
        percentile_cont(0.95) within group (order by duration_ms) filter (where is_success) as p95_duration_ms,
        count(*) filter (where error_category = 'rate_limit') as rate_limit_error_count,
        sum(total_cost_usd) as total_cost_usd
    from fct_generations
    group by 1
),

windows as (
    select window_start
    from generate_series(
        (select min(window_start) from health), (select as_of from clock), interval '5 minutes'
    ) as every_window (window_start)
)

select
    windows.window_start,
    coalesce(generation_count, 0) as generation_count,
    coalesce(failure_count, 0) as failure_count,
    cast(failure_count as double precision) / nullif(generation_count, 0) as failure_rate,
    coalesce(timed_success_count, 0) as timed_success_count,
    cast(p95_duration_ms as double precision) as p95_duration_ms,
    coalesce(rate_limit_error_count, 0) as rate_limit_error_count,
    cast(coalesce(total_cost_usd, 0) as numeric(18, 6)) as total_cost_usd,
    windows.window_start + interval '5' minute <= (select as_of from clock)
    and windows.window_start >= (select held_from from clock) as is_complete
from windows
left join health on windows.window_start = health.window_start;

create table duration_histogram as
with buckets as (
    select
        activity_date,
        style,
        difficulty,
        is_success,
        case when duration_ms = 0 then -1 else cast(ceil(ln(cast(duration_ms as double precision)) / ln(cast(1.01 as double precision) / 0.99)) as integer) end as bucket,
        count(*) as generation_count
    from fct_generations
    where duration_ms is not null
    group by 1, 2, 3, 4, 5
)

select
    *,
    cast(case when bucket = -1 then 0 else 2 * power(cast(1.01 as double precision) / 0.99, bucket) / (cast(1.01 as double precision) / 0.99 + 1) end as double precision)
        as bucket_estimate_ms,
    activity_date + interval '1 day' <= (select as_of from clock)
    and activity_date >= (select held_from from clock) as is_complete
from buckets;
