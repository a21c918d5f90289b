"""Every concern has one room, and its doors: what may call and import what."""

import re

import pytest
import yaml

from benchmarks.lines import calls_of, cycles_of, macros_of
from conventions import Project, complain, files, short, tracked_texts, without_comments
from project import ROOT

ROOMS = ("reading", "measures", "runs", "alerts", "engine")
# A macro that an engine has for itself, and dbt's own that the project overrides, are called by dispatch alone.
_OF_AN_ENGINE = re.compile(r"^(duckdb|postgres|default)_")
_SIGNATURE = re.compile(r"\{%-?\s*macro\s+(\w+)\((.*?)\)\s*-?%\}")
_COMMA = re.compile(r",(?![^\[]*\])")


def test_every_macro_is_in_a_room() -> None:
    _, home = macros_of(ROOT)
    places = {path.parent.relative_to(ROOT / "macros").as_posix() for path in home.values()}
    complain(sorted(places - set(ROOMS)), f"Macros are in one of the folders {', '.join(ROOMS)} of macros/.")


def _signatures(room: str) -> dict[str, list[str]]:
    """The public macros of a room, with the names of their arguments."""
    found = {}
    for path in files((f"macros/{room}",), ".sql"):
        for name, listed in _SIGNATURE.findall(without_comments(path.read_text())):
            if not _OF_AN_ENGINE.match(name):
                arguments = [argument.partition("=")[0].strip() for argument in _COMMA.split(listed)]
                found[name] = [argument for argument in arguments if argument]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_public_macros_are_described_with_their_arguments(room: str) -> None:
    defined = _signatures(room)
    content = yaml.safe_load((ROOT / "macros" / room / "_macros.yml").read_text())
    described = {each["name"]: [of["name"] for of in each.get("arguments", [])] for each in content["macros"]}
    complain(
        [f"{name} is not described" for name in defined if name not in described]
        + [f"{name} is described and does not exist" for name in described if name not in defined]
        + [
            f"{name} takes {defined[name]}, described are {described[name]}"
            for name in defined
            if name in described and defined[name] != described[name]
        ],
        f"Describe a public macro and its arguments, in their order, in macros/{room}/_macros.yml.",
    )


def test_macro_files_do_not_call_each_other_in_a_circle() -> None:
    bodies, home = macros_of(ROOT)
    complain(cycles_of(calls_of(bodies), home), "Move what two files share into a third that calls neither.")


def test_how_a_value_is_read_is_known_to_staging_alone() -> None:
    bodies, home = macros_of(ROOT)
    readers = [name for name, path in home.items() if path.parent.name == "reading"]
    calling = re.compile(rf"(?<![.\w])({'|'.join(readers)})\s*\(")
    findings = [
        f"{short(path)} calls {found[1]}"
        for path in files(("models", "data-tests", "analyses"), ".sql")
        if "models/staging" not in str(path) and (found := calling.search(without_comments(path.read_text())))
    ]
    complain(findings, "Call macros of macros/reading/ in models/staging/ only: later models have the values already.")


def test_marts_read_what_runs_remember_through_the_macros_of_runs(project: Project) -> None:
    state = {model.name for model in project.models if model.original_file_path.startswith("models/state/")}
    complain(
        [
            f"{mart.original_file_path} reads {name}"
            for mart in project.models
            if mart.original_file_path.startswith("models/marts/")
            for name in state
            if re.search(rf"ref\('{name}'\)", mart.raw_code)
        ],
        "A mart asks rebuild_from() and as_of(); it does not read models/state/ itself.",
    )


def test_alerts_do_not_know_the_backtest() -> None:
    imports = re.compile(r"^\s*(?:from|import)\s+warehouse\.backtest\b", re.MULTILINE)
    complain(
        [short(path) for path in files(("warehouse/alerts",), ".py") if imports.search(path.read_text())],
        "warehouse/alerts does not import warehouse.backtest. What both need is one level up.",
    )


@pytest.mark.parametrize("ending", [".md", ".yml", ".sql"])
def test_lines_are_no_longer_than_120(ending: str) -> None:
    findings = []
    for path, text in tracked_texts():
        if path.suffix != ending or path.name == "benchmarks.md" or path.parent.name == "benchmarks":
            continue
        is_code = False
        for number, line in enumerate(text.splitlines(), 1):
            if ending == ".md" and line.lstrip().startswith("```"):
                is_code = not is_code
            # a table's row and what a command prints cannot be wrapped
            if len(line) > 120 and not (ending == ".md" and (is_code or line.startswith("|"))):
                findings.append(f"{short(path)}:{number}: {len(line)}")
    complain(findings, "Wrap lines of Markdown, YAML and SQL at 120.")
