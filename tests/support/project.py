"""What the project's own YAML says of its tables, so that the tests need not be told of a new mart."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def _grains(*folders: str) -> dict[str, tuple[str, ...]]:
    """The columns of each model's test is_grain: what a row stands for. A null is a value like any other."""
    found = {}
    for path in sorted(path for folder in folders for path in (ROOT / "models" / folder).rglob("*.yml")):
        for model in yaml.safe_load(path.read_text())["models"]:
            for test in model.get("data_tests", []):
                if "is_grain" in test:
                    found[model["name"]] = tuple(test["is_grain"]["arguments"]["columns"])
    return found


MARTS = _grains("marts")
# Kept for good as marts are, though nobody is granted them.
KEPT = ("int_user_days", "int_style_spellings")
GRAINS = MARTS | {name: _grains("intermediate")[name] for name in KEPT}
# What depends on when a run was made, and on the alerts, and not on the log alone.
NOT_OF_THE_LOG = {"warehouse_clock": ("built_at", "alerts_judged_from", "alerts_judged_to")}
# The time of a row, in the tables whose rows belong to a time.
TIME_COLUMNS = {
    name: time
    for name, grain in GRAINS.items()
    for time in ("activity_date", "activity_hour", "window_start")
    if time in grain
}
# What was judged stays: these are compared with what each run saw, not with a build from scratch.
JOURNALS = {name: _grains("alerts")[name] for name in ("alert_evaluations", "incidents")}
# Made of columns that a log need not have: without them they are empty.
OPTIONAL_MARTS = ("scene_performance", "photo_size_performance", "step_times")
