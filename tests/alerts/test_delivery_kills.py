"""Runs that die, and runs that meet: nothing is lost, nothing is told twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from scene import NOTIFICATIONS, Scene, dying, wait
from warehouse.alerts.ledger import Ledger
from warehouse.alerts.targets import AppriseTarget


@pytest.mark.parametrize(
    ("change", "posts_before", "status"),
    [
        pytest.param(dying(Ledger, "record", is_before=True), 0, None, id="before it records"),
        pytest.param(dying(Ledger, "record", is_before=False), 0, "pending", id="between recording and claiming"),
        pytest.param(dying(AppriseTarget, "send", is_before=True), 0, "sending", id="between claiming and sending"),
        pytest.param(dying(Ledger, "sent", is_before=True), 1, "sending", id="between sending and writing that down"),
        pytest.param(dying(Ledger, "sent", is_before=False), 1, "sent", id="when all is written down"),
    ],
)
def test_a_run_that_is_killed_loses_nothing(
    scene: Scene, change: Callable[[], None], posts_before: int, status: str | None
) -> None:
    key = scene.open()
    assert wait(scene.fork(change)) == -signal.SIGKILL
    assert len(scene.receiver.taken()) == posts_before
    assert [row["status"] for row in scene.told()] == ([status] if status else [])
    if status == "sending":
        # until its time is over, it may be alive
        assert scene.run() == 1
        assert len(scene.receiver.taken()) == posts_before
        scene.let_leases_run_out()
    assert [scene.run(), scene.run()] == [1, 1]
    posts = scene.receiver.taken()
    assert len(posts) == 1 + (posts_before == 1 and status == "sending")
    assert all(f"Incident: {key}" in post.body["message"] for post in posts)
    assert [row["status"] for row in scene.told()] == ["sent"]


def test_runs_that_overlap_send_nothing_twice(scene: Scene) -> None:
    scene.set(ALERT_URLS=f"{scene.receiver.url('a')} {scene.receiver.url('b')}")
    scene.receiver.delay_seconds = 0.05
    scene.run()
    rules = [f"rule_{number}" for number in range(6)]
    for rule in rules:
        scene.resolve(scene.open(rule))
    processes = [scene.fork() for _ in range(3)]
    assert [wait(process) for process in processes] == [0, 0, 0]
    # what one run has left to another that was sending
    scene.run()
    for path in ("a", "b"):
        titles = scene.receiver.titles(path)
        assert sorted(titles) == sorted(
            [f"[PAGE] {rule} fired, and is over" for rule in rules] + [f"[PAGE] {rule} is resolved" for rule in rules]
        )
        for rule in rules:
            assert titles.index(f"[PAGE] {rule} fired, and is over") < titles.index(f"[PAGE] {rule} is resolved")
    assert {(row["status"], row["attempt_count"]) for row in scene.told()} == {("sent", 1)}


def test_a_run_that_lost_its_message_to_another_leaves_the_books_alone(scene: Scene) -> None:
    """Held up for longer than its lease, it finds that another run has sent the message."""
    scene.open()
    scene.set(ALERT_TIMEOUT_SECONDS="5")
    scene.receiver.delay_seconds = 1
    process = scene.fork()
    scene.receiver.wait_for_arrival()
    scene.let_leases_run_out()
    scene.receiver.delay_seconds = 0
    assert scene.run() == 1
    assert scene.statuses() == [("opened", "sent", 2)]
    sent_at = scene.told()[0]["sent_at"]
    scene.warehouse.disconnect()
    assert wait(process) == 1
    assert scene.statuses() == [("opened", "sent", 2)]
    assert scene.told()[0]["sent_at"] == sent_at


def test_a_target_to_which_another_run_is_sending_is_left_to_it(
    duckdb_scene: Scene, capsys: pytest.CaptureFixture
) -> None:
    """Two runs that send to one target would mix up its order."""
    duckdb_scene.receiver.answers["a"] += [500] * 4
    duckdb_scene.open("first")
    duckdb_scene.open("second")
    assert duckdb_scene.run() == 2
    duckdb_scene.receiver.forget()
    duckdb_scene.warehouse.execute(
        f"update {NOTIFICATIONS} set status = 'sending', claimed_until = timezone('UTC', now()) + interval '1' minute "
        f"where notification_id = (select min(notification_id) from {NOTIFICATIONS})"
    )
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.taken() == []
    assert "0 messages sent; another run is sending to it" in capsys.readouterr().out
    duckdb_scene.let_leases_run_out()
    assert duckdb_scene.run() == 1
    assert duckdb_scene.receiver.titles() == ["[PAGE] first is firing", "[PAGE] second is firing"]


HOLDER = (
    "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(float(sys.argv[2]))"
)


def holding(scene: Scene, seconds: float) -> subprocess.Popen:
    """Another process that has the DuckDB file for so long."""
    scene.warehouse.disconnect()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, os.environ["WAREHOUSE_DUCKDB"], str(seconds)], stdout=subprocess.PIPE
    )
    holder.stdout.readline()
    return holder


def test_the_file_that_another_process_has_is_waited_for(duckdb_scene: Scene) -> None:
    duckdb_scene.open()
    with holding(duckdb_scene, 1):
        assert duckdb_scene.run() == 1
    assert len(duckdb_scene.receiver.taken()) == 1


def test_the_wait_for_the_file_has_an_end(duckdb_scene: Scene, capsys: pytest.CaptureFixture) -> None:
    duckdb_scene.set(ALERT_WAIT_SECONDS="0.3")
    with holding(duckdb_scene, 60) as holder:
        assert duckdb_scene.run() == 2
        holder.kill()
    error = capsys.readouterr().err
    assert "BROKEN: Another process still has the database file after 0.3 seconds" in error
    assert str(holder.pid) in error


def test_the_file_is_free_while_a_message_is_on_its_way(duckdb_scene: Scene) -> None:
    duckdb_scene.open()
    duckdb_scene.set(ALERT_TIMEOUT_SECONDS="5", ALERT_WAIT_SECONDS="5")
    duckdb_scene.receiver.delay_seconds = 1
    process = duckdb_scene.fork()
    duckdb_scene.receiver.wait_for_arrival()
    assert duckdb_scene.statuses() == [("opened", "sending", 1)]
    duckdb_scene.warehouse.disconnect()
    assert wait(process) == 1
