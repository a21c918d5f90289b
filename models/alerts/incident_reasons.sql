-- Why: in what the generations of an incident differ from those of the hour before it, in a few words that name nobody.
-- A row for each incident that may still change and whose generations are at hand; what is said of others stays.
--
-- What is counted (the failures that it is about, slow generations, or cost) is held against what there would have been
-- as in the hour before: the difference is the excess. The signature, style, difficulty and hour that have at least
-- half of it are named. An incident is explained by its first six hours, in whatever runs it is made.
{{ config(materialized='ephemeral', tags=['alerts']) }}

with spans as (
    select
        stretches.incident_key,
        stretches.metric,
        stretches.threshold,
        stretches.first_firing_at - interval '1' minute * stretches.window_minutes as began_at,
        least(stretches.last_firing_at, stretches.first_firing_at + interval '6' hour) as ended_at
    from {{ ref('incident_stretches') }} as stretches
    -- less traffic has no generations to look at, and what is too low no excess
    where stretches.metric not in {{ metrics_that_are('of_nothing') }}
        and stretches.comparison in ('>', '>=')
),

incidents as (
    select
        spans.*,
        cast(extract(epoch from spans.ended_at - spans.began_at) / 60 as bigint) as minutes,
        spans.metric in ('cost_change_ratio', 'cost_over_usual_ratio') as is_cost
    from spans
    inner join {{ ref('int_alert_window') }} as alert_window
        on spans.began_at - interval '60' minute >= alert_window.generations_from
),

-- the generations of each, and of the hour before; costs in millionths of a dollar, so that all are whole numbers
generations_of_each as {{ computed_once() }} (
    select
        incidents.incident_key,
        generations.created_at >= incidents.began_at as is_within,
        generations.user_key,
        generations.style,
        generations.difficulty,
        -- what is of no known kind may quote a row
        case when generations.error_category != 'unknown' then generations.error_signature end as signature,
        cast(extract(hour from generations.created_at) as integer) as hour,
        case
            when not {{ is_affected() }} then 0
            when incidents.is_cost then cast(coalesce(generations.total_cost_usd, 0) * 1000000 as bigint)
            else 1
        end as amount
    from incidents
    inner join {{ ref('int_alert_generations') }} as generations
        on incidents.began_at - interval '60' minute <= generations.created_at
        and incidents.ended_at > generations.created_at
),

-- each of them by everything that may explain it
by_dimension as (
    select
        generations_of_each.*,
        dimensions.dimension,
        case dimensions.dimension
            when 'signature' then generations_of_each.signature
            when 'style' then generations_of_each.style
            when 'difficulty' then cast(generations_of_each.difficulty as text)
            when 'hour' then lpad(cast(generations_of_each.hour as text), 2, '0')
        end as named
    from generations_of_each
    cross join (values ('all'), ('signature'), ('style'), ('difficulty'), ('hour')) as dimensions (dimension)
),

counted as (
    select
        incident_key,
        dimension,
        named,
        count(distinct user_key) as users,
        count(*) filter (where is_within) as generation_count,
        count(*) filter (where not is_within) as earlier_generation_count,
        {{ total('amount', 'is_within') }} as amount,
        {{ total('amount', 'not is_within') }} as earlier_amount,
        -- a release without these columns may have left some of the rows
        count(style) = count(*) as is_known
    from by_dimension
    group by incident_key, dimension, named
),

-- What there would have been: of costs as much a minute as before, of all else as many of the generations. An hour, and
-- a style or difficulty that was not there before, is held against all that was.
expected as (
    select
        counted.*,
        incidents.is_cost,
        incidents.metric = 'p95_duration_ms' as is_slow,
        incidents.minutes > 120 as is_long,
        whole.generation_count as whole_generation_count,
        whole.earlier_amount as whole_earlier_amount,
        cast(floor(0.5 + coalesce(case
            when incidents.is_cost and counted.dimension = 'hour'
                then cast(whole.earlier_amount as double precision) * incidents.minutes * counted.generation_count
                    / nullif(60 * whole.generation_count, 0)
            when incidents.is_cost
                then cast(counted.earlier_amount as double precision) * incidents.minutes / 60
            when counted.dimension in ('all', 'signature')
                then cast(counted.earlier_amount as double precision) * whole.generation_count
                    / nullif(whole.earlier_generation_count, 0)
            when counted.dimension = 'hour' or counted.earlier_generation_count = 0
                then cast(whole.earlier_amount as double precision) * counted.generation_count
                    / nullif(whole.earlier_generation_count, 0)
            else
                cast(counted.earlier_amount as double precision) * counted.generation_count
                / counted.earlier_generation_count
        end, 0)) as bigint) as expected_amount
    from counted
    inner join incidents on counted.incident_key = incidents.incident_key
    inner join counted as whole on counted.incident_key = whole.incident_key and whole.dimension = 'all'
    where whole.is_known
),

