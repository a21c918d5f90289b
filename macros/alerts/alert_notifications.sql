{#- What the sender of alerts keeps: who is told, what was told to whom, and which points went to Datadog. They are journals: no run
    of dbt's ever rewrites them. People read alert_notifications, so it stands beside the marts. -#}
{% macro alert_notifications() %}{{ target.schema }}_marts.alert_notifications{% endmacro %}

{% macro create_alert_journals() %}
    {%- set is_new = existing_relation('marts', 'alert_notifications') is none %}
    {#- A target's name holds a short hash of its URL. This key, made at random inside the database, keeps anybody from
        testing guesses of the URL against it. -#}
    create table if not exists {{ internal_schema() }}.alert_target_key (
        is_only_row boolean primary key default true check (is_only_row),
        target_key text not null
    );
    insert into {{ internal_schema() }}.alert_target_key (target_key)
    select cast(gen_random_uuid() as text)
    where not exists (select 1 from {{ internal_schema() }}.alert_target_key);
    create table if not exists {{ internal_schema() }}.alert_targets (
        target text primary key,
        first_seen_at timestamp not null
    );
    create table if not exists {{ internal_schema() }}.datadog_points (
        metric text not null,
        point_at timestamp not null,
        value double precision not null,
        status text not null check (status in ('pending', 'sending', 'sent', 'too_old')),
        attempt_count bigint not null default 0,
        last_error text,
        recorded_at timestamp not null,
        claimed_until timestamp,
        sent_at timestamp,
        primary key (metric, point_at)
    );
    create schema if not exists {{ target.schema }}_marts;
    create sequence if not exists {{ internal_schema() }}.alert_notifications_id;
    create table if not exists {{ alert_notifications() }} (
        notification_id bigint primary key default nextval('{{ internal_schema() }}.alert_notifications_id'),
        incident_key text not null,
        event text not null check (event in ('opened', 'reminder', 'resolved')),
        reminder_number integer not null default 0,
        target text not null,
        status text not null check (status in ('pending', 'sending', 'sent', 'failed', 'skipped')),
        attempt_count bigint not null default 0,
        last_error text,
        recorded_at timestamp not null,
        claimed_until timestamp,
        sent_at timestamp,
        unique (incident_key, event, reminder_number, target)
    );
    {%- if is_new %}
    {%- set comments = {
        'notification_id': "Numbers the messages in the order in which they were recorded.",
        'incident_key': "The incident, as in the table incidents. It stands in the message as well.",
        'event': "What is told: the incident opened, it is still open (reminder), it resolved.",
        'reminder_number': "How many reminder periods the incident had been open; 0 for the other events.",
        'target': "Who is told: the kind of service and a short fingerprint of its URL, or datadog. It holds no secret.",
        'status': "pending: to be sent by this or the next run. sending: a run is at it, until claimed_until. sent. failed: given up after 24 hours. skipped: over before anybody was to be told.",
        'attempt_count': "How often sending was tried.",
        'last_error': "Why the last attempt failed, or why nothing was sent. Null otherwise.",
        'recorded_at': "When it was decided to tell, before anything was sent (UTC).",
        'claimed_until': "Until when the run that is sending it has it to itself (UTC). Null when no run has.",
        'sent_at': "When the target had taken it (UTC). Null before."
    } %}
    comment on table {{ alert_notifications() }} is 'One row per incident, event, reminder number and target: what the alerts told whom, and with what success. Written by python -m alerts; never rebuilt.';
    {%- for column, comment in comments.items() %}
    comment on column {{ alert_notifications() }}.{{ column }} is '{{ comment }}';
    {%- endfor %}
    {%- endif %}
{% endmacro %}
