"""Judges the windows that are due, on no more than the alerts need."""

import json

from warehouse.database import Database
from warehouse.run_dbt import run_dbt

# What the alerts read the log through and remember in. Other runs keep it up to date, so that a refresh has less to do.
_GROUNDWORK = ("path:models/staging", "path:seeds", "path:models/state", "alert_notifications")
# The release is missing where nothing but an older one has built.
_NEEDED = (("staging", "stg_generation_logs"), ("internal", "release"), ("marts", "alert_notifications"))


def refresh(database: Database, as_of: str | None) -> None:
    """Bring the alert tables up to the clock. Another run at work is waited for: on PostgreSQL dbt itself does."""
    with database.transaction() as transaction:
        is_ready = all(transaction.exists(f"{database.schema}_{layer}", table) for layer, table in _NEEDED)
    if not is_ready:
        run_dbt(database, ["build", "--select", *_GROUNDWORK, "--exclude-resource-types", "test", "unit_test"])
    arguments = ["build", "--selector", "alerts_refresh"]
    if as_of:
        arguments += ["--vars", json.dumps({"as_of": as_of})]
    run_dbt(database, arguments)
