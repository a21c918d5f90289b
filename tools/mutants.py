"""make mutants: does a test see it when a single thing in the SQL is wrong?

The table tests/mutants/mutations.yml holds single changes of models and macros, each with the promise that it
breaks. Each is applied alone, in a copy of the tree, and should be killed: by a unit test of what was changed, else by
a test of `dbt build` on the sample, or, where it is about runs and not about numbers, by the named tests of pytest.
What no test kills is a survivor, and an error, unless the table argues that the change makes no difference.
"""

import argparse
import concurrent.futures
import gc
import hashlib
import json
import multiprocessing
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "mutants" / "mutations.yml"
RESULTS = ROOT / "target" / "mutants" / "results.jsonl"
# What dbt keeps in memory of each invocation grows: a process of its runs is followed by a new one.
_MUTATIONS_A_PROCESS = 20
_NO_SQL = re.compile(
    r"(Compilation|Parser|Binder|Catalog|Syntax|Conversion|Invalid Input) Error|syntax error|does not exist"
)


@dataclass(frozen=True)
class Mutation:
    """A single change of a file: a text that is there once, and what takes its place."""

    id: str
    file: str
    old: str
    new: str
    promise: str
    """what no longer holds where the change is made"""
    killed_by: str = ""
    """arguments of pytest, for what dbt's tests cannot see"""
    equivalent: str = ""
    """why it makes no difference, where it makes none"""

    def problem(self, tree: Path = ROOT) -> str | None:
        """Why it cannot be made, if so."""
        path = tree / self.file
        if not path.is_file():
            return f"{self.id}: there is no file {self.file}"
        count = path.read_text().count(self.old)
        if count != 1:
            return f"{self.id}: {self.file} has the old text {count} times, and not once: {self.old!r}"
        if self.old == self.new:
            return f"{self.id}: the new text is the old one"
        return None

    def key(self, tree: Path = ROOT) -> str:
        """What a result is of: the change, and the file that it was made in."""
        said = [self.file, self.old, self.new, self.killed_by, (tree / self.file).read_text()]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


@dataclass
class Result:
    """What became of a mutation: killed, survived, or broken, where the SQL no longer runs."""

    id: str
    key: str
    outcome: str
    kind: str = ""
    """unit, data or pytest"""
    by: list[str] = field(default_factory=list)
    said: str = ""
    seconds: float = 0


def mutations() -> list[Mutation]:
    """The table."""
    return [Mutation(**each) for each in yaml.safe_load(TABLE.read_text())]


