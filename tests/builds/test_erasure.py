"""Erasing users: afterwards the warehouse is one that never saw them, and that is proven; nothing brings them back."""

import datetime as dt
import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from factory import ENGINES, NewWarehouse, examples
from logs import identifier, simulated_rows, sound_row, user
from project import TIME_COLUMNS
from warehouse.__main__ import main
from warehouse.erasure import proof
from warehouses import SCHEMA, Marts, Row, Warehouse, assert_equal_marts

pytestmark = pytest.mark.mainly_on("postgres")

_SALT = "one salt for all warehouses"
_DAY = dt.timedelta(days=1)
_NEVER_MADE_OF_SINGLE_DAYS = ("dim_styles",)


def _use(warehouse: Warehouse, patch: pytest.MonkeyPatch) -> None:
    warehouse.disconnect()
    patch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
    patch.setenv("DBT_TARGET_PATH", str(warehouse.target_path))
    patch.setenv("DBT_LOG_PATH", str(warehouse.folder / "logs"))
    for name, value in (warehouse.environment() | warehouse.settings).items():
        patch.setenv(name, value)


def _erase(warehouse: Warehouse, ids: Iterable[str], *options: str, code: int = 0) -> None:
    """The command, on this warehouse."""
    with pytest.MonkeyPatch.context() as patch:
        _use(warehouse, patch)
        patch.setattr("sys.stdin", io.StringIO("\n".join(ids)))
        assert main(["erase", *options]) == code


def _fast(warehouse: Warehouse, ids: Iterable[str], *options: str, **run: object) -> None:
    """The same without its own build, then a build in this process; and nothing is written again."""
    _erase(warehouse, ids, "--no-build", "--no-rewrite", "--anyway", "--large", *options)
    warehouse.run(**run)


def _since(marts: Marts, first_day: dt.date | None, leaving_out: Iterable[str] = ()) -> Marts:
    """What is of the days from one on, and all that is of no day."""

    def is_meant(name: str, row: Row) -> bool:
        time_of = row[TIME_COLUMNS[name]] if name in TIME_COLUMNS else None
        if time_of is None or first_day is None:
            return True
        return (time_of.date() if isinstance(time_of, dt.datetime) else time_of) >= first_day

    return {
        name: {key: row for key, row in rows.items() if is_meant(name, row)}
        for name, rows in marts.items()
        if name not in leaving_out
    }


def _keys_anywhere(warehouse: Warehouse, keys: Iterable[uuid.UUID]) -> int:
    """Looked for in a way that the command does not use: every value of every relation but the source, as text."""
    needles = {str(key) for key in keys}
    found = 0
    for schema, name, _ in warehouse.relations():
        if schema.startswith(SCHEMA):
            for row in warehouse.query(f'select * from {schema}."{name}"'):
                found += any(str(value) in needles for value in row)
    return found


def _heaviest(rows: list[Row]) -> list[str]:
    """The users, by how many generations they have."""
    counts: dict[str, int] = {}
    for row in rows:
        if row["user_id"]:
            user_id = str(row["user_id"])
            counts[user_id] = counts.get(user_id, 0) + 1
    return sorted(counts, key=lambda user_id: (-counts[user_id], user_id))


def _before(rows: list[Row], day: str) -> list[Row]:
    return [row for row in rows if not row["created_at"] or str(row["created_at"]) < day]


