"""YAML, and what is in the repository."""

import copy
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from dbt.jsonschemas import jsonschemas
from dbt_semantic_interfaces.parsing.schemas import metric_validator

from conventions import YAML_FOLDERS, complain, files, short, tracked_files, tracked_texts
from project import ROOT
from warehouse.__main__ import COMMANDS, main


def yaml_errors(schema: dict, content: object, path: str) -> list[str]:
    """What dbt's own schema has against a YAML file. The project's own incremental strategies are allowed."""
    macros = "".join(file.read_text() for file in files(("macros",), ".sql"))
    strategies = set(re.findall(r"macro get_incremental_(\w+)_sql", macros))

    def known(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: "append" if key.endswith("incremental_strategy") and each in strategies else known(each)
                for key, each in value.items()
            }
        return [known(each) for each in value] if isinstance(value, list) else value

    def innermost(error: Any) -> Any:
        # of the alternatives that a schema offers, the one that got furthest is the one that was meant
        while error.context:
            error = max(error.context, key=lambda each: (len(each.absolute_path), each.validator != "type"))
        return error

    validator = jsonschemas.CustomDraft7Validator(schema)
    found = []
    for error in map(innermost, validator.iter_errors(known(content))):
        place = ".".join(str(part) for part in error.absolute_path)
        found.append(f"{path}: {place}: {error.message[:200]}")
    return found


def test_yaml_is_valid() -> None:
    findings = []
    for path in files(YAML_FOLDERS, ".yml", ".yaml"):
        content = yaml.safe_load(path.read_text())
        # dbt's schema has their next form only
        for metric in content.pop("metrics", []) if content else []:
            errors = metric_validator.iter_errors(metric)
            findings += [f"{short(path)}: metric {metric.get('name')}: {error.message[:200]}" for error in errors]
        findings += yaml_errors(jsonschemas.resources_schema(), content, short(path))
    content = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    findings += yaml_errors(jsonschemas.project_schema(), content, "dbt_project.yml")
    complain(findings, "dbt passes over a key that it does not know. Mend its spelling or its place.")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param([], id="the file"),
        pytest.param(["models", 0], id="a model"),
        pytest.param(["models", 0, "config"], id="its config"),
        pytest.param(["models", 0, "columns", 0], id="a column"),
        pytest.param(["models", 0, "data_tests", 0, "is_grain"], id="a test"),
    ],
)
def test_a_misspelt_key_is_caught(place: list[str | int]) -> None:
    content = yaml.safe_load((ROOT / "models/marts/core/dim_users.yml").read_text())
    schema = jsonschemas.resources_schema()
    assert not yaml_errors(schema, content, "dim_users.yml")
    misspelt = copy.deepcopy(content)
    inner = misspelt
    for step in place:
        inner = inner[step]
    inner["descripton"] = "a word without its i"
    assert any("descripton" in error for error in yaml_errors(schema, misspelt, "dim_users.yml"))


def test_a_misspelt_setting_of_the_project_is_caught() -> None:
    content = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    content["seed-pahts"] = content.pop("seed-paths")
    assert any("seed-pahts" in error for error in yaml_errors(jsonschemas.project_schema(), content, "dbt_project.yml"))


def test_the_example_profile_holds_no_secret() -> None:
    findings = []

    def look(value: object, place: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                look(each, f"{place}.{key}")
        elif isinstance(value, list):
            for each in value:
                look(each, place)
        elif re.search("pass|secret|token|private|(^|_)key", place.rsplit(".", 1)[-1]) and not re.fullmatch(
            r"\{\{ *env_var\('\w+'(, *'')?\) *\}\}", str(value)
        ):
            findings.append(place)

    look(yaml.safe_load((ROOT / "profiles.example.yml").read_text()), "profiles.example.yml")
    complain(findings, "A secret comes from the environment only: \"{{ env_var('PGPASSWORD', '') }}\".")


def test_no_file_is_large() -> None:
    complain(
        [f"{short(path)}: {path.stat().st_size:,} bytes" for path in tracked_files() if path.stat().st_size > 2**20],
        "A file in git is at most 1 MB. Make a smaller one, or have it made by a command.",
    )


def test_no_file_names_a_place_on_somebody_s_machine() -> None:
    place = re.compile(r"(?<![\w.:/<>})$-])(/(home|Users|mnt|opt|work|workspace)/\w|/(root)\b)|[A-Z]:\\\\?Users\b")
    complain(
        [
            f"{short(path)}:{number}: {line.strip()[:100]}"
            for path, text in tracked_texts()
            for number, line in enumerate(text.splitlines(), 1)
            if place.search(line)
        ],
        "Name files relative to the repository.",
    )


def test_no_file_names_a_package_index() -> None:
    option = re.compile(
        r"(--(extra-)?index-url|--find-links|--trusted-host)[ =]\S|https?://\S+/simple\b|files\.python" r"hosted"
    )
    findings = [
        f"{short(path)}:{number}: {line.strip()[:100]}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if option.search(line) or (path.suffix == ".lock" and "://" in line)
    ]
    complain(findings, "Each machine installs from its own index; `make lock` writes locks that name none.")


def test_locks_pin_every_package_with_hashes() -> None:
    locks = {}
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"^(?=\S)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        unpinned = [entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=" not in entry]
        complain(unpinned, f"{name} pins every package to a version with hashes: run `make lock`.")
        locks[name] = {entry.split("\\")[0].strip() for entry in entries}
    complain(
        sorted(locks["requirements.lock"] - locks["requirements-dev.lock"]),
        "Both locks pin the same versions, since both are installed in one environment: run `make lock`.",
    )


_MODULES = set(re.findall(r"-m (warehouse|benchmarks[.\w]*|simulator)", (ROOT / "Makefile").read_text()))


@pytest.mark.parametrize("module", sorted(_MODULES - {"benchmarks.lines"}))
def test_every_command_of_the_makefile_starts(module: str) -> None:
    """Also those that take hours and are in no other test."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_says_what_it_takes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"python -m warehouse {command}" in capsys.readouterr().out
