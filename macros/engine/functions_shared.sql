{#- What both engines share. The engines disagree on what else they would accept as a time, on 24:00, on leap seconds
    and on a seventh digit of the second: none of them gets that far. -#}
{% macro iso_timestamp_pattern() -%}
    ^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?
    {{- '( ?(Z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))?)?$' }}
{%- endmacro %}
{#- Writers say 10:00:00 UTC, and 10:00:00 +0000. -#}
{% macro with_iso_offset(text) -%}
    replace(replace(replace(replace({{ text }}, 'UTC', 'Z'), ' Z', 'Z'), ' +', '+'), ' -', '-')
{%- endmacro %}
{% macro utc_offset_pattern() %}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9:]+)${% endmacro %}

{#- How writers say, in small letters, that a generation succeeded or failed: in a word, or in any plain decimal that
    equals one or zero. -#}
{% macro success_pattern() -%}
    ^(true|t|yes|y|on|ok|success(ful)?|succeeded|completed|[+]?0*1([.]0*)?)$
{%- endmacro %}
{% macro failure_pattern() %}^(false|f|no|n|off|error|failed|failure|[+-]?(0+([.]0*)?|[.]0+))${% endmacro %}

{#- What exports, data frames and tools write for nothing, in nine characters at most. A pattern and no list: DuckDB
    would join a list of five or more to the whole log, with all its columns. -#}
{% macro nothing_pattern() -%}
    ^(NULL|null|\\N|None|NaN|nan|NaT|<NA>|N/A|<null>|[(]null[)]|[[]NULL[]]|undefined)?$
{%- endmacro %}

{#- A data frame that lacks some ids makes 41.0 of the others. -#}
{% macro whole_number_of(text) %}regexp_replace({{ text }}, '^([0-9]+)[.]0$', '\1'){% endmacro %}

{#- A NaN loses itself alone, and not the amounts beside it. -#}
{% macro nan_pattern() %}'([:,\[]\s*)-?(?:NaN|Infinity)'{% endmacro %}

{#- lower() depends on a PostgreSQL server's locale, so capitals are mapped by a list. -#}
{% macro plain_name_of(text) -%}
    {%- set capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽŸĄĆĘŁŃŚŹŻČĎĚŇŘŤŮŐŰĞŞ'
        ~ 'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЄІЇҐ' -%}
    nullif(trim(left(trim(regexp_replace(
        translate({{ text }}, '{{ capitals }}', '{{ capitals | lower }}'), '[ \t\n\r\f\v{{ '\u00a0' }}]+', ' ', 'g'
    ), ' '), 100), ' '), '')
{%- endmacro %}

{#- Writers say oil_painting, oil-painting and Oil Painting of one style. -#}
{% macro words_of(text) -%}
    trim(regexp_replace({{ text }}, '[ _-]+', ' ', 'g'), ' ')
{%- endmacro %}

{#- A part of the functions that pattern_function() makes. -#}
{% macro matches_pattern(pattern) %}{{ internal_schema() }}.matches(logged, {{ quoted(pattern) }}){% endmacro %}

{#- The names that keep their digits, at the beginning of a word: models of known families with what their makers add,
    and the names of formats. Nothing is kept for its shape alone. The engines choose differently among alternatives,
    so no two of them match at one place, or the longer one is first. -#}
{% macro kept_names_pattern() -%}
    {%- set version = 'v?[0-9]{1,2}([.][0-9]{1,2})?[a-z]?' -%}
    {%- set date = '(20[0-9]{6}|20[0-9]{2}-[0-9]{2}-[0-9]{2}|20[0-9]{2}|[01][0-9][0-3][0-9]|2[0-9][01][0-9]'
        '|00[0-9])' -%}
    {%- set numbers = '(-' ~ version ~ '-' ~ version ~ '-' ~ date ~ '|-' ~ version ~ '-' ~ date ~ '|-' ~ date
        ~ '|-' ~ version ~ '-' ~ version ~ '|-' ~ version ~ ')' -%}
    {%- set words = '(-(experimental|embedding|generation|transcribe|generate|realtime|thinking|instruct|preview'
        '|instant|sonnet|vision|search|medium|latest|native|canvas|ultra|turbo|small|schnell|audio|image|haiku'
        '|flash|large|opus|nano|mini|lite|live|fast|chat|edit|core|exp|pro|dev|max|tts|high|low|hd))' -%}
    (^|[^A-Za-z0-9_.@+=-])((
    {{- '(chatgpt|gpt|dall-e|claude|gemini|imagen|veo|llama|mistral|mixtral|flux|qwen|deepseek|grok|whisper|tts|phi'
        '|nova|stable-diffusion|sd|sdxl|recraft|ideogram|seedream|text-embedding|(text|omni)-moderation|codex)' }}
    {{- words }}*{{ numbers }}({{ words }}+{{ numbers }}?)?
    {{- '|(gpt|flux[.]|dalle|sdxl|sd|llama|gemini|claude|qwen|phi|o)[0-9]([.][0-9])?[a-z]?(' }}
    {{- words }}*{{ numbers }})?
    {{- '|base(16|32|58|64)|b64_json|utf8mb4|utf-?(8|16|32)|sha-?(1|224|256|384|512)|md5|http/?[123]([.][01])?'
        '|h[.]?26[45]|mp[34]|oauth2|ipv[46]|s3|x86_64|tlsv1[.][0-3]|u?int(8|16|32|64)|float(16|32|64)'
        '|pgrst[0-9]{3}))' }}
{%- endmacro %}

{#- An error's text loses e-mails, URLs, keys, IPs, ids, file names, times and numbers. The names that are kept stand
    between two marks (\x01 and \x02) until the end, and rules step over them: what such a rule finds besides becomes
    \x03, and then the placeholder. Each rule: a pattern, what takes the place of what it finds, and parts, in small
    letters, without one of which it finds nothing in a text. -#}
{% macro scrubbing_rules() %}
    {%- set digits = '0123456789' | list -%}
    {#- in small letters, the beginnings of what kept_names_pattern() knows -#}
    {%- set kept_names = ['gpt', 'dall', 'claude', 'gemini', 'imagen', 'veo', 'llama', 'mistral', 'mixtral', 'flux',
        'qwen', 'deepseek', 'grok', 'whisper', 'tts', 'phi', 'nova', 'stable-', 'sd', 'recraft', 'ideogram', 'seedream',
        'text-', 'omni-', 'codex', 'o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'o6', 'o7', 'o8', 'o9', 'base1', 'base3',
        'base5', 'base6', 'b64_', 'utf', 'sha', 'md5', 'http', 'h26', 'h.26', 'mp3', 'mp4', 'oauth2', 'ipv', 's3',
        'x86_', 'tlsv1', 'int', 'float', 'pgrst'] -%}
    {%- set rules = [
        ('[A-Za-z][A-Za-z0-9+.-]*://[^ "<>\'\']+', '<url>', ['://']),
        ('[Ww][Ww][Ww][.][^ "<>\'\']+', '<url>', ['www.']),
        ('[A-Za-z]:[\\\\][^"<>|\n]*', '<file>', [':\\']),
        ('[^ "<>(){}:;,=\'\']+@([^ "<>(){}:;,=\'\'@]*[^ "<>(){}:;,=\'\'@.!?])', '<email>', ['@']),
        ('[Aa]uthorization[:=] *([A-Za-z]+ +)?[^ ",;]+', '<key>', ['uthorization']),
        ('[Bb]earer +[^ "]+', '<key>', ['earer']),
        ('[A-Za-z0-9]{2,8}-[A-Za-z0-9_-]*[*]{2,}[A-Za-z0-9_-]*', '<key>', ['**']),
        ('(sk|pk|rk|key|api|ghp|xox[abp])[_-][A-Za-z0-9_-]{8,}', '<key>', ['k_', 'k-', 'y_', 'y-', 'i_', 'i-', 'p_',
            'p-', 'a_', 'a-', 'b_', 'b-']),
        ('(?i)' ~ kept_names_pattern(), '\\1\u0001\\2\u0002', kept_names),
        ('\u0001([^\u0002]*)\u0002([A-Za-z0-9_@+=])', '\\1\\2', kept_names),
        ('[0-9]{4}-[0-9]{2}-[0-9]{2}'
         '([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?', '<time>', digits),
        ('[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}', '<id>', ['-']),
        ('[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}(:[0-9]+)?', '<ip>', digits),
        ('[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){3,}', '<ip>', [':']),
        ('(org|req|user|job|file|proj|asst|run|img|batch|chatcmpl|gen)[_-][A-Za-z0-9_-]+', '<id>', ['_', '-']),
        ('(?i)[^ "<>()=,;\'\']*[.](png|jpe?g|gif|webp|heic|heif|avif|bmp|tiff?|svg|pdf|txt|json|zip|mp4'
         '|jfif|mov|webm|avi|mkv|mp3|wav|csv|docx|xlsx|pptx|psd)', '<file>',
            ['.']),
        ('[^ "<>()=,;\'\']*/[^ "<>()=,;\'\']*/[^ "<>()=,;\'\']*', '<file>', ['/']),
        ('[A-Za-z0-9_+/=-]*[0-9][A-Za-z0-9_+/=-]{15,}|[A-Za-z0-9_+/=-]{32,}', '<id>', none),
        ('[A-Za-z0-9_+/-]{8,}[0-9][A-Za-z0-9_+/=-]*', '<id>', digits),
        ('[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?', '<time>', [':']),
        ('[0-9]+([.,][0-9]+)*', '<number>', digits),
        ('[ \t\n\r\f\v]+', ' ', none),
    ] -%}
    {%- set found = [] -%}
    {%- for pattern, replacement, needed in rules -%}
        {%- set steps_over_names = replacement in ['<time>', '<id>', '<ip>', '<number>'] -%}
        {%- do found.append({
            'pattern': ('(\u0001[^\u0002]*\u0002)|' if steps_over_names else '') ~ pattern,
            'by': '\\1\u0003' if steps_over_names else replacement,
            'then': replacement if steps_over_names else none,
            'needed': needed,
        }) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#- SQL: a rule applied to a text, at most 1,000 characters of it, and at most 200 of the result. -#}
{% macro scrubbed_by(rule, text) -%}
    {%- set found = "regexp_replace(" ~ text ~ ", '" ~ rule.pattern ~ "', '" ~ rule.by ~ "', 'g')" -%}
    {{ "replace(replace(" ~ found ~ ", '\u0002\u0003', '\u0002'), '\u0003', '" ~ rule.then ~ "')" if rule.then
        else found }}
{%- endmacro %}
{% macro before_scrubbing(text) -%}
    translate(case
        when length({{ text }}) > 1000 then regexp_replace(left({{ text }}, 1000), '[^ ]*$', '') else {{ text }}
    end, '{{ '\u0001\u0002\u0003' }}', '')
{%- endmacro %}
{% macro after_scrubbing(text) -%}
    left(trim(translate({{ text }}, '{{ '\u0001\u0002' }}', ''), ' '), 200)
{%- endmacro %}

{#- SQL: a text, and a list of texts. -#}
{% macro quoted(text) %}{{ return("'" ~ text | replace("'", "''") ~ "'") }}{% endmacro %}
{% macro literals(texts) %}{{ return("'" ~ texts | map('replace', "'", "''") | join("', '") ~ "'") }}{% endmacro %}
