"""What the environment says about alerts. Secrets are kept out of everything that is printed or stored."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

# What may not be read anywhere: texts that come from elsewhere are cleaned of their values.
SECRETS = ("ALERT_URLS", "DATADOG_API_KEY", "PGPASSWORD")

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


class ConfigurationError(Exception):
    """A setting that cannot be used. The text holds no secret."""


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
            reminder_hours=_number(environment, "ALERT_REMINDER_HOURS", None),
            timeout_seconds=_number(environment, "ALERT_TIMEOUT_SECONDS", 10),
            retry_seconds=_number(environment, "ALERT_RETRY_SECONDS", 2),
            wait_seconds=_number(environment, "ALERT_WAIT_SECONDS", 240),
            datadog_api_key=environment.get("DATADOG_API_KEY") or None,
            datadog_host=environment.get("DATADOG_HOST") or f"https://api.{site}",
        )


def _number(environment: Mapping[str, str], name: str, default: float | None) -> float | None:
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


def split_urls(text: str) -> tuple[str, ...]:
    """The URLs in a text, each once. A comma inside a URL does not end it."""
    entries = [entry.strip(",") for part in text.split() for entry in re.split(r",+(?=[a-zA-Z0-9]+://)", part)]
    return tuple(dict.fromkeys(entry for entry in entries if entry))


def scrub(text: object) -> str:
    """A text that came from elsewhere, in one line, without any part of a secret, and not longer than a line or two."""
    clean = " ".join(str(text).split())
    for secret in sorted(_secret_parts(os.environ), key=len, reverse=True):
        clean = clean.replace(secret, "***")
    return clean if len(clean) <= 500 else clean[:499] + "…"


def _secret_parts(environment: Mapping[str, str]) -> set[str]:
    """The secrets, and all parts of URLs that may be one: users, passwords, tokens in the path or in the query. A short
    word is replaced only where it is a whole secret."""
    whole = {environment[name] for name in SECRETS if environment.get(name)}
    parts = set()
    for url in split_urls(environment.get("ALERT_URLS", "")):
        whole.add(url)
        parts |= set(re.split(r"[/?&=@:,;#]+", url.partition("://")[2]))
    secrets = whole | {part for part in parts if len(part) > 3}
    return {form for secret in secrets for form in (secret, unquote_plus(secret)) if form.strip()}
