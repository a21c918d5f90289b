"""Logs for the tests: sound rows to vary, nasty values for every column, and simulated ones."""

import datetime as dt
import uuid

from simulator.log import Log, LogSettings
from warehouses import Row

START = dt.datetime(2026, 3, 2, 9, 0)  # a Monday


def identifier(number: int) -> str:
    """The uuid with this number."""
    return str(uuid.UUID(int=0x6F1C3F0E00004000800000000000 << 16 | number))


def user(number: int) -> str:
    """The id of the user with this number."""
    return str(uuid.UUID(int=0x0A0B0C0D00004000800000000000 << 16 | number))


def sound_row(number: int, **changes: object) -> Row:
    """A successful generation without any fault, a minute after the one before it, and with these changes."""
    return {
        "id": identifier(number),
        "user_id": user(number % 5),
        "job_id": f"job_{number}",
        "style": "anime",
        "difficulty": 3,
        "duration_ms": 10_000 + number,
        "costs": '{"vision":0.0046,"image":0.04606,"total":0.05066}',
        "tokens": '{"vision_input":300,"vision_output":1056,"image_input":140,"image_output":0}',
        "success": "true",
        "error_message": None,
        "created_at": str(START + dt.timedelta(minutes=number)),
    } | changes


def failed_row(number: int, message: str | None, **changes: object) -> Row:
    """A generation that failed with this message."""
    return sound_row(number, success="false", error_message=message, **changes)


def simulated_rows(rows: int, days: int, *, seed: int = 0, dirt: float = 0.0, incidents: int = 0) -> list[Row]:
    """A realistic log."""
    end = dt.datetime(2026, 4, 12)
    log = Log(LogSettings(rows=rows, days=days, end=end, seed=seed, dirt=dirt, incidents=incidents))
    return [row for table in log.tables() for row in table.to_pylist()]


_LONG = "9" * 30

NASTY_NUMBERS = (
    None, "", " ", "0", "-0", "-1", "1", "7", "3.0", "3.5", "0.5", "-0.4", "+4", " 5 ", "5\n", "1e1", "1E+1", "1e400",
    "1e-400", "1e", "e5", ".5", "5.", ".", "0x10", "1_000", "1,000", "NaN", "Infinity", "-inf", "true", "12abc", "٣",
    "10", "11", "999.9999995", "86400000", "86400000.4", "86400001", "2147483648", "9223372036854775808", _LONG,
    "9" * 600, "0" * 400 + "3", "0." + "3" * 400, "1\u00a0", "\u00a01",
)  # fmt: skip

_COST_NUMBERS = (
    "0.0046", '"0.0046"', '" 0.0046 "', '""', "-0.0046", "0", "-0", "-0.0000001", "0.0000005", "0.0000015", "1000",
    "1000.0000004", "1000.01", "1e400", "1e-400", "-1e400", "1E2", _LONG, f'"{_LONG}"', "null", "true", "false",
    "[0.1]", '{"usd":0.1}', '"free"', '"1_000"', '"NaN"', '"0x1"', "0.1234567891234", "[]", "{}",
)  # fmt: skip

