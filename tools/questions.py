"""docs/questions.md: the analyses as plain SQL, to be pasted into any client of either engine."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "questions.md"
_HEAD = """# Questions

What people ask of the warehouse, as SQL that can be pasted into any client, on DuckDB and PostgreSQL alike. Each
question says first in which way it is easily answered wrong. This page is made of [analyses/](../analyses) by
`make questions`; dbt asks one by name: `.venv/bin/dbt show --limit -1 --select the_four_numbers`.

What the log cannot answer: revenue, prices and conversion to paying users (it knows what a generation costs, not what
it earns), and anything about a user besides when and what they generated. Scenes, photo sizes and the times of steps
are there where the log has those columns.
"""
# The order on the page. An analysis that is missing here is an error.
_SUBJECTS = {
    "How is it going": [
        "the_four_numbers",
        "yesterday_and_a_week_before",
        "success_rate_by_week",
        "engagement_by_hour_7_days",
        "peak_hours",
        "quiet_hours",
        "series_for_a_forecast",
        "what_the_numbers_leave_out",
    ],
    "Styles": [
        "styles_by_success_rate_30_days",
        "best_style_difficulty_combinations",
        "users_by_style_30_days",
        "p95_by_style_7_days",
        "wasted_share_by_style",
        "cost_parts_by_style",
        "tokens_per_generation_by_style",
        "tokens_per_success",
        "scenes_by_success_rate",
    ],
    "Money": [
        "cost_per_generation_by_week",
        "cost_by_difficulty",
        "cost_per_active_user_by_week",
        "spend_concentration",
        "cohort_cost_to_date",
        "most_valuable_users",
        "money_wasted_on_failures",
        "who_caused_the_costliest_hour",
    ],
    "People": [
        "active_users_by_day",
        "active_users_by_calendar_month",
        "new_and_returning_by_week",
        "week_1_retention",
        "retention_by_first_outcome",
        "retention_by_first_style",
        "from_first_try_to_regular",
        "time_to_second_generation",
        "light_and_heavy_users",
        "valuable_users_being_lost",
    ],
    "Failures and speed": [
        "failures_by_message_7_days",
        "errors_that_grew",
        "users_hit_by_rate_limits",
        "do_retries_help",
        "response_times_by_style_24_hours",
        "duration_percentiles_by_style",
        "slow_steps",
        "mean_time_to_resolve_by_rule",
        "incident_minutes_by_month",
    ],
}


def page(compiled: Path) -> str:
    """The page, of what dbt has compiled into this folder."""
    sql = {path.stem: path.read_text() for path in sorted(compiled.glob("*.sql"))}
    listed = [name for names in _SUBJECTS.values() for name in names]
    if set(sql) != set(listed) or len(listed) != len(set(listed)):
        raise SystemExit(f"tools/questions.py lists other analyses than there are: {sorted(set(sql) ^ set(listed))}")
    parts = [_HEAD]
    for subject, names in _SUBJECTS.items():
        parts.append(f"## {subject}\n")
        parts += [_question(name, sql[name]) for name in names]
    return "\n".join(parts)


def _question(name: str, sql: str) -> str:
    lines = sql.strip().splitlines()
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    text = " ".join(line.removeprefix("--").strip() for line in lines[:count])
    title, _, rest = text.partition("? ")
    # of "database"."schema"."table" a client needs the last two
    query = re.sub(r'"[^"]+"\."(\w+)"\."(\w+)"', r"\1.\2", "\n".join(lines[count:]))
    query = "\n".join(line.rstrip() for line in query.splitlines() if line.strip() or line == "")
    return f"### {title}?\n\n{_wrapped(rest)}\n\n`{name}`\n\n```sql\n{query.strip()}\n```\n"


def _wrapped(text: str) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= 118:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def compiled_in(folder: Path) -> Path:
    """Compile the analyses for DuckDB; both engines give the same but for the names of databases."""
    subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), "--quiet", "compile", "--select", "path:analyses"),
            *("--target", "local", "--target-path", str(folder)),
        ],
        cwd=ROOT,
        check=True,
    )
    return folder / "compiled" / "generation_warehouse" / "analyses"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(compiled_in(Path(folder))))


if __name__ == "__main__":
    main()
