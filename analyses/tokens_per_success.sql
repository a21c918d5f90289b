-- What does a success cost in tokens? By style, over the last 30 days, the tokens of failures included; of the
-- steps, as far as the log counts them by step. The single generations know the steps, and reach back as far. Trap:
-- a failure's zeros are unknown tokens, so what failures used is at least this.
select
    style,
    count(*) filter (where is_success) as success_count,
    {{ total('total_tokens') }} as total_tokens,
    {%- for counts in ['input', 'output', 'total', 'vision_input', 'vision_output', 'image_input', 'image_output'] %}
    {%- set name = 'tokens_per_success_ratio' if counts == 'total' else counts ~ '_tokens_per_success_ratio' %}
    {{ ratio('sum(' ~ counts ~ '_tokens)', 'count(*) filter (where is_success)') }}
        as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('fct_generations') }}
where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 30
group by style
order by tokens_per_success_ratio desc nulls last