NASTY_COSTS = (
    None, "", " ", "null", "{}", "[]", "0", "0.05", '"0.05"', "true", "NaN", "[object Object]", "{'total': 0.05}",
    '{"total":0.05', '{"total":0.05}}', '{"total":0.05,}', '{"total":0.05,"storage":0.01,}', '[{"total":0.05}]',
    '{"total":NaN}', '{"total":Infinity}', '{"total":-Infinity}', '{"total":nan}', '{"total":01}', '{"total":+1}',
    '{"total":.5}', '{"total":5.}', '{"total":0x1}', '{"total":1}{"total":2}', '{"total":1} ', ' {"total":1}',
    '\n{"total"\t:\r1}\n', '\u00a0{"total":1}', '\ufeff{"total":1}', '{total:1}', '{"total":1/*x*/}', '{"total":1}//',
    '{"total":0.25,"note":"\\u0000"}', '{"total":0.25,"\\u0000":1}', '{"total":0.25,"note":"a\\\\u0000"}',
    '{"total":0.25,"note":"\\ud83d\\ude00"}', '{"total":0.25,"note":"\\ud83d"}', '{"total":0.25,"note":"\\x"}',
    '{"total":0.25,"note":"a, ]"}', '{"total":0.25,"note":":NaN"}', '{"total":0.25,"note":"\\", ]"}', '{"":1}',
    '{"total":0.25,"note":"tab\there"}', '{"total":0.25,"note":"line\nbreak"}', '{"total":0.25,"note":"é 🎨"}',
    '{"to\\u0074al":0.25}', '{"total.usd":0.25}', '{"$":1,"*":2,"total":0.25}', '{"TOTAL":0.25}', '{" total":0.25}',
    '{"nested":{"total":0.25}}', '{"vision":{"total":0.25},"total":0.5}', '{"image":0.25}',
    '{"image":0.25,"image_generation":0.5}', '{"image":0.25,"image_generation":null}',
    '{"image":0.25,"image_generation":"x"}', '{"vision":0.1,"image":0.2,"storage":0.3}',
    '{"vision":0.1,"image":0.2,"total":0.3}', '{"vision":0.1,"image":0.2,"total":0.310001}',
    '{"vision":0.1,"image":0.2,"total":0.31}', '{"vision":0.1,"image":0.2,"total":0.29}',
    '{"vision":0.1,"image":0.2,"total":0.289999}', '{"vision":-1,"image":"x","storage":1e400}',
    '{"total":0.25,"more":' + "[" * 90 + "]" * 90 + "}", '{"total":0.25,"text":"' + "x" * 50_000 + '"}',
    "NULL", "\\N", " null ", '"{\\"vision\\":0.1,\\"total\\":0.1}"', '"\\"{}\\""', '"null"', '"[1]"',
    '{"vision":0.1,"image":NaN,"total":0.3}', '{"vision":-Infinity,"total":0.3}', '{"note":"x: NaN","total":NaN}',
    '"{\\"total\\":NaN,\\"vision\\":0.1}"', '{"vision":0.1,"moderation":0.2,"total":0.3}',
    '{"vision":0.1,"moderation":0.2}', '{"moderation":0.2}', '{"moderation":"0.2","note":"a","is_paid":true,"x":[1]}',
    '{"vision":0.1,"moderation":0.2,"total":0.5}', '{"vision":0.1,"moderation":-0.2}',
    '{"vision":0,"image":0,"total":0}',
    '{"vision":0,"image":0.17,"total":0.17}', '{"vision":"0","image":0.0,"total":-0}', '{"vision":0,"upscale":0.5}',
    '{"vision":0,"upscale":0}', '{"vision_cost":0.1,"image_cost_usd":0.2,"total_cost":0.3}',
    '{"image": 0.17113, "total": 0.18309, "vision": 0.011960000000000002}', '{"cost":0.5,"discount_percent":20}',
    '{"vision":0.1,"image":0.2,"total_usd":0.3}', '{"vision":0.1,"sum":0.3}', '{"Vision":0.1,"Image":0.2,"Total":0.3}',
    '{"totalUsd":0.3,"x":0.1}', '{"TOTAL_COST":0.3,"sum":0.4}', '{"vision":0.1,"Total":"x"}',
    '{"vision":0.1,"subtotal":0.1}', '{"vision":0.1,"tax_total":0.2}', '{"vision":0.1,"total_usd":0.3,"total":0.2}',
    '{"grand total":0.3,"grand_total":0.2}',
    '{"vision":0.17123400000000001,"image":0.1234565,"total":0.2946905}', '{"VISION":0.1,"total":0.1}',
    *(f'{{"total":{number}}}' for number in _COST_NUMBERS),
    *(f'{{"vision":{number},"image":0.01}}' for number in _COST_NUMBERS),
    *(f'{{"vision":0.01,"upscale":{number}}}' for number in _COST_NUMBERS),
)  # fmt: skip