def copy_of_tree(target: Path) -> None:
    """The files that git knows or would know, as they are now."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]
    for name in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


class Bench:
    """A copy of the tree, with dbt in this process, and a database that was built before anything was changed."""

    def __init__(self, folder: Path) -> None:
        """Use the copy in a folder, or make it."""
        self.folder, self.tree = folder, folder / "tree"
        self.database, self.built = folder / "mutant.duckdb", folder / "built.duckdb"
        self._parsed: Any = None
        if not self.tree.exists():
            copy_of_tree(self.tree)
            shutil.copyfile(self.tree / "profiles.example.yml", folder / "profiles.yml")
        for name in list(os.environ):
            if name.startswith(("DBT_", "GENERATION_LOGS", "PG", "WAREHOUSE_")):
                del os.environ[name]
        os.environ |= {"WAREHOUSE_DUCKDB": str(self.database), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        os.chdir(self.tree)

    def dbt(self, *arguments: str, manifest: Any = None) -> tuple[Any, str]:
        """Run dbt, and say what it said where it did not succeed."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters
        from dbt.cli.main import dbtRunner

        said: list[str] = []
        for node in manifest.nodes.values() if manifest else []:
            # dbt would take the ephemeral models that it has put into a model's SQL before for those of this run
            if node.resource_type != "seed":
                node.compiled, node.extra_ctes, node.extra_ctes_injected = False, [], False
        gc.disable()
        try:
            done = dbtRunner(manifest, [lambda event: said.append(event.info.msg)]).invoke(
                [
                    *arguments,
                    *("--quiet", "--log-level", "none", "--log-level-file", "none"),
                    *("--project-dir", str(self.tree), "--profiles-dir", str(self.folder)),
                    *("--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")),
                    *([] if arguments[0] == "parse" else ["--no-write-json"]),
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
            reset_adapters()
            gc.enable()
            gc.collect()
        return done, f"{done.exception or ''}\n" + "\n".join(said[-20:]) if not done.success else ""

    def parse(self) -> tuple[Any, str]:
        """The project as it is now."""
        done, said = self.dbt("parse")
        return done.result if done.success else None, said

    def build(self) -> str:
        """Build the sample as it should be, and keep the database. What is said is why that failed."""
        manifest, said = self.parse()
        if not manifest:
            return said
        done, said = self.dbt("build", manifest=manifest)
        failed = [each.node.name for each in done.result.results if str(each.status) in ("fail", "error")]
        if not done.success or failed:
            return f"{', '.join(failed)}\n{said}"
        warned = sorted(each.node.name for each in done.result.results if str(each.status) == "warn")
        (self.folder / "warned.json").write_text(json.dumps(warned))
        self.database.rename(self.built)
        return ""

    def try_out(self, mutation: Mutation) -> Result:
        """Make the change, see which tests fail, and take it back."""
        begun = time.monotonic()
        path = self.tree / mutation.file
        text = path.read_text()
        result = Result(mutation.id, mutation.key(self.tree), "survived")
        if not mutation.killed_by and not self._parsed:
            self._parsed = self.parse()[0]
        path.write_text(text.replace(mutation.old, mutation.new))
        try:
            if mutation.killed_by:
                self._by_pytest(mutation, result)
            else:
                models = concerned(self._parsed, mutation) if self._parsed else set()
                with self._changed(mutation) as (manifest, said):
                    self._by_dbt(models, manifest, said, result)
        finally:
            path.write_text(text)
        result.seconds = round(time.monotonic() - begun, 1)
        return result

    @contextmanager
    def _changed(self, mutation: Mutation) -> Iterator[tuple[Any, str]]:
        """The project with the change. To parse takes longer than to test, so the text alone is changed where only a
        text is."""
        place = place_of(self._parsed, mutation) if self._parsed else None
        if not place:
            yield self.parse()
            return
        node, name = place
        text = getattr(node, name)
        setattr(node, name, text.replace(mutation.old, mutation.new))
        try:
            yield self._parsed, ""
        finally:
            setattr(node, name, text)

    def _by_dbt(self, models: set[str], manifest: Any, said: str, result: Result) -> None:
        if not manifest:
            result.outcome, result.said = "broken", said
            return
        tested = {each.model for each in manifest.unit_tests.values()}
        selected = [f"{model},test_type:unit" for model in sorted(models & tested)]
        if selected:
            shutil.copyfile(self.built, self.database)
            self._judge(result, "unit", *self.dbt("test", "--select", *selected, manifest=manifest))
        if result.outcome == "survived":
            self.database.unlink(missing_ok=True)
            # what seeds say is in functions that a build makes: there the unit tests see it
            units = ["--exclude-resource-types", "unit_test"] if selected else []
            self._judge(result, "data", *self.dbt("build", *units, manifest=manifest))

    def _judge(self, result: Result, kind: str, done: Any, said: str) -> None:
        warned = json.loads((self.folder / "warned.json").read_text())
        for each in getattr(done.result, "results", []):
            is_test, status = each.node.resource_type in ("test", "unit_test"), str(each.status)
            if is_test and (status == "fail" or status == "warn" and each.node.name not in warned):
                result.by.append(each.node.name)
                result.kind = "unit" if each.node.resource_type == "unit_test" else result.kind or kind
            elif status == "error":
                result.said += f"{each.node.name}: {each.message}\n"
        if result.by:
            result.outcome = "killed"
        elif not done.success:
            result.outcome, result.said = "broken", result.said or said
        result.by = sorted(set(result.by))

    def _by_pytest(self, mutation: Mutation, result: Result) -> None:
        command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, *shlex.split(mutation.killed_by)], cwd=self.tree, capture_output=True, text=True, check=False
        )
        result.by = sorted(set(re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", done.stdout, re.MULTILINE)))
        result.said = (done.stdout + done.stderr)[-3000:]
        if done.returncode == 1 and result.by and not _NO_SQL.search(result.said):
            result.outcome, result.kind, result.said = "killed", "pytest", ""
        elif done.returncode:
            result.outcome = "broken"


def place_of(manifest: Any, mutation: Mutation) -> tuple[Any, str] | None:
    """The model or macro that holds what is changed, and the name of its text; none where more than a text changes."""

    def configs(text: str) -> list[str]:
        return re.findall(r"config\(.*?\)\s*-?\}\}", text, re.DOTALL)

    found = [(each, "raw_code") for each in manifest.nodes.values() if each.original_file_path == mutation.file]
    found += [(each, "macro_sql") for each in manifest.macros.values() if each.original_file_path == mutation.file]
    found = [(each, name) for each, name in found if getattr(each, name).count(mutation.old) == 1]
    if len(found) != 1:
        return None
    text = getattr(*found[0])
    return found[0] if configs(text) == configs(text.replace(mutation.old, mutation.new)) else None


def concerned(manifest: Any, mutation: Mutation) -> set[str]:
    """The models whose SQL a change is part of: a model's own, or those that call the macro, however indirectly."""
    macros = {name: each for name, each in manifest.macros.items() if each.original_file_path == mutation.file}
    changed = {name for name, each in macros.items() if mutation.old in each.macro_sql} or set(macros)
    callers = {name: set(macro.depends_on.macros) for name, macro in manifest.macros.items()}
    while more := {name for name, called in callers.items() if called & changed} - changed:
        changed |= more
    models = [each for each in manifest.nodes.values() if each.resource_type == "model"]
    return {
        each.name
        for each in models
        if each.original_file_path == mutation.file or set(each.depends_on.macros) & changed
    }


_bench: Bench | None = None


def _try_out(folder: Path, mutation: Mutation) -> Result:
    global _bench
    _bench = _bench or Bench(folder)
    return _bench.try_out(mutation)


def _build(folder: Path) -> str:
    return Bench(folder).build()


def run(chosen: list[Mutation], done: Callable[[Mutation, Result], None]) -> str:
    """Try all of them out, one after the other. What is said is why that could not be done."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        processes = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, processes, max_tasks_per_child=_MUTATIONS_A_PROCESS) as pool:
            if any(not each.killed_by for each in chosen):
                said = pool.submit(_build, folder).result()
                if said:
                    return f"The tests must pass before anything is changed. {said}"
            for mutation in chosen:
                done(mutation, pool.submit(_try_out, folder, mutation).result())
    return ""


def results_of(table: Iterable[Mutation]) -> dict[str, Result]:
    """What is known of the mutations from earlier, where neither they nor their files have changed since."""
    keys = {each.id: each.key() for each in table if not each.problem()}
    found = {}
    for line in RESULTS.read_text().splitlines() if RESULTS.exists() else []:
        result = Result(**json.loads(line))
        if keys.get(result.id) == result.key:
            found[result.id] = result
    return found


def summary(table: list[Mutation], results: dict[str, Result]) -> tuple[str, bool]:
    """What became of all of them, and whether that is as it should be."""
    lines, is_well = [], True
    kinds = Counter(result.kind for result in results.values() if result.outcome == "killed")
    for mutation in table:
        result = results.get(mutation.id)
        if not result:
            continue
        if result.outcome == "broken":
            lines.append(f"  broken: {mutation.id}: no test has judged it, as it does not run: {result.said[-600:]}")
        elif result.outcome == "survived" and not mutation.equivalent:
            lines.append(f"  survived: {mutation.id}, in {mutation.file}: no test sees that {mutation.promise}")
        elif result.outcome == "killed" and mutation.equivalent:
            lines.append(f"  not equivalent: {mutation.id} is killed by {', '.join(result.by)}")
        else:
            continue
        is_well = False
    argued = [each for each in table if each.equivalent and each.id in results]
    lines += [f"  equivalent: {each.id}: {each.equivalent}" for each in argued]
    left = len(table) - len(results)
    lines.append(
        f"{len(table)} mutations: {kinds['unit']} killed by unit tests, {kinds['data']} by data tests, "
        f"{kinds['pytest']} by pytest, {len(argued)} equivalent" + (f"; {left} not tried out" if left else "")
    )
    return "\n".join(lines), is_well


def main(arguments: list[str] | None = None) -> int:
    """Try mutations out, and say which survive."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("--id", action="append", default=[], metavar="TEXT", help="only those whose id holds this")
    parser.add_argument("--file", action="append", default=[], metavar="TEXT", help="only those whose file holds this")
    parser.add_argument("--kind", choices=["dbt", "pytest"], help="only those that such tests should kill")
    parser.add_argument("--go-on", action="store_true", help="leave out what was killed before, in the same file")
    parser.add_argument("--list", action="store_true", help="say what is known, and try nothing out")
    options = parser.parse_args(arguments)
    table = mutations()
    problems = [problem for each in table if (problem := each.problem())]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    chosen = [
        each
        for each in table
        if (not options.id or any(text in each.id for text in options.id))
        and (not options.file or any(text in each.file for text in options.file))
        and (not options.kind or (options.kind == "pytest") == bool(each.killed_by))
    ]
    results = results_of(table)
    if options.list:
        print(summary(chosen, {each.id: results[each.id] for each in chosen if each.id in results})[0])
        return 0
    is_known = {
        each.id
        for each in chosen
        if (result := results.get(each.id)) and (result.outcome == "killed" or each.equivalent) and options.go_on
    }
    wanted = [each for each in chosen if each.id not in is_known]
    known = {each.id: results[each.id] for each in chosen if each.id in is_known}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)

    def done(mutation: Mutation, result: Result) -> None:
        known[mutation.id] = result
        with RESULTS.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        by = f" by {result.by[0]}" + f" and {len(result.by) - 1} more" * (len(result.by) > 1) if result.by else ""
        print(f"{len(known):4} of {len(chosen)}  {mutation.id}: {result.outcome}{by} ({result.seconds} s)", flush=True)

    said = run(wanted, done) if wanted else ""
    if said:
        print(said, file=sys.stderr)
        return 1
    text, is_well = summary(chosen, known)
    print(text)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