excess as (
    select
        *,
        amount - expected_amount as excess,
        -- what its part of the excess is held against, and the whole of that
        cast(case when is_cost then earlier_amount else generation_count end as double precision) as base,
        cast(case when is_cost then whole_earlier_amount else whole_generation_count end as double precision)
            as whole_base,
        max(case when dimension = 'all' then amount - expected_amount end) over (partition by incident_key)
            as whole_excess
    from expected
),

-- above its part: twice as much of the excess as of all, or nearly all of it and at most two thirds of all
weighed as (
    select
        *,
        cast(least(excess, whole_excess) as double precision) as part,
        2 * excess >= whole_excess as is_half,
        excess * whole_base >= 2 * base * whole_excess
        or 10 * excess >= 9 * whole_excess and 3 * base <= 2 * whole_base as is_above
    from excess
    where whole_excess > 0
),

ranked as (
    select
        *,
        -- on a tie the first by name
        row_number() over (
            partition by incident_key, dimension order by excess desc, named collate "C" nulls last
        ) as place,
        sum(case when is_above and 4 * excess >= whole_excess then 1 else 0 end)
            over (partition by incident_key, dimension) as above_count,
        count(*) over (partition by incident_key, dimension) as value_count,
        case
            when is_cost
                then cast(cast(floor(part / 1000000) as bigint) as text) || '.'
                || lpad(cast(cast(floor(part / 10000) as bigint) % 100 as text), 2, '0')
            else cast(least(excess, whole_excess) as text)
        end as said_excess,
        case when is_cost then ' USD' else '' end as unit
    from weighed
),

-- what has most of the excess; of less than five cases it is chance which style or hour they have
chosen as (
    select
        ranked.*,
        ranked.said_excess || ' of ' || whole.said_excess || ranked.unit as share
    from ranked
    inner join ranked as whole on ranked.incident_key = whole.incident_key and whole.dimension = 'all'
    where ranked.place = 1
        and (ranked.dimension in ('all', 'signature') or ranked.is_cost or ranked.whole_excess >= 5)
),

-- in words, where it is half of the excess
said as (
    select
        incident_key,
        max(case when dimension = 'all' then case
            when is_cost then said_excess || ' USD extra'
            when is_slow then said_excess || ' extra slow generation' || case when excess = 1 then '' else 's' end
        end end) as amount_words,
        max(case when dimension = 'all' then
            said_excess || ' extra failure' || case when excess = 1 then '' else 's' end
        end) as failure_words,
        max(case when dimension = 'signature' and is_half then
            share || ' extra failure' || case when whole_excess = 1 then ' is ' else 's are ' end
            || coalesce('"' || left(named, 60) || '"', 'of no known kind')
        end) as signature_words,
        max(case when dimension = 'style' and is_half and is_above then
            -- what few people write may be about one of them
            share || case when users >= 3 then ' with style "' || left(named, 40) || '"' else ' with one style' end
        end) as style_words,
        max(case when dimension = 'style' and value_count > 1 and above_count = 0 then
            'all styles alike'
        end) as alike_words,
        max(case when dimension = 'difficulty' and is_half and is_above then
            share || ' with difficulty ' || named
        end) as difficulty_words,
        max(case when dimension = 'hour' and is_half and is_long then
            share || ' from ' || named || ':00 to ' || named || ':59 UTC'
        end) as hour_words
    from chosen
    group by incident_key
)

select
    incidents.incident_key,
    nullif(left(concat_ws(
        '; ',
        coalesce(said.amount_words, said.signature_words, said.failure_words),
        coalesce(said.style_words, said.alike_words),
        said.difficulty_words,
        said.hour_words
    ), 200), '') as explanation
from incidents
left join said on incidents.incident_key = said.incident_key