_TOKEN_NUMBERS = (
    "440", '"440"', "-1", "0", "440.5", "440.4", "-0.4", "1e3", "1e400", "1000000000", "1000000001",
    "1000000000.0000004", _LONG, "null", "true", '"many"', "[440]", "{}", '""', '"1_0"',
)  # fmt: skip

NASTY_TOKENS = (
    None, "", "null", "{}", "[]", "1496", '"1496"', "undefined", "{input:440}", '{"input":440,', '{"input":440,}',
    "[440,1056]", '[{"input":440,"output":1056}]', '{"input":440}', '{"output":1056}', '{"total":1496}',
    '{"input":440,"output":1056}', '{"input":1,"output":2,"total":9}',
    '{"input_tokens":1,"output_tokens":2,"total_tokens":3}', '{"prompt_tokens":1,"completion_tokens":2}',
    '{"input":null,"prompt_tokens":7}', '{"input":"x","prompt_tokens":7}',
    '{"vision":{"prompt_tokens":1360,"completion_tokens":120},"image":{"input_tokens":440,"output_tokens":1056}}',
    '{"vision":{"prompt_tokens":1360},"image":{"output_tokens":1056}}',
    '{"a":{"input":1,"output":2,"total":10},"b":{"input":3,"output":4}}', '{"a":{"total":10},"b":{"total":20}}',
    '{"a":{"input":-1,"output":2},"b":{"input":3}}', '{"a":{},"b":{"input":3}}',
    '{"a":{"b":{"input":3}}}', '{"a":[{"input":3}]}', '{"a":{"input":{"text":3}}}', '{"input":{"input":5}}',
    '{"input":{"input":5,"output":6},"output":7}', '{"a":{"input":1},"input":100}', '{"a":{"input":1},"total":100}',
    '{"a":{"input":1e400},"b":{"input":"3"}}', '{"a":{"note":"}, {"},"b":{"input":3}}', '{"a.b":{"input":3}}',
    '{"a":{"input":1000000000},"b":{"input":1000000000}}', '{"a":{"input":1},"note":"\\u0000"}',
    '{"a":{"input":NaN}}', '{"a":{"input":3,}}', '{"":{"input":3}}', '{"a\\"b":{"input":3}}', '{"é":{"input":3}}',
    "NULL", "\\N", '"{\\"input\\":1}"', '{"input":NaN,"output":5}', '{"vision_input":0,"vision_output":0}',
    '{"image_input": 120, "image_output": 0, "vision_input": 1100, "vision_output": 300}',
    '{"vision_input":1,"vision":{"input":2}}', '{"vision_prompt_tokens":1,"image_generation_output_tokens":2}',
    '{"vision_input":1,"input":5}', '{"vision_total":9,"vision_input":4}', '{"vision_total":9,"image_input":4}',
    '{"upscale_input":1,"upscale_output":2,"upscale_total":9}', '{"upscale_total":9}', '{"a_b_input_tokens":3}',
    '{"UPSCALE_INPUT":1}', '{"upscale_input":"x"}', '{"upscale_input":true}', '{"upscale_input":{"input":4}}',
    '{"_input":3}', '{"vision":5,"image_input":1}', '{"image":{"input":1},"image_generation":{"input":2}}',
    '{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cachedInputTokens":1}', '{"unit":"TOKENS","input":4}',
    '{"input_tokens":50,"output_tokens":60,"total_tokens":110,"input_tokens_details":{"text_tokens":10}}',
    '{"vision_input":1,"image_output":2,"total_input":1,"total_output":2}', '{"total_input":5,"Total_Output":6}',
    '{"vision_input":1,"vision_cached_input_tokens":1,"vision_reasoning_output":3,"x_cached":{"input":4}}',
    '{"cache_read_input_tokens":7,"prompt_tokens_details":{"input":3}}', '{"vision_input":440.5,"image_input":0.5}',
    *(f'{{"input":{number},"output":1056}}' for number in _TOKEN_NUMBERS),
    *(f'{{"vision_input":{number},"image_output":1056,"x_output":{number}}}' for number in _TOKEN_NUMBERS),
    *(f'{{"vision":{{"input":{number},"total":{number}}},"image":{{"input":2}}}}' for number in _TOKEN_NUMBERS),
)  # fmt: skip

