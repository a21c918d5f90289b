"""What Datadog hears."""

import datetime as dt
import signal

import pytest

from scene import NOTIFICATIONS, POINTS, Scene, assert_no_secret, dying, wait
from warehouse.alerts.settings import Settings
from warehouse.alerts.to_datadog import DatadogTarget


def in_utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def epoch(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=dt.UTC).timestamp())


@pytest.fixture
def datadog_scene(scene: Scene) -> Scene:
    scene.receiver.answers.clear()
    scene.set(ALERT_URLS="", DATADOG_API_KEY="datadogkey777", DATADOG_HOST=f"http://127.0.0.1:{scene.receiver.port}")
    return scene


def hour(scene: Scene, end: dt.datetime, *, is_complete: bool = True, generations: int = 200) -> None:
    scene.insert(
        "hourly_engagement",
        activity_hour=end - dt.timedelta(hours=1),
        generation_count=generations,
        success_count=generations * 9 // 10,
        total_cost_usd=generations / 20,
        # a fifth of the costs is unknown
        costed_generation_count=generations * 4 // 5,
        is_complete=is_complete,
    )


def test_datadog_hears_of_an_incident_as_events_that_share_its_key(datadog_scene: Scene) -> None:
    opened = in_utc().replace(microsecond=0) - dt.timedelta(hours=2)
    key = datadog_scene.open(at=opened)
    assert [datadog_scene.run(), datadog_scene.run()] == [1, 1]
    datadog_scene.resolve(key, at=opened + dt.timedelta(hours=1))
    assert [datadog_scene.run(), datadog_scene.run()] == [0, 0]
    first, second = datadog_scene.receiver.taken("api/v1/events")
    assert first.headers["DD-API-KEY"] == second.headers["DD-API-KEY"] == "datadogkey777"
    assert "datadogkey777" not in repr([first.body, second.body])
    assert first.body | {"text": ""} == {
        "title": "[PAGE] failure_rate is firing",
        "text": "",
        "aggregation_key": key,
        "alert_type": "error",
        "priority": "normal",
        "date_happened": epoch(opened),
        "tags": ["source:generation-warehouse", "severity:page", "event:opened"],
    }
    assert "What to do: Ask the provider." in first.body["text"]
    assert second.body["alert_type"] == "success"
    assert second.body["aggregation_key"] == key
    assert [row["target"] for row in datadog_scene.told()] == ["datadog", "datadog"]


def test_an_event_of_long_ago_has_no_date_and_no_reminders_follow(datadog_scene: Scene) -> None:
    datadog_scene.set(ALERT_REMINDER_HOURS="1")
    datadog_scene.open(severity="ticket")
    datadog_scene.run()
    datadog_scene.warehouse.execute(f"update {NOTIFICATIONS} set sent_at = sent_at - interval '9' hour")
    datadog_scene.run()
    (event,) = datadog_scene.receiver.taken("api/v1/events")
    assert "date_happened" not in event.body
    assert event.body["alert_type"] == "warning"


def test_each_complete_hour_becomes_a_point_of_each_metric_once(datadog_scene: Scene) -> None:
    now = in_utc()
    ends = [now - dt.timedelta(minutes=minutes) for minutes in (170, 110, 50)]
    for end in ends:
        hour(datadog_scene, end)
    hour(datadog_scene, now + dt.timedelta(minutes=10), is_complete=False)
    for week, rate, has_older_users in (
        ("2026-01-05", 0.5, False),
        ("2026-01-12", 0.25, False),
        ("2026-02-02", 1, True),
    ):
        datadog_scene.insert(
            "user_retention",
            cohort_grain="week",
            cohort_date=week,
            period_number=1,
            retention_rate=rate,
            has_older_users=has_older_users,
            is_complete=True,
        )
    datadog_scene.insert(
        "user_retention", cohort_grain="week", cohort_date="2026-01-19", period_number=1, is_complete=False
    )
    assert [datadog_scene.run(), datadog_scene.run()] == [0, 0]
    (post,) = datadog_scene.receiver.taken("api/v1/series")
    assert post.headers["DD-API-KEY"] == "datadogkey777"
    assert post.body == {
        "series": [
            {
                "metric": f"generation_warehouse.{name}",
                "type": "gauge",
                "points": [[epoch(ends[-1]), value]],
                "tags": ["source:generation-warehouse"],
            }
            for name, value in (
                ("avg_cost_per_generation", 0.0625),
                ("generations_per_hour", 200.0),
                ("retention_rate", 0.25),
                ("success_rate", 0.9),
            )
        ]
    }
    rows = datadog_scene.warehouse.query(f"select point_at, status, count(*) from {POINTS} group by 1, 2")
    assert rows == [(ends[-1], "sent", 4)]


