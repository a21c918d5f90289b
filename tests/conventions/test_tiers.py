"""What make test leaves to make thorough. Nothing is run here."""

import subprocess
import sys

from conventions import complain
from project import ROOT


def _tests(marks: str) -> set[str]:
    """The functions of tests that are run with marks, without their parameters."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--collect-only", "-q", "-m", marks]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    tests = {line.partition("[")[0] for line in outcome.stdout.splitlines() if "::" in line}
    assert tests, outcome.stdout
    return tests


def test_make_test_tries_every_promise() -> None:
    complain(
        sorted(_tests("thorough") - _tests("not thorough")),
        "Leave to make thorough only further cases of what make test tries as well.",
    )
