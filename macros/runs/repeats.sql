{#- The order of the rows of one id in one day: the first counts. It is the same on every engine (text is compared byte
    by byte) and for every salt (the user's key comes last). -#}
{% macro repeat_order(rows) -%}
    {{ rows }}.created_at desc,
                {{ rows }}.is_success desc,
                {{ rows }}.total_cost_usd desc nulls last,
                {{ rows }}.duration_ms desc nulls last,
                {{ rows }}.total_tokens desc nulls last,
                {{ rows }}.vision_cost_usd desc nulls last,
                {{ rows }}.image_cost_usd desc nulls last,
                {{ rows }}.storage_cost_usd desc nulls last,
                {{ rows }}.input_tokens desc nulls last,
                {{ rows }}.output_tokens desc nulls last,
                {{ rows }}.difficulty desc nulls last,
                {{ rows }}.style collate "C",
                {{ rows }}.error_category collate "C" nulls last,
                {{ rows }}.error_signature collate "C" nulls last,
                {{ rows }}.job_id collate "C" nulls last,
                -- rows that differ only in what was unusable
                {{ rows }}.has_outcome desc,
                {{ rows }}.has_error_message desc,
                {{ rows }}.costs_problem collate "C" nulls last,
                {{ rows }}.tokens_problem collate "C" nulls last,
                {{ rows }}.unusable_cost_names collate "C" nulls last,
                {{ rows }}.unusable_token_names collate "C" nulls last,
                {{ rows }}.user_key nulls last
{%- endmacro %}
