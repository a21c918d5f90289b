"""What is outside of dbt and reads the marts is named, with what it reads."""

import re

import pytest

from conventions import Project, complain
from project import ROOT
from tools.superset.__main__ import definition
from warehouse.report.data import QUERIES


def _read_by_the_page() -> set[str]:
    return {name for file in QUERIES.glob("*.sql") for name in re.findall(r"warehouse_marts\.(\w+)", file.read_text())}


def _read_for_datadog() -> set[str]:
    # the gauges; its events are those of the incidents
    text = (ROOT / "warehouse/alerts/to_datadog.py").read_text()
    return {*re.findall(r"{marts}\.(\w+)", text), "incidents"}


@pytest.mark.parametrize(
    ("exposure", "read"),
    [
        ("report", _read_by_the_page()),
        ("superset", set(definition()["datasets"])),
        ("datadog", _read_for_datadog()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_exposure_names_what_is_read(project: Project, exposure: str, read: set[str]) -> None:
    found = next(each for each in project.manifest.exposures.values() if each.name == exposure)
    named = {project.manifest.nodes[each].name for each in found.depends_on.nodes}
    assert len(read) >= 3
    complain(
        [f"{name} is read and not named" for name in sorted(read - named)]
        + [f"{name} is named and not read" for name in sorted(named - read)],
        "models/semantic/exposures.yml names what is read: by warehouse/report/queries/, by the datasets of "
        "tools/superset, by warehouse/alerts/to_datadog.py.",
    )