NASTY_STYLES = (
    None, "", "   ", "\t\n", "\u00a0", "Anime", " ANIME ", "oil  painting", "Oil Painting", "oil_painting",
    "oil\tpainting", "oil\npainting", "oil\u00a0painting", "\u00a0anime\u00a0", "ÉTÉ", "été", "e\u0301te\u0301",
    "СТИЛЬ", "ΣΊΣΥΦΟΣ", "İSTANBUL", "ıstanbul", "STRASSE", "Straße", "ǅ", "日本画", "🎨", "🎨 ART", "naïve", "NAÏVE",
    "a" * 100, "A" * 101, "x" * 99 + " y", "é" * 150, "🎨" * 120, "z" * 100_000, "null", "NULL", "\\N", "Null",
    "Classic Cartoon", "Mandala/Pattern", "-", "_", "0",
    "'; drop table x; --", "a\\b", "a%b_c", '"quoted"', "{{ jinja }}", "comma, style", "\u200b", "\u2003wide\u2003",
)  # fmt: skip

NASTY_ERRORS = (
    None, "", "  ", "\n", "\u00a0", "Request timed out.", "REQUEST TIMED OUT", "timeout " * 200, "x" * 100_000,
    "a b " * 400, "é" * 300, "🎨 failed", "Rate limit\nreached", "rate  limit", "connect ECONNREFUSED 10.1.2.3:5432",
    "No route to 2001:db8::8a2e:370:7334", "fe80::1%eth0 down", "mail to jane.doe+art@mail.example.org bounced",
    "see https://cdn.example.com/u/1/p.png?token=abc#x now", "key sk-proj-Zx12aBcDeFgHiJkLmNoPqRsTuV3456 is bad",
    "Bearer abc.def.ghi refused", "row 0f3b1234-12ab-4cde-8f01-234567896789 is locked", "at 2026-05-11T10:42:00.123Z",
    "C:\\temp\\a.png missing", "cannot read /var/uploads/holiday photo 12.jpeg", "IMG_9660.HEIC", "line1\r\nline2",
    "100% of 1,234.56 used", "<script>alert(1)</script>", "'; drop table users; --", "\\1 \\0 $1 &", "{{ x }} {% y %}",
    "ERREUR ÉLEVÉE", "ошибка 42", "エラー 500", "\u2028sep", "tab\there", "a" * 999 + " b", "a" * 1001, "(" * 500,
    "0" * 2000, "sk-" + "a" * 40, "x@y.zz" * 60, "user_12345 and job-98765", "trailing space ", " leading", "\u200b",
    "NULL", "null", "\\N", "unauthorized", "StorageApiError: The resource already exists",
)  # fmt: skip

