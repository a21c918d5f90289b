"""The bundle in a real Superset: it is imported, twice, and each chart of the dashboard gets its data."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import program
from factory import NewWarehouse
from logs import simulated_rows
from postgres_server import free_port
from project import ROOT
from tools.superset.__main__ import definition

# These work together: docs/bi.md names the same.
_NEEDED = re.search(r"^pip install (.*)$", (ROOT / "docs/bi.md").read_text(), re.MULTILINE)[1].split()
_PLACE = ROOT / "build" / "superset"
_PASSWORD = "only-for-the-check"  # noqa: S105
_SETTINGS = """
SECRET_KEY = '{secret}'
SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = False
"""
_LOGIN = """
<form method="post" action="http://127.0.0.1:{port}/login/?next=/superset/dashboard/generations/?standalone=2">
<input name="username" value="admin"><input name="password" value="{password}"></form>
<script>document.forms[0].submit()</script>
"""


@pytest.fixture(scope="module")
def superset(module_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server with the bundle: its port, and the folder of its log."""
    warehouse = module_warehouse("postgres")
    warehouse.load(simulated_rows(6_000, 60, seed=3, dirt=0.02))
    warehouse.run()
    warehouse.run(selector="alerts")
    warehouse.disconnect()
    folder = tmp_path_factory.mktemp("superset")
    python = _PLACE / "bin" / "python"
    if not (_PLACE / "bin" / "superset").exists():
        subprocess.run([sys.executable, "-m", "venv", str(_PLACE)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *_NEEDED], check=True)
    (folder / "superset_config.py").write_text(_SETTINGS.format(secret=_PASSWORD * 3, folder=folder))
    environment = os.environ | {
        "FLASK_APP": "superset",
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        "SCARF_ANALYTICS": "false",
    }

    def run(*arguments: str) -> str:
        command = [str(_PLACE / "bin" / "superset"), *arguments]
        outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout + outcome.stderr

    run("db", "upgrade")
    names = ("--username", "admin", "--firstname", "A", "--lastname", "B", "--email", "admin@localhost")
    run("fab", "create-admin", *names, "--password", _PASSWORD)
    run("init")
    where = warehouse.environment()
    uri = f"postgresql+psycopg2://{where['PGUSER']}@{where['PGHOST']}:{where['PGPORT']}/{where['PGDATABASE']}"
    # the second import brings another range of days, and must take the place of the first
    for days in ("2026-01-01 : 2026-01-02", "2026-01-01 : 2026-12-31"):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "tools.superset",
                "--uri",
                uri,
                "--time-range",
                days,
                "--out",
                str(folder / "b.zip"),
            ],
            cwd=ROOT,
            check=True,
        )
        run("import-dashboards", "--path", str(folder / "b.zip"), "--username", "admin")
    port = free_port()
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [str(_PLACE / "bin" / "superset"), "run", "--port", str(port)], env=environment, stdout=log, stderr=log
        )
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)  # noqa: S310
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(1)
        yield port, folder
    finally:
        server.terminate()
        server.wait(30)


def test_every_chart_of_the_dashboard_gets_its_data(superset: tuple[int, Path]) -> None:
    port, folder = superset
    page = folder / "login.html"
    page.write_text(_LOGIN.format(port=port, password=_PASSWORD))
    picture = ROOT / "build" / "superset.png"
    subprocess.run(
        [
            *(program(), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,3600"),
            *("--virtual-time-budget=100000", f"--screenshot={picture}", page.as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    log = (folder / "server.log").read_text()
    answers = re.findall(r'"POST /api/v1/chart/data.* HTTP/1.1" (\d+)', log)
    assert answers == ["200"] * len(definition()["charts"]), f"{answers}; see {picture}"
    print(f"The dashboard: {picture}")
