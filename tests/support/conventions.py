"""The project as dbt and git see it, for the tests of its conventions (docs/conventions.md)."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from project import ROOT
from warehouses import Warehouse

PROJECT = "generation_warehouse"
LAYERS = ("staging", "intermediate", "marts", "share", "alerts", "state")
SQL_FOLDERS = ("models", "macros", "analyses", "data-tests")
YAML_FOLDERS = ("models", "macros", "analyses", "seeds", "data-tests")


class Project:
    """The project as dbt parses it, from scratch, with the example profile."""

    def __init__(self, folder: Path) -> None:
        """Parse it, and write only below `folder`."""
        (folder / "profiles.yml").write_bytes((ROOT / "profiles.example.yml").read_bytes())
        self.folder = folder
        result = self.parse()
        assert result.success, f"dbt cannot parse the project: {result.exception}"
        self.manifest: Manifest = result.result
        nodes = [node for node in self.manifest.nodes.values() if node.package_name == PROJECT]
        self.models = sorted((node for node in nodes if node.resource_type == "model"), key=lambda node: node.name)
        self.built = [model for model in self.models if model.config.materialized != "ephemeral"]
        self.tests = [node for node in nodes if node.resource_type == "test"]
        self.marts = [model for model in self.models if model.config.schema == "marts"]
        self.shared = [model for model in self.models if model.config.schema == "share"]

    def parse(self, *flags: str) -> Any:
        """What dbt says about the project."""
        with pytest.MonkeyPatch.context() as patch:
            for name in list(os.environ):
                if name.startswith(("DBT_", "GENERATION_LOGS", "PG", "WAREHOUSE_")):
                    patch.delenv(name)
            patch.setenv("WAREHOUSE_DUCKDB", ":memory:")
            try:
                return dbtRunner().invoke(
                    [
                        *("--quiet", "--log-level-file", "none", *flags),
                        *("parse", "--no-partial-parse", "--target", "local"),
                        *("--project-dir", str(ROOT), "--profiles-dir", str(self.folder)),
                        *("--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")),
                    ]
                )
            finally:
                reset_adapters()

    def tests_of(self, model: Any, kind: str) -> list[Any]:
        """The generic tests of one kind that a model has."""
        return [
            test
            for test in self.tests
            if getattr(test, "test_metadata", None)
            and test.test_metadata.name == kind
            and test.attached_node == model.unique_id
        ]

    def grains(self, model: Any) -> list[list[str]]:
        """The columns of each test of the model's grain."""
        return [test.test_metadata.kwargs.get("columns") for test in self.tests_of(model, "is_grain")]


def layer(model: Any) -> str:
    """The folder below models/ that a model stands in."""
    return Path(model.original_file_path).parts[1]


def files(folders: Iterable[str], *endings: str) -> Iterator[Path]:
    """The files in some of the project's folders, by the ends of their names."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in endings:
                yield path


def short(path: Path) -> str:
    """A file's name for messages."""
    return str(path.relative_to(ROOT))


def without_comments(text: str) -> str:
    """SQL, Jinja or YAML without its comments, line for line."""
    text = re.sub(r"\{#.*?#\}", lambda comment: "\n" * comment[0].count("\n"), text, flags=re.DOTALL)
    return re.sub(r"(^|\s)(--|#\s).*$", "", text, flags=re.MULTILINE)


def without_texts(sql: str) -> str:
    """SQL without what its literals say."""
    return re.sub(r"'[^'\n]*'", "''", sql)


def tracked_files() -> list[Path]:
    """The files that git knows."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def tracked_texts() -> Iterator[tuple[Path, str]]:
    """Those of them that hold text."""
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


def complain(findings: Iterable[str], mend: str) -> None:
    """Fail where there are findings, and say how to mend them."""
    listed = "\n  ".join(findings)
    assert not listed, f"{mend}\n  {listed}"


def built_columns(built: Warehouse, model: Any) -> list[str]:
    """The columns that a model's relation has in the database."""
    return built.columns(built.schema_of(model.alias), model.alias)
