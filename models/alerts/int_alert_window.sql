-- One row: the clock of this run's alerts, and the windows that it judges. A window is judged once, when the settle delay is
-- over; windows that were missed are judged later.
-- depends_on: {{ ref('alert_rules') }}
-- depends_on: {{ ref('stg_generation_logs') }}
{{ config(tags=['alerts']) }}

{%- set rules = alert_rules() %}
{%- set judged = judged_so_far() %}
{%- set hold_minutes = 5 * (rules | map(attribute='fire_after_windows') | map('int') | max if rules else 1) %}

with clock as (
    select
        {%- if as_of_is_timestamp() %}
        {{ as_of_timestamp() }} as as_of
        {%- elif var('as_of') == 'now' %}
        {{ wall_clock() }} as as_of
        {%- else %}
        -- a log that has lost its newest rows leaves the clock where it was
        coalesce(max(created_at), {{ judged.until }}) as as_of
    from {{ ref('stg_generation_logs') }}
    where created_at >= {{ judged.until if judged.is_known else earliest_created_at() }}
        and created_at <= {{ latest_created_at() }}
        {%- endif %}
),

windows as (
    select
        as_of,
        {%- if judged.is_known %}
        {{ judged.until }} + interval '5' minute as judged_from,
        {%- else %}
        {{ five_minutes("as_of - interval '" ~ var('alert_settle_minutes') ~ "' minute") }}
        - interval '{{ var("alert_first_hours") }}' hour + interval '5' minute as judged_from,
        {%- endif %}
        {{ five_minutes("as_of - interval '" ~ var('alert_settle_minutes') ~ "' minute") }} as judged_to
    from clock
),

-- the oldest row that a window or an incident needs
needed as (
    select
        *,
        least(
            least(judged_from, {{ judged.incidents_until }} + interval '5' minute)
            - interval '{{ longest_window_minutes(rules) + hold_minutes }}' minute,
            {{ judged.open_fired_at }}
        ) as generations_from
    from windows
)

select
    as_of,
    judged_from,
    judged_to,
    generations_from,
    -- what is at hand is not read again, unless a window now reaches further back
    case when {{ judged.kept_from }} <= generations_from then {{ judged.kept_until }} else generations_from end as log_read_from,
    least({{ judged.incidents_until }} - interval '2' day, {{ judged.open_from }}) as incidents_from
from needed
