"""The command: python -m warehouse build, which `make build` begins with."""

import argparse
import os
import re
import sys
import time
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.cli.resolvers import default_profiles_dir

from warehouse.errors import ConfigurationError, DbtError
from warehouse.secrets import scrub

DESCRIPTION = (
    "Run dbt build without the unit tests, which are about the code and not about your log, and say what matters: how "
    "far it is, what fails, what is warned of, and what the run itself reports. All of dbt's own words are in "
    "logs/dbt.log."
)
# Without a terminal, a line so often tells that it is at work.
_SAY_EVERY_SECONDS = 15
# What dbt says of each node, and again at the end, is said here in one line for those that are not well.
_SAID_HERE = re.compile(r"Log(Model|Test|Seed|Snapshot|Node|NodeNoOp)\w*Result|\w*RunResult\w*|CheckNodeTestFailure")
_SAID_HERE_TOO = {"EndOfRunSummary", "StatsLine", "LogSkipBecauseError", "SkippingDetails"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What dbt itself understands is passed on."""
    parser.add_argument("dbt_arguments", nargs="*", metavar="ARGUMENT", help="passed on to dbt build; after --")


def run(options: argparse.Namespace) -> int:
    """Build. The exit code is dbt's: 0, 1 where something failed, 2 where dbt could not run."""
    folder = Path(os.environ.get("DBT_PROFILES_DIR") or default_profiles_dir())
    if not (folder / "profiles.yml").exists() and "--profiles-dir" not in options.dbt_arguments:
        raise ConfigurationError(
            "There is no profiles.yml, which says where the warehouse is: copy profiles.example.yml to profiles.yml, "
            "or run `make build`, which does."
        )
    progress = _Progress(sys.stdout.isatty())
    left_out = ["--exclude-resource-types", "unit_test", "--exclude-resource-types", "exposure"]
    arguments = ["--log-level", "none", "build", *left_out, *options.dbt_arguments]
    result = dbtRunner(callbacks=[progress.listen]).invoke(arguments)
    for each in getattr(result.result, "results", []):
        progress.tell(each)
    progress.end()
    if result.success:
        return 0
    if result.exception and not progress.was_told_of_an_error:
        raise DbtError(scrub(result.exception))
    print(f"The build failed. What dbt said is in {os.environ.get('DBT_LOG_PATH', 'logs')}/dbt.log.", flush=True)
    return 2 if result.exception else 1


class _Progress:
    """What of dbt's events people want to see."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._begun = self._said = time.monotonic()
        self._total = self._done = self._warnings = self._skipped = 0
        self._is_line_open = False
        self._started: set[str] = set()
        self.was_told_of_an_error = False

    def listen(self, event: object) -> None:
        """dbt calls this with each of its events."""
        name, level = event.info.name, event.info.level
        if name == "LogStartLine":
            self._total = event.data.total
            self._started.add(event.data.node_info.unique_id)
        elif name == "NodeFinished" and event.data.node_info.unique_id in self._started:
            self._done += 1
            self._show()
        elif name == "JinjaLogInfo" and event.info.msg.strip():
            self._say(event.info.msg)
        elif level in ("warn", "error") and not _SAID_HERE.fullmatch(name) and name not in _SAID_HERE_TOO:
            self.was_told_of_an_error |= level == "error"
            self._say(event.info.msg)

    def tell(self, result: object) -> None:
        """A node that is not well, in words: what a check is about is said by the comment that its SQL begins with."""
        status = str(result.status)
        if status == "warn":
            self._warnings += 1
        if status in ("warn", "fail"):
            about = "".join(re.findall(r"^-- ?(.*\n)", result.node.raw_code.partition("\n\n")[0], re.MULTILINE))
            rows = f"{result.failures:,} row{'s' if result.failures != 1 else ''}"
            self._say(f"{status.upper()} {result.node.name}: {rows}. {' '.join(about.split())}")
        elif status in ("error", "runtime error"):
            self._say(f"ERROR {result.node.name}: {result.message}")
        elif status == "skipped":
            self._skipped += 1
        self.was_told_of_an_error |= status in ("fail", "error", "runtime error")

    def end(self) -> None:
        """The last line."""
        if self._total:
            seconds = round(time.monotonic() - self._begun)
            warned = f", {self._warnings} warned" if self._warnings else ""
            if self._skipped:
                self._say(f"{self._skipped} tables and checks were not made, as something that they need failed.")
            self._say(f"{self._done} of {self._total} tables, views and checks are done in {seconds} s{warned}.")

    def _show(self) -> None:
        line = f"{self._done} of {self._total} tables, views and checks"
        if self._is_terminal:
            print(f"\r{line}", end="", flush=True)
            self._is_line_open = True
        elif time.monotonic() - self._said >= _SAY_EVERY_SECONDS:
            self._say(f"{line} …")

    def _say(self, text: str) -> None:
        if self._is_line_open:
            print("\r\033[K", end="")
            self._is_line_open = False
        # of an error in a macro dbt also says which macro called which
        lines = [line for line in text.strip().splitlines() if not line.lstrip().startswith(("> in ", "> called by "))]
        print("\n".join(scrub(line) for line in lines).strip(), flush=True)
        self._said = time.monotonic()
