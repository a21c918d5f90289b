"""The simulator: what it promises about sizes, formats, reproducibility, incidents, dirt and realism."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from project import ROOT
from simulator import dirt, incidents, writers
from simulator.__main__ import EXTENSIONS, main
from simulator.log import SCHEMA

COLUMNS = "id, user_id, job_id, style, difficulty, duration_ms, costs, tokens, success, error_message, created_at"

Query = Callable[..., list[tuple]]


def simulate(path: Path, *options: object) -> Path:
    """Write a log to a path."""
    main([*map(str, options), "--out", str(path), "--quiet"])
    return path


def exit_code(*options: object) -> int:
    """Run the simulator where it should refuse."""
    with pytest.raises(SystemExit) as stopped:
        main([*map(str, options), "--quiet"])
    return stopped.value.code


def as_text(path: Path) -> list[tuple]:
    """All rows of a log, in order, every value as the file has it."""
    types = dict.fromkeys(SCHEMA.names, "VARCHAR")
    readers = {
        ".parquet": f"select columns(*)::varchar from read_parquet('{path}')",
        ".csv": f"from read_csv('{path}', all_varchar = true, allow_quoted_nulls = false)",
        ".jsonl": f"from read_json('{path}', columns = {types})",
    }
    return duckdb.sql(readers[path.suffix]).fetchall()


def truth_of(path: Path) -> list[dict[str, str]]:
    """The incidents written beside a log."""
    with path.with_name(f"{path.name}.incidents.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def querying(path: Path) -> Query:
    """Query the log at a path as `log`."""
    database = duckdb.connect()
    database.execute(f"create view log as from read_parquet('{path}')")
    return lambda query, *values: database.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def calm(folder: Path) -> Query:
    """A log without incidents."""
    return querying(simulate(folder / "calm.parquet", "--rows", 200_000, "--days", 60))


@pytest.fixture(scope="module")
def mixed(folder: Path) -> Query:
    """The same log as many writers would log it."""
    return querying(simulate(folder / "mixed.parquet", "--rows", 200_000, "--days", 60, "--form", "mixed"))


@pytest.fixture(scope="module")
def troubled(folder: Path) -> Path:
    """A log with three incidents of each kind."""
    return simulate(folder / "troubled.parquet", "--rows", 150_000, "--days", 14, "--incidents", 3)


@pytest.fixture(scope="module")
def bursting(folder: Path) -> Path:
    """A log in which people try again, and in which four hours of each share fail."""
    return simulate(folder / "bursting.parquet", "--rows", 300_000, "--days", 14, "--bursts", "--failing", 4)


@pytest.fixture(scope="module")
def dirty(folder: Path) -> Path:
    return simulate(folder / "dirty.parquet", "--rows", 20_000, "--dirt", 0.05)


# Size and form


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("share", [0, 0.5])
@pytest.mark.parametrize("rows", [0, 1, 777])
def test_row_count_is_exact(tmp_path: Path, extension: str, share: float, rows: int) -> None:
    path = simulate(tmp_path / f"log{extension}", "--rows", rows, "--days", 3, "--dirt", share)
    assert len(as_text(path)) == rows


def test_columns_and_types_are_those_of_the_table(calm: Query, dirty: Path) -> None:
    types = {name: type_ for name, type_, *_ in calm("describe log")}
    assert ", ".join(types) == COLUMNS
    assert types == {
        "id": "UUID",
        "user_id": "UUID",
        "job_id": "VARCHAR",
        "style": "VARCHAR",
        "difficulty": "INTEGER",
        "duration_ms": "BIGINT",
        "costs": "VARCHAR",
        "tokens": "VARCHAR",
        "success": "BOOLEAN",
        "error_message": "VARCHAR",
        "created_at": "TIMESTAMP",
    }
    assert {type_ for _, type_, *_ in querying(dirty)("describe log")} == {"VARCHAR"}


def test_rows_are_in_order_and_within_the_range(tmp_path: Path) -> None:
    log = querying(simulate(tmp_path / "log.parquet", "--rows", 5_000, "--days", 2, "--end", "2026-03-10T06:30"))
    times = [time for (time,) in log("select created_at from log")]
    assert times == sorted(times)
    first, last = log("select min(created_at)::varchar, max(created_at)::varchar from log")[0]
    assert first.startswith("2026-03-08 06:3")
    assert last.startswith("2026-03-10 06:")
    assert last < "2026-03-10 06:30"


def test_a_clean_log_is_clean(calm: Query) -> None:
    assert calm("""
        select count(*) - count(distinct id), count(*) filter (user_id is null),
            count(*) filter (success <> (error_message is null)),
            count(*) filter (duration_ms not between 1 and 300000 and style is not null),
            count(*) filter (not json_valid(costs)), count(*) filter (not json_valid(tokens)),
            count(*) filter (difficulty not between 1 and 5), count(distinct style)
        from log
    """) == [(0, 0, 0, 0, 0, 0, 0, 12)]


def test_the_application_fills_in_documents_when_all_is_done(calm: Query) -> None:
    """Costs and tokens of a failure are zeros, but for the few that fail after that."""
    zeros, others, of_success = calm("""
        select
            count(*) filter (
                not success and costs = '{"vision":0,"image":0,"total":0}'
                and tokens = '{"vision_input":0,"vision_output":0,"image_input":0,"image_output":0}'
            ),
            count(*) filter (not success and (costs ->> 'total')::double > 0.17),
            count(*) filter (
                success and json_keys(costs) = ['vision', 'image', 'total']
                and json_keys(tokens) = ['vision_input', 'vision_output', 'image_input', 'image_output']
                and abs((costs ->> 'vision')::double - (tokens ->> 'vision_input')::int * 0.000005
                    - (tokens ->> 'vision_output')::int * 0.00002) < 1e-9
                and abs((costs ->> 'image')::double - 0.17 - (tokens ->> 'image_input')::int * 0.000005) < 1e-9
                and (costs ->> 'total')::double = (costs ->> 'vision')::double + (costs ->> 'image')::double
            )
        from log
    """)[0]
    failures, successes = calm("select count(*) filter (not success), count(*) filter (success) from log")[0]
    assert zeros + others == failures
    assert 0.005 < others / failures < 0.04
    assert of_success == successes


def test_the_applications_job_ids_collide_and_say_nothing(calm: Query) -> None:
    least, most, distinct = calm("select min(job_id::int), max(job_id::int), count(distinct job_id) from log")[0]
    assert (least, most) == (1_000, 10_998)
    assert distinct == 9_999


def test_a_request_that_is_refused_early_has_no_style_and_a_duration_since_1970(calm: Query) -> None:
    early, consistent = calm("""
        select count(*) filter (style is null), count(*) filter (
            style is null and difficulty is null and not success and duration_ms = epoch_us(created_at) // 1000
        ) from log
    """)[0]
    assert early == consistent > 100


def test_error_texts_are_the_applications_and_now_and_then_the_providers(calm: Query) -> None:
    texts = dict(calm("select error_message, count(*) from log where not success group by all"))
    for text in (
        "Too many requests. Please wait a moment and try again.",
        "OpenAI quota exceeded. Please contact support.",
        "Content not suitable for generation. Please try a different scene description.",
        "No image generated by gpt-image-1",
        "Photo analysis timed out. Please try with a smaller image or try again.",
        "User storage upload failed: new row violates row-level security policy",
        "Failed to download image: Gateway Timeout",
    ):
        assert texts[text] > 10, text
    assert 20 < texts["Request timed out."] < texts["Photo analysis timed out. Please try with a smaller image or "
                                                    "try again."] / 3  # fmt: skip


# Reproducibility


@pytest.mark.parametrize("share", [0, 0.05])
@pytest.mark.parametrize("name", ["log.parquet", "log.csv", "log.jsonl"])
def test_equal_commands_give_equal_bytes(tmp_path: Path, name: str, share: float) -> None:
    options = ("--rows", 6_000, "--days", 14, "--incidents", 1, "--dirt", share)
    (tmp_path / "again").mkdir()
    first, second = simulate(tmp_path / name, *options), simulate(tmp_path / "again" / name, *options)
    assert first.read_bytes() == second.read_bytes()
    assert truth_of(first) == truth_of(second)


def test_the_sample_is_what_its_command_writes(tmp_path: Path) -> None:
    """What is added to the simulator changes no log that is there, unless it is asked for."""
    options = ("--rows", 5_000, "--days", 60, "--dirt", 0.03, "--incidents", 1, "--seed", 42)
    again, sample = simulate(tmp_path / "sample.parquet", *options), ROOT / "sample" / "generation_logs.parquet"
    assert as_text(again) == as_text(sample)
    assert truth_of(again) == truth_of(sample)


@pytest.mark.parametrize("options", [("--bursts",), ("--bursts", "--failing", 1), ("--incidents", 1, "--failing", 1)])
def test_bursts_and_failing_hours_are_reproducible_and_of_the_wanted_size(tmp_path: Path, options: tuple) -> None:
    options = ("--rows", 6_000, "--days", 14, *options)
    first, second = (simulate(tmp_path / f"{name}.parquet", *options) for name in ("first", "second"))
    rows = as_text(first)
    assert len(rows) == 6_000
    assert rows == as_text(second)
    assert [row[-1] for row in rows] == sorted(row[-1] for row in rows)


def test_another_seed_gives_another_log(tmp_path: Path) -> None:
    logs = [simulate(tmp_path / f"{seed}.csv", "--rows", 100, "--seed", seed).read_bytes() for seed in (1, 2)]
    assert logs[0] != logs[1]


@pytest.mark.parametrize("share", [0, 0.05])
def test_every_format_holds_the_same_rows(tmp_path: Path, share: float) -> None:
    options = ("--rows", 6_000, "--days", 14, "--dirt", share)
    parquet, *others = (as_text(simulate(tmp_path / f"log{extension}", *options)) for extension in EXTENSIONS)
    for other in others:
        assert other == parquet if share else _without_trailing_zeros(other) == _without_trailing_zeros(parquet)


def _without_trailing_zeros(rows: list[tuple]) -> list[tuple]:
    return [(*row[:-1], row[-1].rstrip("0")) for row in rows]


@pytest.mark.parametrize("share", [0, 0.05])
def test_nested_documents_are_the_same_documents(tmp_path: Path, share: float) -> None:
    options = ("--rows", 6_000, "--days", 14, "--dirt", share)
    plain = as_text(simulate(tmp_path / "plain.jsonl", *options))
    nested = simulate(tmp_path / "nested.jsonl", *options, "--nested")
    assert '"costs":{"vision":' in nested.read_text()
    assert as_text(nested) == plain


# Incidents


def test_incidents_are_as_many_as_asked_and_apart(troubled: Path) -> None:
    truth = truth_of(troubled)
    assert sorted(incident["kind"] for incident in truth) == sorted(incidents.KINDS * 3)
    gaps = duckdb.sql(f"""
        select started_at - lag(ended_at) over (order by started_at) as gap, ended_at - started_at as length, kind
        from read_csv('{troubled}.incidents.csv')
    """)
    assert gaps.filter("gap < interval '3' hour").fetchall() == []
    assert gaps.filter("length not between interval '30' minute and interval '2' hour").fetchall() == []


def test_incidents_show_in_the_log(troubled: Path) -> None:
    log = querying(troubled)
    usual_rows, usual_failures, usual_p95, usual_cost = _measures(log, "2026-06-17", "2026-07-01")
    assert usual_p95 < 22_000
    for incident in truth_of(troubled):
        rows, failures, p95, cost = _measures(log, incident["started_at"], incident["ended_at"])
        match incident["kind"]:
            case "rate_limit_storm":
                assert failures > 0.5
            case "slow_hour":
                assert p95 > 35_000
            case "cost_spike":
                assert cost > 2 * usual_cost
            case "outage":
                assert rows == 0
        if incident["kind"] != "rate_limit_storm" and rows:
            assert failures < 0.1
    assert usual_rows == 150_000
    assert usual_failures < 0.06


@pytest.mark.parametrize("kind", incidents.KINDS)
def test_an_incident_at_the_end_is_in_the_last_hour(tmp_path: Path, kind: str) -> None:
    path = simulate(tmp_path / "log.parquet", "--rows", 20_000, "--days", 3, "--incident-at-end", kind)
    (incident,) = truth_of(path)
    assert incident["kind"] == kind
    assert "2026-06-30 23:00" <= incident["started_at"] < "2026-07-01"
    assert incident["ended_at"] == "2026-07-01 00:00:00"
    rows, failures, p95, cost = _measures(querying(path), incident["started_at"], incident["ended_at"])
    match kind:
        case "rate_limit_storm":
            assert failures > 0.5
        case "slow_hour":
            assert p95 > 35_000
        case "cost_spike":
            assert cost > 0.08
        case "outage":
            assert rows == 0


def test_a_log_without_incidents_leaves_no_stale_truth(tmp_path: Path) -> None:
    path = simulate(tmp_path / "log.csv", "--rows", 100, "--incidents", 1)
    assert truth_of(path)
    simulate(path, "--rows", 100)
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]


def test_hours_fail_as_asked(bursting: Path) -> None:
    truth = truth_of(bursting)
    assert {incident["kind"] for incident in truth} == {incidents.FAILING}
    assert sorted(incident["intensity"] for incident in truth) == ["0.150"] * 4 + ["0.500"] * 4 + ["1.000"] * 4
    log = querying(bursting)
    for incident in truth:
        _, failures, _, _ = _measures(log, incident["started_at"], incident["ended_at"])
        # beside these some 4 percent fail as ever
        assert float(incident["intensity"]) - 0.02 < failures < float(incident["intensity"]) + 0.08
    gaps, lengths = duckdb.sql(f"""
        select min(gap) >= interval '3' hour, list(distinct length) = [interval '1' hour] from (
            select started_at - lag(ended_at) over (order by started_at) as gap, ended_at - started_at as length
            from read_csv('{bursting}.incidents.csv')
        )
    """).fetchall()[0]
    assert gaps
    assert lengths
    # one cause, and so one kind of error
    assert log(f"""
        select avg((contains(error_message, 'rate limit') or contains(error_message, 'safety'))::integer) < 0.05
        from log, read_csv('{bursting}.incidents.csv')
        where not success and intensity = 1 and created_at >= started_at and created_at < ended_at
    """) == [(True,)]


def test_failing_hours_are_beside_the_other_incidents(tmp_path: Path) -> None:
    path = simulate(tmp_path / "log.csv", "--rows", 500, "--days", 14, "--incidents", 1, "--failing", 2)
    kinds = [incident["kind"] for incident in truth_of(path)]
    assert sorted(kinds) == sorted((*incidents.KINDS, *[incidents.FAILING] * 6))


def _measures(log: Query, start: str, end: str) -> tuple:
    return log(
        """
        select count(*), avg(1 - success::integer),
            percentile_cont(0.95) within group (order by duration_ms) filter (success),
            avg((costs ->> 'total')::double) filter (success)
        from log where created_at >= ?::timestamp and created_at < ?::timestamp
        """,
        start,
        end,
    )[0]


# Dirt: what a log with this kind of malformed row has, and one without it has not

SIGNS = {
    "costs_not_json": "costs in ('[object Object]', 'NaN', '')",
    "costs_null": "costs = 'null'",
    "costs_empty": "costs = '{}' and success = 'true'",
    "costs_array": "costs like '[0%'",
    "costs_bare_number": "costs = '0.05066'",
    "costs_bare_string": "costs = '\"free\"'",
    "costs_numbers_as_strings": 'costs like \'%"total":"0.%\'',
    "costs_negative": "costs like '%:-0.%'",
    "costs_too_large": "costs like '%:1e400%'",
    "costs_wrong_nested_types": "costs like '%\"usd\"%'",
    "costs_total_is_not_the_sum": "costs like '%\"total\":1.55066}'",
    "tokens_not_json": "tokens in ('undefined', '1,056 tokens')",
    "tokens_null": "tokens = 'null'",
    "tokens_empty": "tokens = '{}' and success = 'true'",
    "tokens_array": "tokens like '[4%'",
    "tokens_bare_number": "tokens = '1496'",
    "tokens_bare_string": "tokens = '\"1496\"'",
    "tokens_numbers_as_strings": "regexp_matches(tokens, '(output|completion)[a-z_]*\":\"[0-9]')",
    "tokens_negative": "tokens like '%:-%'",
    "tokens_too_large": "tokens like '%:1e400%'",
    "tokens_wrong_nested_types": "tokens like '%[1360,120]%'",
    "duration_negative": "duration_ms like '-%'",
    "duration_null": "duration_ms is null",
    "duration_above_a_day": "length(duration_ms) > 9 and difficulty is not null",
    "success_null": "success is null",
    "success_with_error": "success = 'true' and error_message is not null",
    "failure_without_error": "success = 'false' and error_message is null",
    "style_null": "style is null and difficulty is not null",
    "style_blank": "trim(style) = ''",
    "style_differs": "style = upper(style) and style <> lower(style)",
    "difficulty_null": "difficulty is null and style is not null",
    "difficulty_zero": "difficulty = '0'",
    "difficulty_99": "difficulty = '99'",
    "difficulty_negative": "difficulty like '-%'",
    "user_null": "user_id is null",
    "repeat_identical": f"({COLUMNS}) in (select ({COLUMNS}) from log group by all having count(*) > 1)",
    "repeat_differing": """
        id in (select id from log group by id, left(created_at, 10) having count(distinct created_at || costs) > 1)""",
    "repeat_on_another_day": """
        id in (
            select id from log where created_at like '2026%' group by id having count(distinct left(created_at, 10)) > 1
        )
    """,
    "id_missing": "id is null",
    "id_unreadable": "try_cast(id as uuid) is null and id is not null",
    "created_at_missing": "created_at is null",
    "created_at_unreadable": "created_at = 'not a date'",
    "created_at_future": "created_at > '2099'  and created_at < 'A'",
    "created_at_with_offset": "created_at like '%+02:00' or created_at like '%Z'",
    "error_with_email": "error_message like '%mailbox full'",
    "error_with_url": "error_message like 'fetch failed%'",
    "error_with_key": "error_message like '%sk-proj-Zx%'",
    "error_with_ip": "error_message like '%ECONNREFUSED%'",
    "error_with_uuid": "error_message like 'Row %'",
    "error_with_file": "error_message like 'Cannot decode%'",
    "error_with_time": "error_message like 'Deadline%'",
    "number_as_text": "concat(duration_ms, difficulty) like '%.0%' or concat(duration_ms, difficulty) like '% %'",
    "success_as_text": "success in ('TRUE', 't', '1')",
}


def test_every_kind_of_dirt_has_a_sign() -> None:
    assert set(SIGNS) == set(dirt.KINDS)


@pytest.mark.parametrize("kind", dirt.KINDS)
def test_dirt_holds_every_kind_of_malformed_row(dirty: Path, clean_text: Query, kind: str) -> None:
    assert querying(dirty)(f"select count(*) from log where {SIGNS[kind]}")[0][0] > 0
    if kind not in ("costs_empty", "tokens_empty"):  # real logs have some of these too
        assert clean_text(f"select count(*) from log where {SIGNS[kind]}")[0][0] == 0


@pytest.fixture(scope="module")
def clean_text(folder: Path) -> Query:
    """The log that `dirty` was before it was soiled, as text."""
    path = simulate(folder / "clean.parquet", "--rows", 20_000)
    database = duckdb.connect()
    database.execute(f"create table log as select columns(*)::varchar from read_parquet('{path}')")
    return lambda query, *values: database.execute(query, values).fetchall()


def test_dirt_spoils_about_its_share_and_nothing_else(dirty: Path, clean_text: Query) -> None:
    clean = clean_text("from log")
    soiled = as_text(dirty)
    changed = sum(
        one[:-1] != other[:-1] or (one[-1] or "").rstrip("0") != other[-1].rstrip("0")
        for one, other in zip(soiled, clean, strict=True)
    )
    assert 0.04 < changed / len(clean) < 0.06


def test_repeated_ids_keep_to_their_day(dirty: Path) -> None:
    same_day, other_day = querying(dirty)("""
        with repeated as (
            select count(distinct left(created_at, 10)) as days from log
            where try_cast(id as uuid) is not null and created_at like '2026-0_-__ __:__:__.______'
            group by id having count(*) > 1
        )
        select count(*) filter (days = 1), count(*) filter (days > 1) from repeated
    """)[0]
    assert same_day > 3 * other_day > 0


# Realism


def test_failure_rate_and_durations_are_usual(calm: Query) -> None:
    failures, p95 = calm("""
        select avg(1 - success::integer), percentile_cont(0.95) within group (order by duration_ms) filter (success)
        from log
    """)[0]
    assert 0.025 <= failures <= 0.03
    assert 15_000 < p95 < 22_000


def test_costs_and_durations_grow_with_difficulty(calm: Query) -> None:
    by_difficulty = calm("""
        select avg((costs ->> 'total')::double) filter (success), avg(duration_ms), avg((not success)::integer)
        from log where difficulty is not null group by difficulty order by difficulty
    """)
    assert len(by_difficulty) == 5
    for measure in range(3):
        values = [row[measure] for row in by_difficulty]
        assert values == sorted(values)


def test_documents_of_many_writers_come_in_every_form(mixed: Query) -> None:
    def count(condition: str) -> int:
        return mixed(f"select count(*) from log where {condition}")[0][0]

    assert count("""costs like '{"vision":0.%,"image_generation":0.%,"storage":0.0000_,"total":0.%}'""") > 100_000
    assert count("""costs like '%"image":0.%'""") > 1_000
    assert count("""regexp_matches(costs, '^{"total":[0-9.]+}$')""") > 1_000
    assert count('not success and regexp_matches(costs, \'^{"vision":[0-9.]+,"total":[0-9.]+}$\')') > 1_000
    assert count("success and costs is null") > 100
    assert count("""regexp_matches(tokens, '^{"input":[0-9]+,"output":[0-9]+,"total":[0-9]+}$')""") > 50_000
    assert (
        count("""tokens like '{"vision":{"prompt_tokens":%},"image":{"input_tokens":%,"output_tokens":1056}}'""")
        > 10_000
    )
    assert count("""tokens like '%prompt%' and created_at < '2026-05-10'""") == 0
    assert count("abs((costs ->> 'total')::double - (costs ->> 'vision')::double - (costs ->> 'storage')::double"
                 " - coalesce(costs ->> 'image', costs ->> 'image_generation')::double) > 1e-9") == 0  # fmt: skip


def test_error_texts_cover_the_taxonomy(mixed: Query) -> None:
    beginnings = [
        "429 Rate limit reached for gpt-4o in organization org-",
        "You've exceeded the rate limit",
        "Request too large for gpt-4o",
        "429 You exceeded your current quota",
        "400 Billing hard limit",
        "400 Your request was rejected as a result of our safety system",
        "Your request was rejected by the safety system",
        "You uploaded an unsupported image",
        "400 Timeout while downloading https://",
        "The server had an error processing your request",
        "Request timed out.",
        "Connection error.",
        "StorageApiError: The resource already exists",
        "StorageApiError: Payload too large",
        "Upload failed: 503",
        "401 Incorrect API key provided: sk-proj-",
        "TypeError:",
    ]
    for beginning in beginnings:
        assert mixed("select count(*) from log where starts_with(error_message, ?)", beginning)[0][0] > 5, beginning


def test_retries_of_many_writers_share_the_job_and_follow_soon(mixed: Query) -> None:
    retries, of_others, slow, of_successes, share = mixed("""
        with attempts as (
            select *, lag(user_id) over job as previous_user, lag(created_at) over job as previous_at,
                lag(success) over job as previous_success, lag(style) over job as previous_style
            from log window job as (partition by job_id order by created_at)
        )
        select count(previous_at), count(*) filter (user_id <> previous_user or style <> previous_style),
            count(*) filter (created_at - previous_at > interval '3' minute), count(*) filter (previous_success),
            count(previous_at) / (select count(*) from log where not success)
        from attempts
    """)[0]
    assert retries > 500
    assert (of_others, slow, of_successes) == (0, 0, 0)
    assert 0.15 < share < 0.6


def test_people_try_again_until_it_succeeds_or_they_give_up(bursting: Path) -> None:
    log = querying(bursting)
    share, longest, long_share, gone_on, by_chance = log(f"""
        with quiet as (
            select user_id, created_at, success from log
            where not exists (
                from read_csv('{bursting}.incidents.csv')
                where created_at >= started_at - interval '2' hour and created_at < ended_at + interval '2' hour
            )
        ),

        after as (
            select *, lead(created_at) over (partition by user_id order by created_at) - created_at
                between interval '30' second and interval '90' second as is_tried_again
            from quiet
        ),

        tries as (
            select *, row_number() over (partition by user_id order by created_at)
                - row_number() over (partition by user_id, success order by created_at) as stretch
            from after
        ),

        bursts as (
            select count(*) as failures from tries where not success group by user_id, stretch
        )

        select avg((not success)::integer), (select max(failures) from bursts),
            (select sum(failures) filter (failures >= 5) / sum(failures) from bursts),
            avg(is_tried_again::integer) filter (not success), avg(is_tried_again::integer) filter (success)
        from after
    """)[0]
    assert 0.035 < share < 0.048
    assert 17 <= longest <= 30
    assert 0.25 < long_share < 0.5
    assert gone_on > 0.6
    # two wishes of one user may be so near
    assert by_chance < 0.2


def test_traffic_has_a_daily_and_weekly_rhythm_and_grows(calm: Query) -> None:
    hours = [count for (count,) in calm("select count(*) from log group by hour(created_at) order by hour(created_at)")]
    assert len(hours) == 24
    assert max(hours) == max(hours[16:22]) > 2 * min(hours)
    weekend, midweek, first, last = calm("""
        select count(*) filter (isodow(created_at) >= 6) / 2, count(*) filter (isodow(created_at) between 2 and 3) / 2,
            count(*) filter (created_at < '2026-05-16'), count(*) filter (created_at >= '2026-06-17')
        from log where created_at >= '2026-05-02' and created_at < '2026-07-01'
    """)[0]
    assert weekend > 1.2 * midweek
    assert last > 1.2 * first


def test_users_return_or_not_and_some_are_heavy(calm: Query) -> None:
    users, one_day, ten_days, top_share = calm("""
        with users as (
            select count(*) as generations, count(distinct created_at::date) as days,
                row_number() over (order by count(*) desc) as place
            from log group by user_id
        )
        select count(*), count(*) filter (days = 1), count(*) filter (days >= 10),
            sum(generations) filter (place <= (select count(*) / 100 from users)) / sum(generations)
        from users
    """)[0]
    assert users > 10_000
    assert 0.4 < one_day / users < 0.8
    assert ten_days / users > 0.02
    assert 0.1 < top_share < 0.5


def test_styles_are_unequally_popular(calm: Query) -> None:
    counts = [count for (count,) in calm("select count(*) from log group by style order by 1 desc")]
    assert counts[0] > 5 * counts[-1]


# Refusals


@pytest.mark.parametrize(
    "options",
    [
        ("--rows", 10),
        ("--rows", -1, "--out", "log.csv"),
        ("--rows", "many", "--out", "log.csv"),
        ("--rows", 10, "--out", "log.xlsx"),
        ("--rows", 10, "--out", "-"),
        ("--rows", 10, "--out", "no/such/folder/log.csv"),
        ("--rows", 10, "--out", "log.csv", "--postgres"),
        ("--rows", 10, "--out", "log.csv", "--nested"),
        ("--rows", 10, "--out", "log.csv", "--replace"),
        ("--rows", 10, "--out", "log.csv", "--table", "public.log"),
        ("--rows", 10, "--out", "log.csv", "--days", 0),
        ("--rows", 10, "--out", "log.csv", "--days", 10_000_000),
        ("--rows", 10, "--out", "log.csv", "--end", "9999-12-31"),
        ("--rows", 10, "--out", "log.csv", "--truth", "no/such/folder/truth.csv"),
        ("--rows", 10**20, "--out", "log.csv"),
        ("--rows", 10, "--out", "log.csv", "--dirt", 1.5),
        ("--rows", 10, "--out", "log.csv", "--dirt", "nan"),
        ("--rows", 10, "--out", "log.csv", "--end", "yesterday"),
        ("--rows", 10, "--out", "log.csv", "--end", "2026-06-30T10:00+02:00"),
        ("--rows", 10, "--out", "log.csv", "--incident-at-end", "flood"),
        ("--rows", 10, "--out", "log.csv", "--days", 7, "--incidents", 20),
        ("--rows", 10, "--out", "log.csv", "--days", 7, "--failing", 20),
        ("--rows", 10, "--out", "log.csv", "--failing", -1),
        ("--rows", 10, "--postgres", "host=/no/such/socket"),
        ("--rows", 10, "--postgres", "--table", "a.b.c"),
    ],
)
def test_mistakes_end_with_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: tuple
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(*options) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_interrupted_run_leaves_no_file(tmp_path: Path, extension: str) -> None:
    def breaking() -> Iterator[pa.Table]:
        yield SCHEMA.empty_table()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writers.write_file(tmp_path / f"log{extension}", breaking(), SCHEMA)
    assert list(tmp_path.iterdir()) == []