NASTY_TIMES = (
    None, "", "not a date", "2026-02-30 10:00:00", "2026-03-05", "2026-03-05 10:00", "2026-03-05T10:00:00",
    "2026-03-05 10:00:00.5", "2026-03-05 10:00:00.123456", "2026-03-05 10:00:00.123456789", "2026-03-05 10:00:00Z",
    "2026-03-05T10:00:00.9999999Z", "2026-03-05 10:00:00+02", "2026-03-05 10:00:00+02:00", "2026-03-05 10:00:00-0530",
    "2026-03-05 23:30:00-01:00", "2026-03-05 00:30:00+01:00", "2026-03-05 10:00+02:00", "2026-03-05 10:00:00 +02:00",
    "2026-03-05 10:00:00 UTC", "2026-03-05 10:00:00.25UTC", "2026-03-05 10:00:00.000 +0000", "2026-03-05 10:00:00 Z",
    "2026-03-05 10:00 -0530", "2026-03-05 10:00:00  UTC", "2026-03-05 UTC", "2026-03-05 10:00:00 utc",
    " 2026-03-05 10:00:00 ", "2026-03-05 24:00:00", "2026-03-05 23:59:60", "2026-03-05 10:00:00+15:00", "05.03.2026",
    "03/05/2026", "1772704800", "now", "today", "infinity", "-infinity", "epoch", "1999-12-31 23:59:59",
    "0001-01-01", "9999-12-31 23:59:59.999999", "2099-01-01 00:00:00", "12026-03-05",
    "2026-3-5", "20260305T100000", "2026-03-05 10:00:00 UTC", "2026-03-05 10:00:00 Europe/Berlin", "2026-W10-4",
    "2026-02-29", "2025-12-31 12:00:00", "-2026-03-05", "2026-03-05 10:00:00 AD", "2026-03-05 10:00:00.", "٢٠٢٦-٠٣-٠٥",
)  # fmt: skip

NASTY_IDS = (
    None, "", "not-a-uuid", "12345", identifier(900_001), identifier(900_001).upper(), f" {identifier(900_002)} ",
    identifier(900_001)[:-1], f"{identifier(900_001)}0", "{" + identifier(900_003) + "}",
    identifier(900_003).replace("-", ""), "g" + identifier(900_003)[1:], "\u00a0" + identifier(900_003),
    identifier(900_004) + "\n", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
)  # fmt: skip

NASTY_USERS = (
    None, "", "  ", user(1), user(1).upper(), f" {user(1)} ", "jane", " jane ", "Jane", "jané", "42", "x" * 10_000,
    "🎨", "\u00a0", "jane\n", "NULL", "null", "\\N", "Null", "41", "41.0", "41.00", "041.0", "4.1.0", "NaN", "nan",
    "None", "<NA>", "N/A", " <null> ", "(null)", "[NULL]", "undefined", "NaT", "none", "x.0",
)  # fmt: skip

NASTY_OUTCOMES = (
    None, "", "true", "false", "TRUE", "False", "t", "f", "1", "0", "yes", "no", " true ", "T", "on", "y", "2", "null",
    "success", "true\n", "1.0", "0.0", "1.00", "0.00", "1.", "0.", ".0", "01", "00",
    "+1", "+0", "-0", "-0.0", "-1", "1.01", "0.1", "10", "1e0", "1.0.0", ".", "+", "1.0\n", " +1.00 ", "１",
    "NULL", "\\N", "N", "off", "OK", "failed", "Completed", "succeeded", "Failure", "error", "undefined", "None",
)  # fmt: skip

NASTY_JOBS = (None, "", "  ", "null", "\\N", "job", "Job ", "j" * 10_000, "é", "🎨")

NASTY = {
    "id": NASTY_IDS,
    "user_id": NASTY_USERS,
    "job_id": NASTY_JOBS,
    "style": NASTY_STYLES,
    "difficulty": NASTY_NUMBERS,
    "duration_ms": NASTY_NUMBERS,
    "costs": NASTY_COSTS,
    "tokens": NASTY_TOKENS,
    "success": NASTY_OUTCOMES,
    "error_message": NASTY_ERRORS,
    "created_at": NASTY_TIMES,
}


def nasty_rows() -> list[Row]:
    """A row for every nasty value, and repeats of some of them that differ in one column."""
    rows = []
    for column, values in NASTY.items():
        for value in values:
            number = len(rows)
            sound = failed_row(number, None) if column == "error_message" else sound_row(number)
            rows.append(sound | {column: value})
            if column in ("costs", "tokens"):  # of a failure zeros say nothing
                rows.append(failed_row(len(rows), "Request timed out.") | {column: value})
    repeats = [
        row | {"id": identifier(800_000 + number // 4), "created_at": str(START)} for number, row in enumerate(rows)
    ]
    return rows + [row for number, row in enumerate(repeats) if number % 3]
