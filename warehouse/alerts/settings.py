"""What the environment says about alerts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from warehouse.errors import ConfigurationError
from warehouse.secrets import split_urls

HELP = """\
settings, from the environment:
  ALERT_URLS             whom to tell: apprise URLs, separated by spaces, lines or commas
  ALERT_REMINDER_HOURS   remind every so many hours while an incident is open (unset: never)
  ALERT_TIMEOUT_SECONDS  how long a target may take to answer (10)
  ALERT_RETRY_SECONDS    how long to wait after a first failure; twice as long after the second (2)
  ALERT_WAIT_SECONDS     DuckDB: how long to wait for another process that has the file (240)
  DATADOG_API_KEY        send metrics and events to Datadog as well
  DATADOG_SITE           Datadog's site (datadoghq.com)
  DATADOG_HOST           another address for all that goes to Datadog, such as a proxy
and those of the warehouse itself (docs/running.md)."""


@dataclass(frozen=True)
class Settings:
    """What the environment says. Secrets do not show in its representation."""

    urls: tuple[str, ...] = field(repr=False)
    reminder_hours: float | None
    timeout_seconds: float
    retry_seconds: float
    wait_seconds: float
    datadog_api_key: str | None = field(repr=False)
    datadog_host: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read them, or say which of them cannot be used."""
        site = environment.get("DATADOG_SITE") or "datadoghq.com"
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", site):
            raise ConfigurationError("DATADOG_SITE should be the name of a site, such as datadoghq.eu.")
        return cls(
            urls=split_urls(environment.get("ALERT_URLS", "")),
            reminder_hours=positive(environment, "ALERT_REMINDER_HOURS", None),
            timeout_seconds=positive(environment, "ALERT_TIMEOUT_SECONDS", 10),
            retry_seconds=positive(environment, "ALERT_RETRY_SECONDS", 2),
            wait_seconds=positive(environment, "ALERT_WAIT_SECONDS", 240),
            datadog_api_key=environment.get("DATADOG_API_KEY") or None,
            datadog_host=environment.get("DATADOG_HOST") or f"https://api.{site}",
        )


def positive(environment: Mapping[str, str], name: str, default: float | None) -> float | None:
    """A setting that is a number above 0."""
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 100_000:
        raise ConfigurationError(f"{name} should be a number above 0.")
    return number
