"""dbt, in this process, when nobody else has the database."""

import gc
import time

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner

from warehouse.database import Database
from warehouse.errors import DbtError
from warehouse.secrets import scrub

# What macros/runs/one_run.sql says when another run came between: to begin again is all there is to do.
_DISTURBED = ("This one touched nothing: run it again.", "has taken over. This one stops; what it made so far is kept.")


def run_dbt(database: Database, arguments: list[str]) -> list[str]:
    """Run dbt when nobody else has the database: the SQL that it compiled, node by node."""
    deadline = time.monotonic() + database.longest_wait_seconds
    attempts_left = 3
    while True:
        database.wait_until_free()
        complaints, compiled = _invoke([*arguments, "--log-level", "none", "--no-write-json"])
        if not complaints:
            return compiled
        # between the wait for the file and dbt's start another process may take it, and again
        was_too_late = any(database.is_held_by_another(complaint) for complaint in complaints)
        if was_too_late and time.monotonic() < deadline:
            continue
        attempts_left -= 1
        was_disturbed = any(words in complaint for complaint in complaints for words in _DISTURBED)
        if not (was_disturbed and attempts_left):
            raise DbtError("\n".join(scrub(complaint) for complaint in complaints))


def _invoke(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Run dbt once. What it complains of, if it fails, and what it compiled."""
    complaints: list[str] = []
    # what makes no sense in SQL given on the command line: the exception itself does not say it
    refused: list[str] = []

    def listen(event: object) -> None:
        if event.info.name == "ParseInlineNodeError":
            refused.append(event.info.msg.partition("\n")[2])
        elif event.info.level == "error":
            complaints.append(event.info.msg)
        elif event.info.name == "JinjaLogInfo" and "waiting for it" in event.info.msg:
            print(event.info.msg, flush=True)

    # a sixth of dbt's time would go into collecting what it keeps anyway
    gc.disable()
    try:
        result = dbtRunner(callbacks=[listen]).invoke(arguments)
        failed = [
            f"{each.node.name}: {each.message}"
            for each in getattr(result.result, "results", [])
            if str(each.status) in ("error", "fail", "runtime error")
        ]
        if result.success:
            # seeds and exposures have no SQL
            return [], [
                each.node.compiled_code for each in result.result.results if hasattr(each.node, "compiled_code")
            ]
        # an exception's traceback would hold on to the database
        exception = str(result.exception) if result.exception else None
        del result
        return failed or refused or ([exception] if exception else complaints) or ["dbt failed and did not say why"], []
    finally:
        gc.enable()
        gc.collect()
        DuckDBConnectionManager.close_all_connections()
        reset_adapters()
