"""Whom to tell: the URLs of ALERT_URLS, through apprise. Names and errors hold no part of a URL but its scheme."""

import hashlib
import hmac
import logging
import re
from collections.abc import Iterable
from typing import Protocol

import apprise
from apprise.manager_plugins import NotificationManager

from warehouse.alerts.messages import Message

# What apprise's talkative log says of a failure, and what is shown of it. Nothing else is: the log quotes URLs.
_CAUSES = (
    (r"error=(\d{3})\b", "it answered with HTTP {}"),
    (r"(?i)certificate", "its certificate cannot be verified"),
    (r"(?i)timed out|did not finish", "it did not answer in time"),
    (r"(?i)connection refused", "it refused the connection"),
    (r"(?i)resolve|name or service not known|getaddrinfo", "its host name is unknown"),
    (r"(?i)connection aborted|connection reset|remote end closed|broken pipe", "it broke off the connection"),
    (r"(?i)connection error|socket exception", "it could not be reached"),
)
# Parameters by which services that keep incidents learn which one is meant.
_INCIDENT_PARAMETERS = ("dedup", "alias", "entity_id")


class DeliveryError(Exception):
    """A target did not take a message. The text holds no secret."""


class Target(Protocol):
    """Somebody to tell."""

    name: str
    hears_reminders: bool

    def send(self, message: Message) -> None:
        """Tell it, or raise DeliveryError."""


def silence_logs() -> None:
    """What the libraries log quotes URLs. They keep it to themselves, and nobody else hears it."""
    for name in ("apprise", "urllib3", "requests", "datadog"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [logging.NullHandler()]
    # apprise hands what it logs back with its results, but only what passes its own logger
    logging.getLogger("apprise").setLevel(logging.DEBUG)


class AppriseTarget:
    """One URL of ALERT_URLS."""

    hears_reminders = True

    def __init__(self, url: str, key: str, timeout_seconds: float) -> None:
        """Try the URL; raise ValueError, without it, where apprise cannot use it."""
        self._url = url
        self._timeout_seconds = timeout_seconds
        self.longest_seconds = 3 * timeout_seconds
        service = self._service(())
        if service is None:
            raise ValueError
        fingerprint = hmac.new(key.encode(), url.encode(), hashlib.sha256).hexdigest()[:6]
        self.name = f"{_kind(url, service)}-{fingerprint}"
        self._service_of = {(): service}

    def send(self, message: Message) -> None:
        """Post it once; apprise's own retries would not be in the books."""
        try:
            service = self._service(self._incident_parameters(message))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises may quote the URL
            raise DeliveryError(f"apprise failed at it ({type(error).__name__})") from None
        post(service, title=message.title, body=message.body, notify_type=_notify_type(message))

    def _service(self, parameters: tuple[tuple[str, str], ...]) -> apprise.NotifyBase | None:
        url = self._url
        for name, value in parameters:
            url += f"{'&' if '?' in url else '?'}{name}={value}"
        return service_of(url, self._timeout_seconds, "Alerts of the generation warehouse")

    def _incident_parameters(self, message: Message) -> tuple[tuple[str, str], ...]:
        """PagerDuty and its like merge by a key, and close what is over. What the URL says itself goes
        first."""
        known = NotificationManager()[self._service_of[()].url().partition(":")[0]].template_args
        keys = [name for name in _INCIDENT_PARAMETERS if name in known]
        if not keys or "map" not in known.get("action", {}).get("values", ()):
            return ()
        wanted = {keys[0]: message.incident_key, "action": "map"}
        return tuple((name, value) for name, value in wanted.items() if not _has_parameter(self._url, name))


def usable_targets(urls: Iterable[str], key: str, timeout_seconds: float) -> tuple[list[AppriseTarget], list[str]]:
    """The targets, and what is wrong with those URLs that are none: by place and scheme only."""
    urls = list(urls)
    targets: list[AppriseTarget] = []
    problems = []
    for place, url in enumerate(urls, 1):
        try:
            targets.append(AppriseTarget(url, key, timeout_seconds))
        except Exception:  # noqa: BLE001 - whatever a plugin raises may quote the URL
            problems.append(unusable("ALERT_URLS", place, urls))
    return targets, problems


def service_of(url: str, timeout_seconds: float, description: str) -> apprise.NotifyBase | None:
    """What apprise makes of a URL; None where it is none of its."""
    asset = apprise.AppriseAsset(
        app_id="generation-warehouse",
        app_desc=description,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=3 * timeout_seconds,
    )
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is not None and not _has_parameter(url, "rto"):
        service.socket_read_timeout = timeout_seconds
    if service is not None and not _has_parameter(url, "cto"):
        service.socket_connect_timeout = timeout_seconds
    return service


def post(service: apprise.NotifyBase, **message: object) -> None:
    """Post a message once, as text unless it says otherwise, or raise DeliveryError."""
    try:
        client = apprise.Apprise()
        client.add(service)
        result = client.notify(**{"body_format": apprise.NotifyFormat.TEXT, "log_level": logging.DEBUG} | message)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises may quote the URL
        raise DeliveryError(f"apprise failed at it ({type(error).__name__})") from None
    if not result:
        raise DeliveryError(_cause(str(entry) for entry in result.logs()))


def unusable(variable: str, place: int, urls: list[str]) -> str:
    """What to say of a URL that apprise cannot use."""
    return (
        f"{variable}: {named(place, urls)} is none that apprise can use. "
        "What they look like: https://github.com/caronc/apprise/wiki"
    )


def named(place: int, urls: list[str]) -> str:
    """A URL by its place and scheme: the rest of it may be secret."""
    url = urls[place - 1]
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    is_known = scheme in {"http", "https", *NotificationManager().schemas()}
    told = f"{scheme}://…" if is_known else "of no known scheme"
    return f"the URL in place {place} of {len(urls)} ({told})"


def _has_parameter(url: str, name: str) -> bool:
    return re.search(rf"[?&]{name}=", url) is not None


def _kind(url: str, service: apprise.NotifyBase) -> str:
    """The URL's scheme; for one that a service's own web page gave, that of the service."""
    scheme = url.partition("://")[0].lower()
    return service.url().partition(":")[0] if scheme in ("http", "https") else scheme


def _notify_type(message: Message) -> apprise.NotifyType:
    if message.event == "resolved":
        return apprise.NotifyType.SUCCESS
    return apprise.NotifyType.FAILURE if message.severity == "page" else apprise.NotifyType.WARNING


def _cause(log: Iterable[str]) -> str:
    lines = list(log)
    for pattern, told in _CAUSES:
        for line in lines:
            found = re.search(pattern, line)
            if found:
                return told.format(*found.groups())
    return "it did not take the message"
