"""The command: how long an erasure takes: python -m benchmarks.erasure."""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.against import of_trees_on_duckdb, of_trees_on_postgres
from benchmarks.logs import Logs
from benchmarks.processes import NO_TESTS, ROOT, Dbt, clean_environment, remove

_DESCRIPTION = """\
Build a simulated log, erase users of it, and print how long the transaction took, and the writing again; on DuckDB
beside that of a plain copy of the file."""


def main() -> None:
    """Build, erase, print."""
    options = _options()
    work = options.work_dir.resolve()
    remove(work)
    work.mkdir(parents=True)
    logs = Logs(work / "logs", [options.rows], max(1, options.rows // 90))
    on_engine = of_trees_on_postgres if options.engine == "postgres" else of_trees_on_duckdb
    with on_engine(work, logs, options.rows) as (environments, begin_again, _, _):
        begin_again("new")
        environment = environments["new"]
        dbt = Dbt(work / "dbt", ROOT, **environment)
        dbt.run("build", "--selector", "daily", *NO_TESTS)
        ids = duckdb.execute(
            "select distinct cast(user_id as text) from read_parquet($1) where user_id is not null "
            "order by hash(cast(user_id as text)) limit $2",
            [logs.growing(options.rows), options.users],
        ).fetchall()
        copied = _plain_copy(Path(environment["WAREHOUSE_DUCKDB"])) if options.engine == "duckdb" else None
        certificate = subprocess.run(
            [sys.executable, "-m", "warehouse", "erase", "--no-build", "--large"],
            input="\n".join(row[0] for row in ids),
            env=clean_environment() | environment | {"DBT_PROFILES_DIR": str(work / "dbt" / "profiles")},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    deleted, written = (
        float(re.search(f"{said} ([0-9.]+) s", certificate)[1])
        for said in ("in one transaction of", "was written again in")
    )
    print(f"{options.engine}, {options.rows:,} rows, {len(ids):,} users")
    print(f"  the transaction   {deleted:8.1f} s")
    print(f"  written again     {written:8.1f} s" + (f"   {written / copied:.2f} of a plain copy" if copied else ""))
    remove(work)


def _plain_copy(file: Path) -> float:
    """COPY FROM DATABASE alone, into a file of the same format."""
    target = file.with_name("copied.duckdb")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as old (read_only); attach '{target}' as new (storage_version 'v1.4.0')")
        begun = time.monotonic()
        connection.execute("copy from database old to new; checkpoint new")
        seconds = time.monotonic() - begun
    os.remove(target)
    return seconds


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--users", type=int, default=1000, help="default: 1,000")
    parser.add_argument("--engine", choices=("duckdb", "postgres"), default="duckdb")
    parser.add_argument("--work-dir", type=Path, default=Path("build/erasure"), help="default: build/erasure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
