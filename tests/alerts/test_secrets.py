"""No secret is to be read anywhere, whatever fails."""

import os
from collections.abc import Mapping
from unittest import mock

import apprise.apprise
import pytest
import requests

from scene import WORDS, Scene, assert_no_secret
from warehouse.alerts.ledger import Ledger
from warehouse.alerts.settings import Settings
from warehouse.alerts.targets import AppriseTarget
from warehouse.errors import ConfigurationError
from warehouse.secrets import scrub, split_urls

URLS = (
    "json://jane:hunter2secret@127.0.0.1:{port}/hook_token_in_path/x?-api=query_token_1&+X-Key=header_token_2",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#channel_of_mine",
    "pagerduty://integrationkeyABC123@apikeyDEF456",
    "mailto://somebody:mailpassword9@example.org:1/?smtp=127.0.0.1&to=boss@example.org",
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/XIiajkdnlazkcOXrIdevi7FR",
)


def test_secrets_are_nowhere_to_be_read(
    duckdb_scene: Scene,
    capfd: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every target fails, each in another way, and apprise and its like log all that they can."""
    caplog.set_level(0)
    urls = " ".join(URLS).format(port=duckdb_scene.receiver.port)
    duckdb_scene.set(
        ALERT_URLS=urls, DATADOG_API_KEY="datadogkey777", DATADOG_HOST="http://127.0.0.1:1", ALERT_TIMEOUT_SECONDS="0.5"
    )

    def fail(_: object, method: str, url: str, **named: object) -> None:
        if "127.0.0.1" in url:
            return original(_, method, url, **named)
        raise requests.ConnectionError(f"Connection refused: {url} {named}")

    original = requests.Session.request
    monkeypatch.setattr(requests.Session, "request", fail)
    duckdb_scene.receiver.answers["hook_token_in_path/x"] += [500] * 3
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    rows = duckdb_scene.told()
    assert_no_secret(said.out + said.err + caplog.text + repr(rows) + repr(Settings.of(os.environ)))
    assert [row["target"].partition("-")[0] for row in rows] == [
        "json",
        "slack",
        "pagerduty",
        "mailto",
        "slack",
        "datadog",
    ]
    assert {row["status"] for row in rows} == {"pending"}
    assert rows[0]["last_error"] == "it answered with HTTP 500"
    assert rows[1]["last_error"] == "it refused the connection"
    assert len({row["target"] for row in rows}) == 6
    database = duckdb_scene.warehouse.database
    duckdb_scene.warehouse.disconnect()
    for path in database.parent.glob(f"{database.name}*"):
        assert [word for word in WORDS if word.encode() in path.read_bytes()] == []


def test_an_unexpected_error_gives_no_secret_away(
    duckdb_scene: Scene, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = URLS[0].format(port=duckdb_scene.receiver.port)
    duckdb_scene.set(ALERT_URLS=url)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"something about {url} or hunter2secret")

    monkeypatch.setattr(Ledger, "record", fail)
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert said.err.startswith("BROKEN: Unexpected RuntimeError in fail, line ")
    assert said.err.endswith(": something about *** or ***\n")


def test_whatever_a_plugin_raises_is_a_failure_of_its_target_only(
    duckdb_scene: Scene, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError(f"no {URLS[0]}")

    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert duckdb_scene.told()[0]["last_error"] == "apprise failed at it (KeyError)"


def test_the_password_of_the_database_is_not_shown(duckdb_scene: Scene, capfd: pytest.CaptureFixture) -> None:
    duckdb_scene.set(WAREHOUSE_TARGET="prod", PGHOST="127.0.0.1", PGPORT="1", PGPASSWORD="hunter2secret")
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert said.err.startswith("BROKEN: The database cannot be reached: ")
    assert "Connection refused" in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slack://T1JJ3T3L2", "(slack://…)"),
        ("nonsense://jane:hunter2secret@host/x", "(of no known scheme)"),
        ("hunter2secret", "(of no known scheme)"),
        ("https://example.org/hook_token_in_path", "(https://…)"),
        ("mailto://", "(mailto://…)"),
        ("jane://hunter2secret", "(of no known scheme)"),
    ],
    ids=["too short", "unknown", "no URL", "a page", "empty", "a secret as a scheme"],
)
def test_a_url_that_cannot_be_used_is_named_by_its_place_and_stops_no_other(
    duckdb_scene: Scene, text: str, told: str, capfd: pytest.CaptureFixture
) -> None:
    receiver = duckdb_scene.receiver
    duckdb_scene.set(ALERT_URLS=f"{receiver.url('a')} {text} {receiver.url('b')}")
    duckdb_scene.open()
    assert duckdb_scene.run() == 2
    said = capfd.readouterr()
    assert_no_secret(said.out + said.err)
    assert f"the URL in place 2 of 3 {told} is none" in said.err
    assert len(receiver.taken("a")) == len(receiver.taken("b")) == 1


def test_a_target_keeps_its_name_and_only_the_warehouse_can_tell_whose_it_is(duckdb_scene: Scene) -> None:
    url = URLS[1]
    name = AppriseTarget(url, "key", 1).name
    assert name == AppriseTarget(url, "key", 1).name
    assert name.startswith("slack-")
    assert len(name) == len("slack-") + 6
    assert name != AppriseTarget(url, "another key", 1).name
    assert name != AppriseTarget(url.replace("7FQ", "7FS"), "key", 1).name


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", ()),
        (" \n , ", ()),
        ("json://a,json://b", ("json://a", "json://b")),
        ("json://a, json://b\n\tjson://c,", ("json://a", "json://b", "json://c")),
        ("mailto://u:p@h?to=a@x.org,b@x.org,json://b", ("mailto://u:p@h?to=a@x.org,b@x.org", "json://b")),
        ("json://a json://a", ("json://a",)),
        ("json://a b", ("json://a", "b")),
    ],
)
def test_urls_are_separated_by_spaces_lines_and_commas(text: str, urls: tuple[str, ...]) -> None:
    assert split_urls(text) == urls


def test_what_comes_from_elsewhere_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_URLS", "json://us:p%40ss%21word@host.example.org/tok%20en?x=abc&to=me")
    monkeypatch.setenv("DATADOG_API_KEY", "dd")
    monkeypatch.setenv("PGPASSWORD", "pg-pass")
    clean = scrub("p@ss!word p%40ss%21word host.example.org tok en tok%20en dd pg-pass; it failed,\n x is me")
    assert clean == "*** *** *** *** *** *** ***; it failed, x is me"
    assert len(scrub("long " * 1000)) == 500


@pytest.mark.parametrize(
    "settings",
    [
        {"ALERT_REMINDER_HOURS": "soon"},
        {"ALERT_REMINDER_HOURS": "0"},
        {"ALERT_TIMEOUT_SECONDS": "-1"},
        {"ALERT_WAIT_SECONDS": "nan"},
        {"ALERT_RETRY_SECONDS": "inf"},
        {"DATADOG_SITE": "https://datadoghq.eu/"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_used_is_named(settings: Mapping[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        Settings.of(settings)


def test_an_incident_keeps_its_key_where_services_merge_by_one(duckdb_scene: Scene) -> None:
    """PagerDuty is told which incident is meant, and that it is over; what the URL says itself goes first."""
    key = duckdb_scene.open()
    posts = []

    def answer(url: str, **named: object) -> mock.Mock:
        posts.append(named["data"])
        return mock.Mock(status_code=202, content=b"{}")

    with mock.patch("requests.post", answer):
        duckdb_scene.set(ALERT_URLS=f"{URLS[2]} {URLS[2]}/?dedup=mine&action=trigger")
        duckdb_scene.run()
        duckdb_scene.resolve(key)
        duckdb_scene.run()
    ours = [post for post in posts if f'"dedup_key": "{key}"' in post]
    assert ['"event_action": "trigger"' in post for post in ours] == [True, False]
    assert '"event_action": "resolve"' in ours[1]
    theirs = [post for post in posts if '"dedup_key": "mine"' in post]
    assert ['"event_action": "trigger"' in post for post in theirs] == [True, True]
    assert len(posts) == 4
