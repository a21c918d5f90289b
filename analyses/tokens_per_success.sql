-- What does a success cost in tokens? By style, over the last 30 days, the tokens of failures included.
select
    style,
    sum(success_count) as success_count,
    sum(total_tokens) as total_tokens,
    {{ ratio('sum(input_tokens)', 'sum(success_count)') }} as input_tokens_per_success_ratio,
    {{ ratio('sum(output_tokens)', 'sum(success_count)') }} as output_tokens_per_success_ratio,
    {{ ratio('sum(total_tokens)', 'sum(success_count)') }} as tokens_per_success_ratio
from {{ ref('style_performance') }}
where activity_date > (select max(activity_date) from {{ ref('daily_engagement') }}) - 30
group by style
order by tokens_per_success_ratio desc
