"""The command: python -m warehouse."""

import argparse
import atexit
import os
import sys
import traceback

from warehouse import backup, build, compact, move, publish, share, sql, summary
from warehouse.alerts import command as alerts
from warehouse.backtest import command as backtest
from warehouse.erasure import command as erase
from warehouse.errors import EXPECTED
from warehouse.report import command as report
from warehouse.secrets import scrub

BROKEN = 2

# A command has DESCRIPTION, add_arguments(parser), and run(options), which gives the exit code.
COMMANDS = {
    "build": (build, "make the tables and check them, in few words"),
    "summary": (summary, "say what the warehouse holds"),
    "report": (report, "make one page with the numbers"),
    "sql": (sql, "ask it a question, and print the answer"),
    "alerts": (alerts, "judge the alert rules, say what fires, and tell whom it concerns"),
    "backup": (backup, "copy the file of DuckDB, and check the copy"),
    "publish": (publish, "copy the marts of DuckDB into a file for readers"),
    "share": (share, "copy what people outside may see into a file of DuckDB"),
    "erase": (erase, "erase users, and certify it"),
    "compact": (compact, "write the database again without what was deleted"),
    "move": (move, "take the history from DuckDB to PostgreSQL"),
    "backtest": (backtest, "replay the alert rules over the past; exits with 0, or 2 where it cannot"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command. The exit code: 0 where all is well, 2 where something is broken; alerts exits with 1 too."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except EXPECTED as error:
        print(f"BROKEN: {error}", file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - a traceback would quote values, and some of them are secret
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        print(f"BROKEN: Unexpected {kind} in {place.name}, line {place.lineno}: {scrub(error)}", file=sys.stderr)
    return BROKEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m warehouse", description="What the warehouse does besides dbt.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (module, title) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=title,
            description=module.DESCRIPTION,
            epilog=getattr(module, "EPILOG", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def leave(code: int) -> None:
    """End the process with this exit code, without waiting for a target that never finishes its answer."""
    sys.stdout.flush()
    sys.stderr.flush()
    # the thread that waits for such a target would hold up the end of the process
    atexit._run_exitfuncs()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
