"""How large the project's inside is, and how entangled: `make lines`, or for another checkout
`python -m benchmarks.lines PATH`. Lines of files are counted, blank ones and comments included."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

_KINDS = "(?:macro|test|materialization)"
_BODY = re.compile(rf"\{{%-?\s*{_KINDS}\s+(\w+)(.*?)\{{%-?\s*end{_KINDS}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_CONFIG = re.compile(r"\{\{ config\(.*?\) \}\}", re.DOTALL)
# What asks the database a question: a model that comes to it can be compiled only beside one.
_QUERY = re.compile(r"\b(run_query|get_columns_in_relation|call statement)\(")

Graph = dict[str, set[str]]


def _text(path: Path) -> str:
    return _COMMENT.sub("", path.read_text())


def _lines(paths: Iterable[Path]) -> int:
    return sum(path.read_text().count("\n") for path in paths)


def _called(text: str, names: Iterable[str]) -> set[str]:
    """The macros that a text calls; of one that is dispatched, all engines' own."""
    dispatched = set(re.findall(r"dispatch\(\s*'(\w+)'", text))
    return {
        name
        for name in names
        if re.search(rf"(?<![.\w]){name}\s*\(", text) or name.partition("__")[2] in dispatched - {""}
    }


def _reached(start: set[str], edges: Graph) -> set[str]:
    reached, waiting = set(), set(start)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= edges[name] - reached
    return reached


def _cycles(edges: Graph) -> set[frozenset[str]]:
    """Groups of files each of which leads to each other one."""
    reach = {name: _reached(edges[name], edges) for name in edges}
    return {frozenset(other for other in reach[name] if name in reach[other]) for name in edges if name in reach[name]}


def macros_of(root: Path) -> tuple[dict[str, str], dict[str, Path]]:
    """The text of each macro, and its file."""
    bodies, home = {}, {}
    for path in sorted((root / "macros").rglob("*.sql")):
        for name, body in _BODY.findall(_text(path)):
            bodies[name], home[name] = body, path
    return bodies, home


def cycles_of(calls: Graph, home: dict[str, Path]) -> list[str]:
    """The files whose macros call each other in a circle, a line each."""
    files: Graph = {path.name: set() for path in home.values()}
    for name, called in calls.items():
        files[home[name].name] |= {home[each].name for each in called} - {home[name].name}
    return sorted(", ".join(sorted(group)) for group in _cycles(files))


def calls_of(bodies: dict[str, str]) -> Graph:
    """Which macros each macro calls."""
    return {name: _called(body, bodies) - {name} for name, body in bodies.items()}


def main(root: Path) -> None:
    """Count, and print."""
    models, macro_files, yamls = (
        sorted((root / folder).rglob(pattern))
        for folder, pattern in (("models", "*.sql"), ("macros", "*.sql"), ("models", "*.yml"))
    )
    bodies, home = macros_of(root)
    calls = calls_of(bodies)
    asking = []
    for path in models:
        reached = _reached(_called(_CONFIG.sub("", _text(path)), bodies), calls)
        if any(_QUERY.search(bodies[name]) for name in reached):
            asking.append(path.stem)
    sql, jinja, cycles = _lines(models), _lines(macro_files), cycles_of(calls, home)
    print(f"models    {len(models):>3} files  {sql:>6,} lines of SQL, and {_lines(yamls):,} of YAML")
    print(
        f"macros    {len(macro_files):>3} files  {jinja:>6,} lines, {jinja / sql:.2f} to a line of SQL, "
        f"{len(home)} macros"
    )
    print(f"cycles of macro files: {len(cycles)}")
    for cycle in cycles:
        print(f"  {cycle}")
    print(f"models that ask the database while they compile: {len(asking)}")
    print(f"  {', '.join(asking)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
