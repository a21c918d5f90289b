"""The numbers as a message, with the page attached: for whom REPORT_URLS names."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import apprise
from apprise.attachment.file import AttachFile

from warehouse.alerts.settings import positive
from warehouse.alerts.targets import DeliveryError, named, post, service_of, silence_logs, unusable
from warehouse.errors import ConfigurationError
from warehouse.report.data import Data
from warehouse.report.numbers import LENGTHS, Tile, last_days, period_in_words, tiles, whole_days
from warehouse.secrets import split_urls

HELP = """\
settings, from the environment:
  REPORT_URLS             whom --send sends it to: apprise URLs, separated by spaces, lines or commas
  REPORT_TIMEOUT_SECONDS  how long each of them may take to answer (30)
and those of the warehouse itself (docs/running.md)."""

# Only mail shows a table; what chats call HTML has none.
_MAIL = ("mailto", "mailtos", "o365", "mailgun", "sendgrid", "ses", "smtp2go", "sparkpost", "brevo", "resend")


@dataclass(frozen=True)
class Letter:
    """What is sent: the same as text and as HTML."""

    title: str
    text: str
    html: str


def recipients(environment: Mapping[str, str]) -> tuple[list[str], float]:
    """The URLs, and how long each may take; or what is wrong with the settings."""
    urls = list(split_urls(environment.get("REPORT_URLS", "")))
    if not urls:
        raise ConfigurationError("--send: REPORT_URLS names nobody to send the page to.")
    return urls, positive(environment, "REPORT_TIMEOUT_SECONDS", 30)


def letter(data: Data) -> Letter:
    """The four numbers of the last 7, 28 and 90 days, as far as there are so many, and what fires."""
    if not whole_days(data):
        nothing = "The warehouse holds no whole day yet."
        return Letter("Generations: no whole day yet", nothing, f"<p>{nothing}</p>")
    periods = list(dict.fromkeys(last_days(data, length) for length in LENGTHS))
    usual = last_days(data)
    columns = [(period_in_words(data, period), tiles(data, period)) for period in periods]
    per_hour, rate, *_ = tiles(data, usual)
    incidents = [
        f"{one['severity']}: {one['rule_name']} since {one['first_firing_at']} UTC. {one['condition']}"
        for one in data["incidents"]
        if one["resolved_at"] is None
    ]
    title = f"Generations, {period_in_words(data, usual)}: {per_hour.value} an hour, {rate.value} succeed"
    return Letter(title, _as_text(columns, incidents), _as_html(columns, incidents))


def send(letter: Letter, page: Path, urls: list[str], timeout_seconds: float) -> tuple[int, list[str]]:
    """Send it once to each. How many took it, and what went wrong with the others."""
    silence_logs()
    problems = []
    for place, url in enumerate(urls, 1):
        try:
            service = service_of(url, timeout_seconds, "The numbers of the generation warehouse")
        except Exception:  # noqa: BLE001 - whatever a plugin raises may quote the URL
            service = None
        if service is None:
            problems.append(unusable("REPORT_URLS", place, urls))
            continue
        try:
            _send(letter, page, service)
        except DeliveryError as error:
            problems.append(f"REPORT_URLS: {named(place, urls)} did not take the page: {error}.")
    return len(urls) - len(problems), problems


def _send(letter: Letter, page: Path, service: apprise.NotifyBase) -> None:
    is_html = service.url().partition(":")[0] in _MAIL
    files = apprise.AppriseAttachment()
    files.add(AttachFile(path=str(page.resolve()), name=page.name))
    post(
        service,
        title=letter.title,
        body=letter.html if is_html else letter.text,
        body_format=apprise.NotifyFormat.HTML if is_html else apprise.NotifyFormat.TEXT,
        notify_type=apprise.NotifyType.INFO,
        # a service that takes no files gets the numbers alone
        attach=files if service.attachment_support else None,
    )


def _as_text(columns: list[tuple[str, list[Tile]]], incidents: list[str]) -> str:
    blocks = [f"OPEN INCIDENT: {incident}" for incident in incidents]
    for period, numbers in columns:
        lines = [f"{tile.name}: {tile.value} ({tile.change})" for tile in numbers]
        blocks.append("\n".join([f"{period}:", *lines]))
    return "\n\n".join(blocks)


def _as_html(columns: list[tuple[str, list[Tile]]], incidents: list[str]) -> str:
    cell = 'style="text-align:left;vertical-align:top;padding:4px 12px 4px 0"'
    heads = "".join(f"<th {cell}>{escape(period)}</th>" for period, _ in columns)
    rows = "".join(
        f"<tr><th {cell}>{escape(tiles_of_row[0].name)}</th>"
        + "".join(f"<td {cell}><b>{escape(tile.value)}</b><br>{escape(tile.change)}</td>" for tile in tiles_of_row)
        + "</tr>"
        for tiles_of_row in zip(*(numbers for _, numbers in columns), strict=True)
    )
    fires = "".join(f"<p><b>Open incident:</b> {escape(incident)}</p>" for incident in incidents)
    return f"{fires}<table><tr><th></th>{heads}</tr>{rows}</table>"
