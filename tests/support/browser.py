"""A browser that opens a page and says what became of it. Nothing here reaches a network."""

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from postgres_server import needs

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def program() -> str:
    """The browser: the one that the environment names, Chromium or Chrome. The test is skipped without one, or fails
    where .ci/run should have installed it."""
    for name in (os.environ.get("WAREHOUSE_TEST_CHROMIUM"), "chromium", "google-chrome"):
        if name and shutil.which(name):
            return name
    needs("chromium")
    raise AssertionError


def opened(url: str, *, is_dark: bool = False) -> str:
    """The document after its scripts have run."""
    with tempfile.TemporaryDirectory(prefix="wh-browser-") as folder:
        done = subprocess.run(
            [
                *(program(), "--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
                # there is no sandbox for root
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                *(["--blink-settings=preferredColorScheme=0"] if is_dark else []),
                *(f"--user-data-dir={folder}", "--window-size=1280,900", "--virtual-time-budget=5000"),
                *("--dump-dom", url),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def error_of(document: str) -> str | None:
    """What went wrong on the page."""
    found = re.search(r'<html[^>]* data-error="([^"]*)"', document)
    return html.unescape(found[1]) if found else None


def answer(page: str, script: str, folder: Path, *, is_dark: bool = False, width: int | None = None) -> object:
    """What a script gives that runs behind those of the page, which allows no others. With a width, in a frame so
    wide."""
    told = f"JSON.stringify((() => {{ {script} }})())"
    to = "parent.postMessage(" + told + ", '*')" if width else f"document.documentElement.dataset.answer = {told}"
    copy = folder / "asked.html"
    copy.write_text(_POLICY.sub("", page).replace("</body>", f"<script>{to}</script></body>"), encoding="utf-8")
    asked = copy
    if width:
        asked = folder / "frame.html"
        hear = "addEventListener('message', (event) => { document.documentElement.dataset.answer = event.data; });"
        asked.write_text(
            f'<script>{hear}</script><iframe src="{copy.name}" style="width:{width}px;height:800px;border:0"></iframe>'
        )
    document = opened(asked.as_uri(), is_dark=is_dark)
    assert error_of(document) is None
    found = re.search(r'<html[^>]* data-answer="([^"]*)"', document)
    assert found, "the script gave no answer"
    return json.loads(html.unescape(found[1]))
