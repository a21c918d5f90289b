"""Pages of warehouses, and what is in them."""

import json
import re
from pathlib import Path

from commands import command
from warehouse.report.data import Data
from warehouses import Row, Warehouse


def build(warehouse: Warehouse, rows: list[Row], **variables: object) -> None:
    """A warehouse of these rows, with its alerts; it keeps all single generations, for numbers to be compared with."""
    warehouse.variables = {"log_retention_days": 400, **variables}
    warehouse.load(rows)
    warehouse.run(exclude="tag:firing")


def page_of(warehouse: Warehouse, *arguments: str) -> str:
    """The page that the command makes."""
    file = warehouse.folder / "report.html"
    said = command(warehouse, "report", "--out", str(file), *arguments)
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1].startswith(f"A page with your numbers: {file} (")
    return file.read_text(encoding="utf-8")


def data_in(page: str) -> Data:
    """What the page holds."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def save(page: str, folder: Path) -> str:
    """The URL of the page in a file."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    return file.as_uri()
