"""Secrets are kept out of everything that is printed or stored."""

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

# What may not be read anywhere: texts that come from elsewhere are cleaned of their values.
SECRETS = ("ALERT_URLS", "REPORT_URLS", "DATADOG_API_KEY", "PGPASSWORD")


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
    for url in split_urls(" ".join(environment.get(name, "") for name in ("ALERT_URLS", "REPORT_URLS"))):
        whole.add(url)
        parts |= set(re.split(r"[/?&=@:,;#]+", url.partition("://")[2]))
    secrets = whole | {part for part in parts if len(part) > 3}
    return {form for secret in secrets for form in (secret, unquote_plus(secret)) if form.strip()}
