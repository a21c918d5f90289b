"""The table of mutations is one that make mutants can try out. Nothing is tried out here."""

import re
import shlex
from collections import Counter

from conventions import complain
from project import ROOT
from tools.mutants import mutations


def test_each_mutation_changes_a_text_that_is_in_its_file_once() -> None:
    complain(
        [problem for each in mutations() if (problem := each.problem())],
        "Bring tests/mutants/mutations.yml up to the SQL: what it changes has changed.",
    )


def test_mutations_have_names_and_say_what_they_break() -> None:
    table = mutations()
    assert len(table) >= 150, "Whoever takes mutations out brings others in."
    findings = [f"{id} is there {count} times" for id, count in Counter(each.id for each in table).items() if count > 1]
    changes = Counter((each.file, each.old, each.new) for each in table)
    findings += [f"{file}: {old!r} is changed so twice" for (file, old, _), count in changes.items() if count > 1]
    findings += [f"{each.id} says no promise" for each in table if not each.promise.strip()]
    findings += [f"{each.id}: an id is of small letters" for each in table if not re.fullmatch("[a-z0-9_]+", each.id)]
    complain(findings, "Name each mutation in tests/mutants/mutations.yml once, with the promise that it breaks.")


def test_the_tests_that_should_kill_a_mutation_are_there() -> None:
    findings = []
    for each in mutations():
        if each.killed_by:
            path, _, expression = shlex.split(each.killed_by)
            names = re.findall(r"^def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE)
            words = [word for word in expression.split() if word not in ("and", "duckdb", "postgres")]
            if not any(all(word in name for word in words) for name in names):
                findings.append(f"{each.id}: no test of {path} is called {expression}")
    complain(findings, "Name the tests of killed_by as they are called now: a file, -k and an expression.")
