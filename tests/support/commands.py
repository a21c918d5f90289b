"""The commands of the package, in this process, as the environment of a warehouse would run them."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from warehouse.__main__ import main
from warehouses import Warehouse


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


def command(warehouse: Warehouse, *arguments: str, **settings: str) -> Said:
    """Run a command beside a warehouse."""
    warehouse.disconnect()
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("DBT_PROFILES_DIR", str(warehouse.profiles))
        patch.setenv("DBT_TARGET_PATH", str(warehouse.folder / "target_of_commands"))
        for name in ("REPORT_URLS", "ALERT_URLS", "WAREHOUSE_PUBLISHED"):
            patch.delenv(name, raising=False)
        for name, value in (warehouse.environment() | settings).items():
            patch.setenv(name, value)
        code = main(list(arguments))
    return Said(code, out.getvalue(), err.getvalue())