@pytest.mark.parametrize("engine", ENGINES)
def test_after_an_erasure_the_warehouse_is_one_that_never_saw_the_users(
    engine: str, new_warehouse: NewWarehouse, capsys: pytest.CaptureFixture
) -> None:
    """A log of 120 days with dirt and incidents, which the warehouse has known for two runs."""
    log = simulated_rows(2500, 120, seed=7, dirt=0.02, incidents=2)
    users = _heaviest(log)
    gone = [users[0], users[len(users) // 3], users[-1]]
    assert sum(str(row["user_id"]) in gone for row in log) > 20
    newest = max(str(row["created_at"])[:10] for row in log if row["created_at"] and row["created_at"] < "2027")
    rest = [row for row in log if str(row["user_id"]) not in gone]
    here, never = new_warehouse(engine), new_warehouse(engine)
    for warehouse, rows in ((here, log), (never, rest)):
        warehouse.salt = _SALT
        warehouse.load(_before(rows, newest))
        warehouse.run()
        warehouse.load(rows)
        warehouse.run()
    keys = [here.user_key(each, _SALT) for each in gone]
    before = here.marts()
    assert _keys_anywhere(here, keys) > 60
    # spelled as people spell them
    certificate = here.folder / "certificate.txt"
    asked = [gone[0].upper(), "", f"  {gone[1]} ", gone[2]]
    _erase(here, asked, "--large", "--reference", "request 17", "--certificate", str(certificate))
    text = certificate.read_text()
    assert certificate.stat().st_mode & 0o777 == 0o600
    assert text.startswith("CERTIFICATE OF ERASURE")
    assert "request 17" in text
    assert not any(part in text + "".join(capsys.readouterr()) for part in [*gone, *map(str, keys)])
    of_log = sum(str(row["user_id"]) in gone for row in log)
    assert f"{of_log:,} rows of theirs are in the log" in text
    fact = sum(row["user_key"] in keys for row in before["fct_generations"].values())
    assert any(line.split() == [f"{SCHEMA}_marts.fct_generations", f"{fact:,}"] for line in text.splitlines())
    assert _keys_anywhere(here, keys) == 0
    first_of_fact = min(row["activity_date"] for row in here.mart("fct_generations"))
    assert first_of_fact > min(row["activity_date"] for row in here.mart("daily_engagement"))
    marts = here.marts()
    assert_equal_marts(
        _since(marts, first_of_fact, _NEVER_MADE_OF_SINGLE_DAYS),
        _since(never.marts(), first_of_fact, _NEVER_MADE_OF_SINGLE_DAYS),
    )
    # older days keep their counts
    old = {key: row for key, row in before["daily_engagement"].items() if key[0] < first_of_fact - _DAY}
    assert old
    assert {key: marts["daily_engagement"][key] for key in old} == old
    # nothing brings them back
    here.run(variables={"backfill_from": "2026-01-01"})
    here.run(selector="alerts")
    here.run("test", selector="daily")
    here.run(full_refresh=True, variables={"lose_history": True})
    assert _keys_anywhere(here, keys) == 0
    never.run(full_refresh=True, variables={"lose_history": True})
    assert_equal_marts(here.marts(), never.marts())
    # the log as it is has no row of theirs for anybody who counts
    assert {str(row["user_id"]) for row in rest} & set(gone) == set()


_STORIES = {"max_examples": examples(1), "deadline": None, "derandomize": True, "phases": [Phase.generate]}


@pytest.fixture(scope="module", params=ENGINES)
def two(request: pytest.FixtureRequest, module_warehouse: NewWarehouse) -> tuple[Warehouse, Warehouse]:
    """Two warehouses for one example after the other."""
    return module_warehouse(request.param), module_warehouse(request.param)


@settings(**_STORIES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_erased_at_any_moment_is_never_seen(two: tuple[Warehouse, Warehouse], seed: int) -> None:
    """Random rows of few users, with repeats, unreadable times and ids, in arrivals; the erasure is somewhere between
    them, after a run of any kind, and the log holds the users' rows or not."""
    random = Random(seed)
    here, never = two
    for warehouse in two:
        warehouse.empty(_SALT)
    gone = {user(number) for number in random.sample(range(6), random.randint(1, 3))}
    log: list[Row] = []
    moment = random.randint(0, 2)
    for arrival in range(3):
        for _ in range(random.randint(4, 25)):
            log.append(_random_row(random, log, arrival))
        rest = [row for row in log if str(row["user_id"]) not in gone]
        here.load(log if arrival < moment or random.random() < 0.7 else rest)
        is_hourly = random.random() < 0.5 and arrival not in (moment, 2)
        here.run(**({"selector": "hourly"} if is_hourly else {}))
        if arrival == moment:
            _fast(here, gone)
    never.load(rest)
    never.run()
    assert _keys_anywhere(here, [here.user_key(each, _SALT) for each in gone]) == 0
    assert_equal_marts(here.marts(), never.marts())


def _random_row(random: Random, log: list[Row], arrival: int) -> Row:
    at = dt.datetime(2026, 3, 2) + dt.timedelta(
        days=arrival * random.choice([1, 1, 2]), minutes=random.randint(0, 5000)
    )
    changes = {
        "user_id": user(random.randint(0, 5)) if random.random() < 0.95 else None,
        "created_at": random.choice([str(at)] * 12 + [None, "soon", "2099-01-01"]),
        "style": random.choice(["anime", "oil", "sketch"]),
        "id": random.choice([identifier(len(log))] * 12 + [None, "x"]),
    }
    if log and random.random() < 0.1:
        return random.choice(log) | {"user_id": changes["user_id"]}
    return sound_row(len(log), **changes)


@pytest.mark.parametrize("engine", ENGINES)
def test_who_comes_back_is_a_new_user_under_another_key_and_can_be_erased_again(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    warehouse = new_warehouse(engine)
    warehouse.salt = _SALT
    log = [
        sound_row(day * 10 + place, user_id=user(place), created_at=f"2026-03-{day:02} 08:0{place}:00")
        for day in range(2, 12)
        for place in range(4)
    ]
    # a time that may be of before stays out
    log += [sound_row(900, user_id=user(1), created_at=None), sound_row(901, user_id=user(1), created_at="2099-01-01")]
    warehouse.load(log)
    warehouse.run()
    old_key = warehouse.user_key(user(1), _SALT)
    _fast(warehouse, [user(1)], "--before", "2026-03-08 08:01:00", selector="daily")
    assert _keys_anywhere(warehouse, [old_key]) == 0
    new = {row["user_key"] for row in warehouse.mart("dim_users")} - {
        warehouse.user_key(user(place), _SALT) for place in range(4)
    }
    assert len(new) == 1
    (row,) = [row for row in warehouse.mart("dim_users") if row["user_key"] in new]
    assert (row["generation_count"], str(row["first_generation_at"])) == (3, "2026-03-09 08:01:00")
    assert len(warehouse.mart("fct_generations")) == 40 - 7
    assert sum(row["row_count"] for row in warehouse.mart("generation_log_issues")) == 0
    _fast(warehouse, [user(1)], selector="daily")
    assert _keys_anywhere(warehouse, [old_key, *new]) == 0
    assert len(warehouse.mart("fct_generations")) == 30
    assert warehouse.query(f"select count(*) from {SCHEMA}_internal.erased_users")[0][0] == 1


def test_what_is_wrong_about_the_ids_is_said_by_line_and_nothing_is_erased(
    duckdb_warehouse: Warehouse, capsys: pytest.CaptureFixture
) -> None:
    log = [sound_row(number, user_id=user(number % 5)) for number in range(50)]
    duckdb_warehouse.load([*log, sound_row(99, user_id="late")])
    duckdb_warehouse.run()
    before = duckdb_warehouse.marts()
    _erase(duckdb_warehouse, ["", " "], code=2)
    assert "No id was given" in capsys.readouterr().err
    _erase(duckdb_warehouse, [user(1), "", "n0b0dy", "nul\0l"], code=2)
    assert "Line 4 is no id" in capsys.readouterr().err
    _erase(duckdb_warehouse, [user(1), "", "n0b0dy", user(77)], code=3)
    said = capsys.readouterr()
    assert "of these lines: 3, 4. Nothing was erased" in said.err
    assert "n0b0dy" not in said.err + said.out
    _erase(duckdb_warehouse, ["null"], code=3)
    with pytest.raises(SystemExit):
        _erase(duckdb_warehouse, [], "--before", "yesterday")
    _erase(duckdb_warehouse, [user(1)], "--before", "2999-01-01", code=2)
    # a fifth of all, and no more, is the limit
    duckdb_warehouse.load([*log, *[sound_row(100 + number, user_id=user(1)) for number in range(5)]])
    duckdb_warehouse.run()
    _erase(duckdb_warehouse, [user(2), user(1)], code=2)
    assert "hardly one user's: line 2 27%" in capsys.readouterr().err
    assert len(duckdb_warehouse.mart("fct_generations")) == len(before["fct_generations"]) - 1 + 5
    assert duckdb_warehouse.query(f"select count(*) from {SCHEMA}_internal.erased_users") == [(0,)]
    # an id of which nothing is known is kept out as well, if that is meant
    _erase(duckdb_warehouse, ["to come"], "--anyway", "--no-build", "--no-rewrite")
    assert "Of the ids of these lines nothing was known; they are kept out as well: 1." in capsys.readouterr().out
    duckdb_warehouse.load([*log, sound_row(200, user_id="to come"), sound_row(201, user_id=user(3))])
    duckdb_warehouse.run()
    assert len(duckdb_warehouse.mart("fct_generations")) == 51


def test_the_bytes_of_the_file_hold_a_key_until_it_is_written_again(
    duckdb_warehouse: Warehouse, capsys: pytest.CaptureFixture
) -> None:
    rows = simulated_rows(3000, 20, seed=3)
    duckdb_warehouse.load(rows)
    duckdb_warehouse.run()
    duckdb_warehouse.run()
    gone = _heaviest(rows)[0]
    key = duckdb_warehouse.user_key(gone, duckdb_warehouse.salt)
    duckdb_warehouse.disconnect()
    held = proof.occurrences(duckdb_warehouse.database, [key])
    assert held > 0
    _erase(duckdb_warehouse, [gone], "--large", "--no-rewrite")
    assert "still in the database" in capsys.readouterr().out
    duckdb_warehouse.disconnect()
    assert proof.occurrences(duckdb_warehouse.database, [key]) > 0
    counts = duckdb_warehouse.marts()
    comments = duckdb_warehouse.query("select count(*) from duckdb_columns() where comment is not null")
    storage = duckdb_warehouse.query("select tags['storage_version'] from duckdb_databases() where not internal")
    numbers = duckdb_warehouse.query(f"select nextval('{SCHEMA}_internal.replacements_id')")[0][0]
    with pytest.MonkeyPatch.context() as patch:
        _use(duckdb_warehouse, patch)
        # what a run that was killed has left is in nobody's way
        duckdb_warehouse.database.with_name(f"{duckdb_warehouse.database.name}.rewriting").write_text("half")
        assert main(["compact"]) == 0
    assert sorted(path.suffix for path in duckdb_warehouse.database.parent.glob("*.duckdb*")) == [".duckdb"]
    assert proof.occurrences(duckdb_warehouse.database, [key]) == 0
    assert_equal_marts(duckdb_warehouse.marts(), counts)
    assert duckdb_warehouse.query("select count(*) from duckdb_columns() where comment is not null") == comments
    assert (
        duckdb_warehouse.query("select tags['storage_version'] from duckdb_databases() where not internal")
        == storage
        == [("v1.4.0+",)]
    )
    assert duckdb_warehouse.query(f"select nextval('{SCHEMA}_internal.replacements_id')")[0][0] == numbers + 1
    duckdb_warehouse.run()
    # nothing of the id is in what dbt writes
    written = [path for path in duckdb_warehouse.folder.rglob("*") if path.is_file() and path.suffix != ".duckdb"]
    assert not [path for path in written if gone.encode() in path.read_bytes() and path.suffix != ".parquet"]


def test_a_table_that_somebody_reads_is_named_and_written_again_the_next_time(
    new_warehouse: NewWarehouse, capsys: pytest.CaptureFixture
) -> None:
    warehouse = new_warehouse("postgres")
    warehouse.load([sound_row(number, user_id=user(number % 3)) for number in range(30)])
    warehouse.run(exclude="tag:alerts tag:daily")
    fact = f"{SCHEMA}_marts.fct_generations"
    reader = warehouse.server.connect(warehouse.database)
    reader.autocommit = False
    reader.cursor().execute(f"select count(*) from {fact}")
    with pytest.MonkeyPatch.context() as patch:
        _use(warehouse, patch)
        assert main(["compact"]) == 2
        said = capsys.readouterr().out
        assert [line for line in said.splitlines() if "Not written again" in line] == [
            f"Not written again: {fact}: canceling statement due to lock timeout"
        ]
        reader.close()
        assert main(["compact"]) == 0
    assert len(warehouse.mart("fct_generations")) == 30


def test_the_server_is_told_no_id_and_no_key_in_a_statement(new_warehouse: NewWarehouse) -> None:
    """What PostgreSQL logs when it logs every statement."""
    warehouse = new_warehouse("postgres")
    if not warehouse.server.log:
        pytest.skip("the server is somebody else's: what it logs is not to be seen")
    warehouse.salt = _SALT
    rows = simulated_rows(400, 10, seed=4)
    warehouse.load(rows)
    warehouse.run()
    gone = _heaviest(rows)[1]
    key = warehouse.user_key(gone, _SALT)
    name = warehouse.database
    warehouse.execute(f"alter database {name} set log_statement = 'all'; alter database {name} set log_duration = on")
    warehouse.disconnect()
    log = warehouse.server.log
    begun = log.stat().st_size
    _erase(warehouse, [gone], "--large")
    said = log.read_bytes()[begun:]
    assert b"create temporary table gone_users" in said
    assert gone.encode() not in said
    assert str(key).encode() not in said
    assert not warehouse.query(
        f"select 1 from pg_stats where schemaname like '{SCHEMA}%' and most_common_vals::text like '%{key}%'"
    )


def test_what_fails_after_the_rows_are_gone_is_in_the_certificate(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    duckdb_warehouse.load([sound_row(number, user_id=user(number % 5)) for number in range(50)])
    duckdb_warehouse.run()
    full = type("Usage", (), {"free": 0})
    monkeypatch.setattr("warehouse.compact.shutil.disk_usage", lambda _: full)
    place = duckdb_warehouse.folder / "certificates" / "17.txt"
    _erase(duckdb_warehouse, [user(1)], "--no-build", "--certificate", str(place), code=2)
    text = place.read_text()
    assert text.startswith("ERASURE WITHOUT PROOF")
    assert "There is no room beside" in text
    assert len(duckdb_warehouse.mart("fct_generations")) == 40
    # where no certificate can be written, nothing is erased
    blocked = duckdb_warehouse.folder / "a file"
    blocked.write_text("")
    _erase(duckdb_warehouse, [user(2)], "--no-build", "--certificate", str(blocked / "18.txt"), code=2)
    assert len(duckdb_warehouse.mart("fct_generations")) == 40
    # what is still found is said, also where the bytes are left for later
    monkeypatch.setattr("warehouse.erasure.proof.rows_with", lambda *_, **__: {"a.table.user_key": 3})
    _erase(duckdb_warehouse, [user(2)], "--large", "--no-build", "--no-rewrite", code=2)
    assert "3 rows still in a.table.user_key" in capsys.readouterr().out


@pytest.mark.parametrize("engine", ENGINES)
def test_an_erasure_that_would_put_another_log_in_the_place_of_the_warehouses_is_refused(
    engine: str, new_warehouse: NewWarehouse, capsys: pytest.CaptureFixture
) -> None:
    warehouse = new_warehouse(engine)
    log = [sound_row(number, user_id=user(number % 3)) for number in range(30)]
    warehouse.load(log)
    warehouse.run(exclude="tag:alerts tag:daily")
    if engine == "duckdb":
        warehouse.settings = {"GENERATION_LOGS": ""}
    else:
        warehouse.execute("create table public.other_logs (like public.generation_logs)")
        warehouse.settings = {"GENERATION_LOGS_TABLE": "other_logs"}
    _erase(warehouse, [user(1)], "--large", "--no-build", code=2)
    assert "was made of another log than" in capsys.readouterr().err
    assert len(warehouse.mart("fct_generations")) == 30
    warehouse.settings = {}
    if engine == "duckdb":
        # the same log by another name of its folder
        link = warehouse.folder.with_name(f"{warehouse.folder.name}_link")
        link.symlink_to(warehouse.folder)
        warehouse.settings = {"GENERATION_LOGS": str(link / "log_*.parquet")}
    _erase(warehouse, [user(1)], "--large", "--no-build", "--no-rewrite")
    assert "CERTIFICATE OF ERASURE, NOT YET COMPLETE" in capsys.readouterr().out
    assert len(warehouse.mart("fct_generations")) == 20


def test_what_would_be_lost_or_proves_nothing_is_no_certificate(
    duckdb_warehouse: Warehouse, capsys: pytest.CaptureFixture
) -> None:
    duckdb_warehouse.load([sound_row(number, user_id=user(number % 5)) for number in range(50)])
    duckdb_warehouse.run(exclude="tag:alerts tag:daily")
    place = duckdb_warehouse.folder / "17.txt"
    # what came between would be lost; in UTC this is of the first of March
    _erase(duckdb_warehouse, [user(1)], "--before", "2026-03-02 01:00:00+02:00", "--certificate", str(place), code=2)
    assert "is earlier than 2026-03-02" in capsys.readouterr().err
    assert not place.exists()
    assert len(duckdb_warehouse.mart("fct_generations")) == 50
    # nothing was there
    _erase(duckdb_warehouse, ["nobody"], "--anyway", "--no-build", "--certificate", str(place))
    assert place.read_text().startswith("NOTHING WAS FOUND TO ERASE")
    capsys.readouterr()
    # one that is there is kept
    _erase(duckdb_warehouse, [user(1)], "--no-build", "--certificate", str(place), code=2)
    assert "is there already" in capsys.readouterr().err
    assert place.read_text().startswith("NOTHING WAS FOUND TO ERASE")
    # an id within a text of a table of others is found in the bytes
    duckdb_warehouse.execute(f"create table {SCHEMA}_marts.notes as select 'asked by {user(2)}: no' as note")
    _erase(duckdb_warehouse, [user(2)], "--no-build", code=2)
    assert "ERASURE WITHOUT PROOF" in capsys.readouterr().out


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_table_with_a_users_key_or_generation_is_covered(engine: str, new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse(engine)
    warehouse.salt = _SALT
    warehouse.load([sound_row(number, user_id=user(number % 3), job_id=f"job {number}") for number in range(30)])
    warehouse.run()
    for name, columns in {
        "by_key": "user_key",
        "by_generation": "generation_id",
        "by_job": "job_id",
        "by_day": "generation_id, activity_date",
    }.items():
        warehouse.execute(
            f"create table {SCHEMA}_marts.{name} as select {columns}, 1 as x from {SCHEMA}_marts.fct_generations"
        )
    _fast(warehouse, [user(1)])
    for name in ("by_key", "by_generation", "by_job", "by_day"):
        assert warehouse.query(f"select count(*) from {SCHEMA}_marts.{name}") == [(20,)], name


@pytest.mark.parametrize("engine", ENGINES)
def test_the_only_user_can_be_erased(engine: str, new_warehouse: NewWarehouse) -> None:
    warehouse, never = new_warehouse(engine), new_warehouse(engine)
    warehouse.load([sound_row(number, user_id=user(1)) for number in range(5)])
    warehouse.run()
    _fast(warehouse, [user(1)])
    never.load([])
    never.run()
    leaving_out = [name for name in TIME_COLUMNS if name not in ("fct_generations", "generation_log_issues")]
    assert not warehouse.mart("fct_generations")
    assert not warehouse.mart("dim_users")
    assert sum(row["generation_count"] for row in warehouse.mart("daily_engagement")) == 0, leaving_out


def test_an_erasure_beside_a_running_build_leaves_nothing(new_warehouse: NewWarehouse) -> None:
    """At several moments of a build on PostgreSQL, which goes on and passes."""
    warehouse = new_warehouse("postgres")
    warehouse.salt = _SALT
    rows = simulated_rows(1500, 20, seed=5)
    users = _heaviest(rows)
    warehouse.load(rows)
    warehouse.run()
    warehouse.disconnect()
    environment = os.environ | warehouse.environment() | {"DBT_PROFILES_DIR": str(warehouse.profiles)}
    dbt = [sys.executable, "-m", "dbt.cli.main", "build", "--no-write-json", "--exclude-resource-types", "test"]
    dbt += ["--exclude-resource-types", "unit_test", "--target-path", str(warehouse.folder / "target")]
    build = subprocess.Popen(
        [*dbt, "--log-path", str(warehouse.folder / "logs"), "--vars", "backfill_from: 2020-01-01"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    erased = []
    for place, line in enumerate(build.stdout):
        if "int_log_rows" in line and "OK" in line or "fct_generations" in line and "OK" in line or place == 40:
            gone = users[3 * len(erased)]
            _erase(warehouse, [gone], "--no-build", "--no-rewrite", "--large")
            erased.append(warehouse.user_key(gone, _SALT))
            warehouse.disconnect()
    assert build.wait() == 0
    assert len(erased) == 3
    warehouse.run()
    assert _keys_anywhere(warehouse, erased) == 0


_MOMENTS = 10


def test_an_erasure_that_is_killed_has_done_all_or_nothing(
    duckdb_warehouse: Warehouse, new_warehouse: NewWarehouse
) -> None:
    """At ten moments; done again, it does the rest."""
    rows = simulated_rows(3000, 20, seed=6)
    duckdb_warehouse.load(rows)
    duckdb_warehouse.run()
    gone = _heaviest(rows)[0]
    key = duckdb_warehouse.user_key(gone, duckdb_warehouse.salt)
    held = _keys_anywhere(duckdb_warehouse, [key])
    victim = new_warehouse("duckdb")
    outcomes = set()
    seconds = 0.0
    for moment in range(_MOMENTS):
        victim.become(duckdb_warehouse)
        victim.disconnect()
        command = [sys.executable, "-m", "warehouse", "erase", "--large", "--no-build"]
        environment = os.environ | victim.environment() | {"DBT_PROFILES_DIR": str(victim.profiles)}
        begun = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        process.stdin.write(gone.encode())
        process.stdin.close()
        if moment == 0:
            assert process.wait() == 0
            seconds = time.monotonic() - begun
        else:
            time.sleep(seconds * (0.2 + 0.8 * moment / _MOMENTS))
            process.send_signal(signal.SIGKILL)
            process.wait()
        left = _keys_anywhere(victim, [key])
        assert left in (0, held), moment
        listed = victim.query(f"select count(*) from {SCHEMA}_internal.erased_users")[0][0]
        assert (left, listed) in ((0, 1), (held, 0))
        outcomes.add(left)
    assert outcomes == {0, held}
    _erase(victim, [gone], "--large", "--no-build")
    assert _keys_anywhere(victim, [key]) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_another_warehouse_of_the_same_log_gets_the_salt_and_the_list(
    engine: str, new_warehouse: NewWarehouse, capsys: pytest.CaptureFixture
) -> None:
    old, past = new_warehouse(engine), new_warehouse("duckdb")
    rows = simulated_rows(300, 10, seed=8)
    old.load(rows)
    past.load(rows)
    old.run()
    gone = _heaviest(rows)[0]
    _fast(old, [gone])
    place = "prod" if engine == "postgres" else str(old.database)
    with pytest.MonkeyPatch.context() as patch:
        _use(old, patch)
        past.disconnect()
        assert main(["erase", "copy", place, str(past.database)]) == 0
        assert "its list of 1 erased users" in capsys.readouterr().out
    past.run(tests=True)
    assert past.salt == old.salt
    assert_equal_marts(past.marts(), old.marts())
    assert _keys_anywhere(past, [past.user_key(gone, past.salt)]) == 0
    # once more is the same; one with keys of another salt is refused, and one that holds who is on the list
    other = new_warehouse("duckdb")
    other.load(rows)
    other.run(exclude="tag:alerts tag:daily")
    with pytest.MonkeyPatch.context() as patch:
        _use(old, patch)
        for warehouse in (past, other):
            warehouse.disconnect()
        # in a process apart, which the tests have taught nothing about uuids
        command = [sys.executable, "-m", "warehouse", "erase", "copy", place, str(past.database)]
        assert subprocess.run(command, check=False).returncode == 0
        assert main(["erase", "copy", place, str(other.database)]) == 2
        assert "another salt" in capsys.readouterr().err
        other.execute(f"update {SCHEMA}_internal.user_key_salt set salt = '{past.salt}'")
        for warehouse in (past, other):
            warehouse.disconnect()
        assert main(["erase", "copy", place, str(other.database)]) == 2
        assert "is built already" in capsys.readouterr().err
        assert main(["erase", user(1)]) == 2
        assert "no id as an argument" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ENGINES)
def test_users_whose_rows_the_application_deletes_are_gone_two_daily_runs_later(
    engine: str, new_warehouse: NewWarehouse
) -> None:
    log = simulated_rows(1200, 40, seed=9, dirt=0.02)
    users = _heaviest(log)
    gone = {users[0], users[5], users[-1]}
    rest = [row for row in log if str(row["user_id"]) not in gone]
    here, never = new_warehouse(engine), new_warehouse(engine)
    for warehouse, rows in ((here, log), (never, rest)):
        warehouse.salt = _SALT
        warehouse.load(rows)
        warehouse.run()
    here.load(rest)
    for _ in range(2):
        here.run(selector="daily", tests=True)
    assert _keys_anywhere(here, [here.user_key(each, _SALT) for each in gone]) == 0
    assert_equal_marts(here.marts(), never.marts())


def test_a_warehouse_of_an_older_release_is_built_first(
    duckdb_warehouse: Warehouse, capsys: pytest.CaptureFixture
) -> None:
    _erase(duckdb_warehouse, [user(1)], code=2)
    assert "There is no warehouse here" in capsys.readouterr().err
    duckdb_warehouse.load([sound_row(number, user_id=user(number)) for number in range(9)])
    duckdb_warehouse.run()
    view = f"{SCHEMA}_staging.stg_generation_log_times"
    duckdb_warehouse.execute(f"create or replace view {view} as select created_at from public.generation_logs")
    _erase(duckdb_warehouse, [user(1)], code=2)
    assert "by a release that knows no erasure" in capsys.readouterr().err
    assert len(duckdb_warehouse.mart("fct_generations")) == 9
