"""The dictionary of data becomes one file, which asks no other place for anything."""

import base64
import hashlib
import json
from pathlib import Path

from warehouse.errors import ConfigurationError
from warehouse.report.data import MOST_STYLES, Data, Marts, page_data

LARGEST_BYTES = 1_500_000
_PARTS = Path(__file__).parent / "page"
_SCRIPTS = ("errors.js", "data.js", "words.js", "charts.js", "tiles.js", "trends.js", "tables.js", "page.js")


def smallest_fitting(marts: Marts, made: dict[str, str]) -> tuple[Data, str]:
    """The data and the page of it. Where it would be too large, fewer styles have numbers of their own."""
    style_count = MOST_STYLES
    while style_count:
        data = made | page_data(marts, style_count)
        page = render(data)
        if len(page.encode()) <= LARGEST_BYTES:
            return data, page
        style_count //= 2
    raise ConfigurationError(f"The page would be larger than {LARGEST_BYTES:,} bytes. Ask for fewer --days.")


def render(data: Data) -> str:
    """The page. Of the log's texts none can end the element that they stand in, and only this script may run."""
    style = (_PARTS / "page.css").read_text()
    script = "".join((_PARTS / name).read_text() for name in _SCRIPTS)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    page = (_PARTS / "page.html").read_text()
    # the data last: what is in them is not looked through
    for name, part in {"policy": policy, "style": style, "script": script, "data": text}.items():
        page = page.replace("{{" + name + "}}", part, 1)
    return page


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
