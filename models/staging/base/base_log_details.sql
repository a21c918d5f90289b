-- The rows of the log with what some logs hold besides: the type of the scene, the size of the photo, the model, and
-- how long each step took. Null where the log does not have it.
{{ config(materialized='ephemeral') }}

{%- set highest_ms, highest_bytes = 86400000, 100000000000 %}

with log_rows as (
    select * from {{ ref('base_log_tokens') }}
),

scene_patterns as (
    select * from {{ ref('scene_patterns') }}
),

opened as (
    {{ with_members('log_rows', 'timings') }}
),

logged as (
    {{ with_columns('opened', {
        'scene_text': blank_to_null('cast(scene as text)'),
        'logged_photo_size': blank_to_null('cast(photo_size as text)'),
        'logged_vision_ms': document_value('timings', 'vision_ms'),
        'logged_image_ms': document_value('timings', 'image_ms'),
        'logged_storage_ms': document_value('timings', 'storage_ms'),
    }) }}
),

usable as (
    {{ with_columns('logged', {
        'scene_position': scene_pattern('scene_text'),
        'usable_photo_size': usable_number('logged_photo_size', highest_bytes),
        'usable_vision_ms': usable_number('logged_vision_ms', highest_ms),
        'usable_image_ms': usable_number('logged_image_ms', highest_ms),
        'usable_storage_ms': usable_number('logged_storage_ms', highest_ms),
    }) }}
)

select
    usable.*,
    case when usable.scene_text is not null then coalesce(scene_patterns.scene_type, 'other') end as scene_type,
    cast(usable.usable_photo_size as bigint) as photo_size_bytes,
    {{ plain_name(blank_to_null('cast(usable.model as text)')) }} as model_name,
    cast(usable.usable_vision_ms as bigint) as vision_ms,
    cast(usable.usable_image_ms as bigint) as image_ms,
    cast(usable.usable_storage_ms as bigint) as storage_ms,
    usable.logged_photo_size is not null and usable.usable_photo_size is null as has_unusable_photo_size,
    {{ blank_to_null('usable.timings') }} is not null and usable.timings_read is null
    or usable.logged_vision_ms is not null and usable.usable_vision_ms is null
    or usable.logged_image_ms is not null and usable.usable_image_ms is null
    or usable.logged_storage_ms is not null and usable.usable_storage_ms is null as has_unusable_timings
from usable
left join scene_patterns on usable.scene_position = scene_patterns.position
