"""The commands around the page: who may make it, what else may be at work, whom it is sent to, what is published."""

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from commands import command
from factory import NewWarehouse
from logs import simulated_rows
from receiver import Receiver, receiving
from report import build, data_in, page_of
from scene import WORDS
from warehouse.report import page as page_module
from warehouse.report.data import QUERIES
from warehouses import DuckdbWarehouse, PostgresWarehouse, Warehouse

_HOLD = """
import duckdb, sys, time
held = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def built(module_warehouse: NewWarehouse) -> DuckdbWarehouse:
    """A warehouse in a file."""
    warehouse = module_warehouse("duckdb")
    build(warehouse, simulated_rows(1500, 40, seed=2, incidents=1))
    return warehouse


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    with receiving() as running:
        yield running


@contextmanager
def held(warehouse: DuckdbWarehouse, kind: str, seconds: float) -> Iterator[None]:
    """Another process has the file open."""
    warehouse.disconnect()
    arguments = [sys.executable, "-c", _HOLD, str(warehouse.database), kind, str(seconds)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.kill()
        process.wait()


def test_the_page_waits_for_a_build_and_no_reader_is_in_its_way(built: DuckdbWarehouse, tmp_path: Path) -> None:
    out = str(tmp_path / "page.html")
    with held(built, "write", 2):
        assert command(built, "report", "--out", out, "--wait", "30").code == 0
    with held(built, "read", 30):
        assert command(built, "report", "--out", out, "--wait", "1").code == 0


def test_who_holds_the_file_is_named_in_one_line(built: DuckdbWarehouse, tmp_path: Path) -> None:
    with held(built, "write", 30):
        said = command(built, "report", "--out", str(tmp_path / "page.html"), "--wait", "0.3")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert re.fullmatch(
        r"BROKEN: Another process still has the database file after 0.3 seconds of waiting: python\S* \(process \d+\). "
        r"If it only reads, let it read a copy \(make publish\).\n",
        said.err,
    )
    assert list(tmp_path.iterdir()) == []


def test_a_role_that_may_read_the_marts_alone_makes_the_page(new_warehouse: NewWarehouse) -> None:
    warehouse: PostgresWarehouse = new_warehouse("postgres")
    build(warehouse, simulated_rows(300, 5, seed=2))
    warehouse.execute("drop role if exists reader_of_marts")
    warehouse.execute("create role reader_of_marts login")
    try:
        said = command(warehouse, "report", "--out", str(warehouse.folder / "page.html"), PGUSER="reader_of_marts")
        assert said.code == 2
        assert "a role needs usage of the schema and select on its tables" in said.err
        warehouse.execute("grant usage on schema warehouse_marts to reader_of_marts")
        warehouse.execute("grant select on all tables in schema warehouse_marts to reader_of_marts")
        said = command(warehouse, "report", "--out", str(warehouse.folder / "page.html"), PGUSER="reader_of_marts")
        assert said.code == 0, said.err
        mine = data_in((warehouse.folder / "page.html").read_text())
        theirs = data_in(page_of(warehouse))
        assert mine | {"made_at": 0} == theirs | {"made_at": 0}
        assert command(warehouse, "publish").err.startswith("BROKEN: This warehouse is on PostgreSQL")
    finally:
        warehouse.execute("drop owned by reader_of_marts")
        warehouse.execute("drop role reader_of_marts")


def test_a_warehouse_that_was_never_built_says_so(duckdb_warehouse: DuckdbWarehouse) -> None:
    duckdb.connect(str(duckdb_warehouse.database)).close()
    for name in ("report", "publish"):
        said = command(duckdb_warehouse, name)
        assert said.code == 2
        assert "make build" in said.err
    assert not Path("published.duckdb").exists()


def test_a_page_that_would_be_too_large_has_fewer_styles_and_says_so(
    built: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page_of(built)
    monkeypatch.setattr(page_module, "LARGEST_BYTES", len(whole.encode()) - 8_000)
    smaller = page_of(built)
    assert len(smaller.encode()) <= len(whole.encode()) - 8_000
    left, right = data_in(whole), data_in(smaller)
    assert len(right["styles"]) < len(left["styles"])
    assert right["other_style_count"] + len(right["styles"]) - 1 == len(left["styles"])
    assert right["days"] == left["days"]
    monkeypatch.setattr(page_module, "LARGEST_BYTES", 10_000)
    said = command(built, "report", "--out", str(built.folder / "none.html"))
    assert (said.code, said.err) == (
        2,
        "BROKEN: The page would be larger than 10,000 bytes. Ask for fewer --days.\n",
    )


def test_the_page_is_sent_with_its_numbers_in_words(built: Warehouse, receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "numbers.html"
    said = command(built, "report", "--out", str(file), "--send", REPORT_URLS=receiver.url("a"))
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "Sent to 1 of 1."
    post = receiver.taken("a")[0].body
    assert post["title"].startswith("Generations, 14 Mar to 10 Apr 2026, 28 whole days: ")
    assert "4 Apr to 10 Apr 2026, 7 whole days:\n" in post["message"]
    assert "14 Mar to 10 Apr 2026, 28 whole days:\nGenerations per hour: " in post["message"]
    assert "\nCome back in the week after: " in post["message"]
    (attached,) = post["attachments"]
    assert attached["filename"] == "numbers.html"
    assert attached["mimetype"] == "text/html"
    assert base64.b64decode(attached["base64"]) == file.read_bytes()


def test_mail_has_a_table_and_the_page(built: Warehouse, tmp_path: Path) -> None:
    url = "mailto://jane:hunter2secret@example.org?smtp=127.0.0.1&to=boss@example.org&mode=insecure"
    with mock.patch("smtplib.SMTP") as server:
        server.return_value.sendmail.return_value = {}
        said = command(built, "report", "--out", str(tmp_path / "page.html"), "--send", REPORT_URLS=url)
    assert said.code == 0, said.err
    mail = message_from_string(server.return_value.sendmail.call_args.args[2])
    files = [part.get_filename() for part in mail.walk() if part.get_filename()]
    assert files == ["page.html"]
    bodies = [part.get_payload(decode=True).decode() for part in mail.walk() if part.get_content_type() == "text/html"]
    assert any("<table>" in body and "<b>" in body for body in bodies)


def test_nobody_learns_a_secret_of_those_it_is_sent_to(built: Warehouse, receiver: Receiver, tmp_path: Path) -> None:
    url = f"json://jane:hunter2secret@127.0.0.1:{receiver.port}/hook_token_in_path/?-api=query_token_1"
    receiver.answers["hook_token_in_path"] += [500]
    out = str(tmp_path / "page.html")
    said = command(
        built, "report", "--out", out, "--send", REPORT_URLS=f"{url} nonsense://hunter2secret@x {receiver.url('b')}"
    )
    assert said.code == 2
    assert said.out.splitlines()[-1] == "Sent to 1 of 3."
    assert said.err.splitlines() == [
        "BROKEN: REPORT_URLS: the URL in place 1 of 3 (json://…) did not take the page: it answered with HTTP 500.",
        "BROKEN: REPORT_URLS: the URL in place 2 of 3 (of no known scheme) is none that apprise can use. What they "
        "look like: https://github.com/caronc/apprise/wiki",
    ]
    assert [word for word in WORDS if word in said.out + said.err] == []
    assert len(receiver.taken("b")) == 1


def test_sending_to_nobody_is_a_slip(built: Warehouse, tmp_path: Path) -> None:
    said = command(built, "report", "--out", str(tmp_path / "page.html"), "--send")
    assert (said.code, said.err) == (2, "BROKEN: --send: REPORT_URLS names nobody to send the page to.\n")
    said = command(built, "report", "--send", REPORT_URLS="json://x", REPORT_TIMEOUT_SECONDS="soon")
    assert (said.code, said.err) == (2, "BROKEN: REPORT_TIMEOUT_SECONDS should be a number above 0.\n")


def test_what_is_published_is_the_marts_and_nothing_else(built: DuckdbWarehouse, tmp_path: Path) -> None:
    target = tmp_path / "for readers" / "marts.duckdb"
    assert command(built, "publish", WAREHOUSE_PUBLISHED=str(target)).code == 0
    salt = built.salt
    marts = {(name, kind) for schema, name, kind in built.relations() if schema == "warehouse_marts"}
    with duckdb.connect(str(target), read_only=True) as reader:
        tables = reader.execute(
            "select schema_name, table_name from duckdb_tables() union all "
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        assert set(tables) == {("warehouse_marts", name) for name, _ in marts}
        for name, _ in marts:
            count = f"select count(*) from warehouse_marts.{name}"
            assert reader.execute(count).fetchall() == built.query(count)
        assert reader.execute("select comment from duckdb_columns() where column_name = 'success_rate'").fetchone()[0]
        # who reads goes on reading while the next build is published
        assert command(built, "publish", "--to", str(target)).code == 0
        assert reader.execute("select count(*) from warehouse_marts.fct_generations").fetchone()[0] > 0
    assert salt.encode() not in target.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["marts.duckdb"]
    said = command(built, "publish", "--to", str(built.database))
    assert said.code == 2
    assert said.err.endswith("is the warehouse itself: the copy needs a file of its own.\n")


def test_queries_read_marts_alone() -> None:
    for file in QUERIES.glob("*.sql"):
        read = re.findall(r"^\s*(?:from|(?:left |inner )?join)\s+([\w.]+)", file.read_text(), re.MULTILINE)
        steps = set(re.findall(r"^(?:with )?(\w+) as \($", file.read_text(), re.MULTILINE))
        assert {name.partition(".")[0] for name in set(read) - steps} <= {"warehouse_marts", "("}, file.name
