"""What is outside of dbt and reads the marts is named, with what it reads."""

import re

from conventions import Project, complain
from warehouse.report.data import QUERIES


def test_the_exposure_of_the_page_names_what_its_queries_read(project: Project) -> None:
    read = {name for file in QUERIES.glob("*.sql") for name in re.findall(r"warehouse_marts\.(\w+)", file.read_text())}
    report = next(each for each in project.manifest.exposures.values() if each.name == "report")
    named = {project.manifest.nodes[each].name for each in report.depends_on.nodes}
    complain(
        [f"{name} is read and not named" for name in sorted(read - named)]
        + [f"{name} is named and not read" for name in sorted(named - read)],
        "models/exposures.yml names what warehouse/report/queries/ reads.",
    )