def test_points_that_datadog_would_not_take_are_counted_and_not_sent(
    datadog_scene: Scene, capsys: pytest.CaptureFixture
) -> None:
    now = in_utc()
    hour(datadog_scene, now - dt.timedelta(minutes=300))
    assert datadog_scene.run() == 0
    assert "datadog: 0 metric points sent, 3 older than the hour it accepts" in capsys.readouterr().out
    for minutes in (120, 61, 59):
        hour(datadog_scene, now - dt.timedelta(minutes=minutes))
    # without a generation there is no rate
    hour(datadog_scene, now, generations=0)
    assert datadog_scene.run() == 0
    assert "datadog: 4 metric points sent, 6 older than the hour it accepts" in capsys.readouterr().out
    (post,) = datadog_scene.receiver.taken("api/v1/series")
    assert {point[0] for series in post.body["series"] for point in series["points"]} == {
        epoch(now - dt.timedelta(minutes=59)),
        epoch(now),
    }
    statuses = datadog_scene.warehouse.query(f"select status, count(*) from {POINTS} group by 1 order by 1")
    assert statuses == [("sent", 4), ("too_old", 9)]
    assert datadog_scene.run() == 0
    assert "datadog: 0 metric points sent, 0 older" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [500, 403, "reset", "no JSON", '{"errors": ["Forbidden datadogkey777"]}'], ids=str)
def test_datadog_that_fails_is_tried_again_and_reported(
    datadog_scene: Scene, answer: int | str, capsys: pytest.CaptureFixture
) -> None:
    end = in_utc() - dt.timedelta(minutes=30)
    hour(datadog_scene, end)
    datadog_scene.receiver.answers["api/v1/series"] += [answer] * 3
    assert datadog_scene.run() == 2
    said = capsys.readouterr()
    assert "BROKEN: Datadog did not take the metrics: " in said.err
    assert_no_secret(said.out + said.err)
    rows = datadog_scene.warehouse.query(f"select status, attempt_count, last_error from {POINTS}")
    assert {row[:2] for row in rows} == {("pending", 3)}
    assert_no_secret(repr(rows))
    if answer in (500, "reset"):
        datadog_scene.receiver.forget()
        assert datadog_scene.run() == 0
        assert len(datadog_scene.receiver.taken("api/v1/series")) == 1
    else:
        datadog_scene.warehouse.execute(f"update {POINTS} set point_at = point_at - interval '2' hour")
        assert datadog_scene.run() == 0
        assert "3 older" in capsys.readouterr().out


def test_a_run_that_is_killed_while_it_sends_points_leaves_them_to_the_next(datadog_scene: Scene) -> None:
    hour(datadog_scene, in_utc() - dt.timedelta(minutes=30))
    assert wait(datadog_scene.fork(dying(DatadogTarget, "send_points", is_before=True))) == -signal.SIGKILL
    assert datadog_scene.run() == 0
    assert datadog_scene.receiver.taken() == []
    datadog_scene.let_leases_run_out()
    assert [datadog_scene.run(), datadog_scene.run()] == [0, 0]
    assert len(datadog_scene.receiver.taken()) == 1


def test_datadogs_site_comes_from_the_environment() -> None:
    assert Settings.of({}).datadog_host == "https://api.datadoghq.com"
    assert Settings.of({"DATADOG_SITE": "datadoghq.eu"}).datadog_host == "https://api.datadoghq.eu"
