"""The models: described, under contract, in their rooms."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from conventions import (
    LAYERS,
    PROJECT,
    SQL_FOLDERS,
    YAML_FOLDERS,
    Project,
    built_columns,
    complain,
    files,
    layer,
    short,
    without_comments,
    without_texts,
)
from project import ROOT
from warehouses import Warehouse

# The public contract: the marts, their grain, and their columns in order. People's queries depend on it: a name may be
# added here, and hardly ever changed. Marts with a time grain have is_complete besides, as their last column.
STYLE_MEASURES = """
    generation_count success_count failure_count success_rate active_users timed_success_count total_duration_ms
    avg_duration_ms p50_duration_ms p95_duration_ms p99_duration_ms costed_generation_count total_cost_usd avg_cost_usd
    failed_cost_usd cost_per_success_usd input_tokens output_tokens total_tokens
    costed_failure_count counted_input_generation_count counted_output_generation_count
"""
CONTRACT = {
    # mart: (grain, columns after the grain)
    "fct_generations": (
        "generation_id activity_date",
        """user_key job_id style difficulty is_success error_category error_signature duration_ms vision_cost_usd
        image_cost_usd storage_cost_usd unattributed_cost_usd total_cost_usd input_tokens output_tokens total_tokens
        created_at activity_hour vision_input_tokens vision_output_tokens image_input_tokens image_output_tokens
        scene_type photo_size_bytes model vision_ms image_ms storage_ms""",
    ),
    "dim_users": (
        "user_key",
        """first_generation_at last_generation_at active_days generation_count success_count total_cost_usd
        is_first_success favourite_style value_tier lifecycle_stage first_style""",
    ),
    "dim_styles": ("style", "display_name first_seen_date last_seen_date generation_count"),
    "warehouse_clock": (
        "as_of",
        """first_activity_date last_complete_date newest_generation_at built_at alerts_judged_from
        alerts_judged_to set_aside_row_count retention_lag_days""",
    ),
    "generation_log_issues": (
        "activity_date generation_id created_at issue disposition",
        "row_count user_key detail",
    ),
    "style_performance": ("activity_date style", STYLE_MEASURES),
    "style_difficulty_performance": ("activity_date style difficulty", STYLE_MEASURES),
    "scene_performance": ("activity_date scene_type", STYLE_MEASURES),
    "photo_size_performance": ("activity_date photo_size_band", STYLE_MEASURES),
    "wish_outcomes": (
        "activity_date style",
        "wish_count first_try_count fulfilled_count given_up_count attempt_count",
    ),
    "cost_by_difficulty": (
        "activity_date difficulty",
        """generation_count success_count success_costed_count success_cost_usd avg_success_cost_usd failed_cost_usd
        total_cost_usd cost_per_success_usd vision_cost_usd image_cost_usd storage_cost_usd unattributed_cost_usd
        input_tokens output_tokens total_tokens costed_failure_count counted_input_generation_count
        counted_output_generation_count""",
    ),
    "cost_by_user": (
        "activity_date user_key",
        """generation_count success_count total_cost_usd failed_cost_usd total_tokens costed_failure_count
        counted_input_generation_count counted_output_generation_count""",
    ),
    "hourly_costs": (
        "activity_hour",
        """generation_count total_cost_usd vision_cost_usd image_cost_usd storage_cost_usd unattributed_cost_usd
        failed_cost_usd previous_hour_cost_usd cost_change_ratio costed_failure_count costed_generation_count""",
    ),
    "hourly_engagement": (
        "activity_hour",
        "generation_count success_count failure_count active_users new_users total_cost_usd costed_generation_count",
    ),
    "daily_engagement": (
        "activity_date",
        """daily_active_users weekly_active_users monthly_active_users stickiness_ratio new_users weekly_new_users
        weekly_returning_users weekly_resurrected_users weekly_dormant_users generation_count
        generations_per_active_user has_older_users""",
    ),
    "user_retention": (
        "cohort_grain cohort_date period_number",
        "cohort_size retained_users retention_rate retained_on_or_after_users unbounded_retention_rate has_older_users",
    ),
    "response_times": (
        "activity_hour style",
        """timed_success_count total_duration_ms avg_duration_ms p50_duration_ms p95_duration_ms p99_duration_ms
        max_duration_ms""",
    ),
    "step_times": ("activity_hour step", "timed_count total_ms avg_ms p50_ms p95_ms p99_ms max_ms"),
    "error_analysis": (
        "activity_date error_category error_signature",
        """error_count affected_users timed_failure_count total_failure_duration_ms avg_failure_duration_ms
        failed_cost_usd is_retryable first_seen_at last_seen_at costed_failure_count""",
    ),
    "service_health": (
        "window_start",
        """generation_count failure_count failure_rate timed_success_count p95_duration_ms rate_limit_error_count
        total_cost_usd""",
    ),
    "duration_histogram": (
        "activity_date style difficulty is_success bucket",
        "generation_count bucket_estimate_ms",
    ),
    "alert_evaluations": (
        "rule_name window_end",
        """severity observed_value threshold sample_size outcome evaluated_at metric comparison window_minutes
        minimum_sample fire_after_windows resolve_after_windows evidence witness_count affected_witness_count
        minimum_evidence""",
    ),
    "incidents": (
        "incident_key",
        """rule_name severity metric threshold comparison first_firing_at opened_at last_firing_at resolved_at
        resolution duration_minutes worst_value affected_generation_count affected_users lost_cost_usd
        affected_failure_count costed_failure_count reopened_count explanation""",
    ),
    "alert_notifications": (
        "notification_id",
        """incident_key event reminder_number target status attempt_count last_error recorded_at claimed_until
        sent_at""",
    ),
}
# What people outside read: promised as the marts are. Only weeks that are over are in it, so none is incomplete.
SHARED = {
    "weekly_generations": (
        "activity_week style difficulty",
        "active_users generation_count total_cost_usd published_at",
    ),
    "weekly_retention": (
        "cohort_week activity_week",
        "period_number cohort_size retained_users retention_rate has_older_users published_at",
    ),
}
# A grain that holds one of these stands for a span of time that is complete some day.
TIME_GRAINS = {"activity_date", "activity_hour", "window_start", "window_end", "cohort_date"}


def test_dbt_parses_without_a_warning(project: Project) -> None:
    result = project.parse("--warn-error")
    assert result.success, (
        f"dbt warns, and CI takes a warning for an error. Mend what it names; `make parse` shows it: {result.exception}"
    )


def test_everything_is_described(project: Project) -> None:
    sources = list(project.manifest.sources.values())
    seeds = [node for node in project.manifest.nodes.values() if node.resource_type == "seed"]
    findings = []
    for node in [*project.models, *sources, *seeds]:
        if not node.description.strip():
            findings.append(f"{node.unique_id} has no description ({node.original_file_path})")
        if not node.columns:
            findings.append(f"{node.unique_id} lists no columns ({node.original_file_path})")
        for column in node.columns.values():
            if not column.description.strip():
                findings.append(f"{node.unique_id}: column {column.name} has no description")
    for source in sources:
        if not source.source_description.strip():
            findings.append(f"the source {source.source_name} has no description")
    complain(findings, "Write `description:` in the YAML beside it, and list every column under `columns:`.")


def test_every_column_of_a_mart_is_in_the_definitions() -> None:
    findings = []
    for path in files(("models/marts", "models/share", "models/alerts"), ".yml"):
        for model in yaml.safe_load(path.read_text())["models"]:
            if model["name"] in CONTRACT | SHARED:
                findings += [
                    f"{model['name']}.{column['name']}"
                    for column in model["columns"]
                    if not re.fullmatch(r"\{\{ doc\('\w+'\) \}\}( .*)?", column["description"].strip())
                ]
    complain(findings, "Put the text into docs/definitions.md: people look a column up there.")


def test_every_built_column_is_described_and_no_other(project: Project, built: Warehouse) -> None:
    seeds = [node for node in project.manifest.nodes.values() if node.resource_type == "seed"]
    findings = []
    for node in [*project.built, *seeds]:
        columns = built.columns(built.schema_of(node.alias), node.alias)
        listed = {*node.columns, *_passed_on(project, node)}
        findings += [f"{node.name}.{name} is not listed" for name in columns if name not in listed]
        findings += [f"{node.name}.{name} does not exist" for name in node.columns if name not in columns]
    complain(
        findings,
        "List under `columns:` in the YAML beside the model just the columns that it has, described. What only the run "
        "itself reads (intermediate/this_run) lists what it adds.",
    )


def _passed_on(project: Project, node: Any) -> set[str]:
    """The columns that a table of this run has from what it reads."""
    if "this_run" not in node.original_file_path:
        return set()
    parents = [model for model in project.models if model.unique_id in node.depends_on.nodes]
    return {name for parent in parents for name in {*parent.columns, *_passed_on(project, parent)}}


def test_every_mart_is_under_contract(project: Project) -> None:
    marts = [*project.marts, *project.shared]
    complain(
        [f"{mart.name}: the contract is not enforced" for mart in marts if not mart.config.contract.enforced]
        + [
            f"{mart.name}: column {column.name} has no data_type"
            for mart in marts
            for column in mart.columns.values()
            if not column.data_type
        ],
        "A mart has `contract: {enforced: true}` (dbt_project.yml sets it; do not turn it off) and a type per column.",
    )


def test_the_clock_is_written_when_every_other_mart_has_been(project: Project) -> None:
    """A mart that fails leaves it as it was. The incidents and their messages are made by runs of their own."""
    clock = next(model for model in project.models if model.name == "warehouse_clock")
    waits_for, found = set(), list(clock.depends_on.nodes)
    while found:
        node = project.manifest.nodes.get(found.pop())
        if node and node.name not in waits_for:
            waits_for.add(node.name)
            found += getattr(node.depends_on, "nodes", [])
    missing = set(CONTRACT) - waits_for - {"warehouse_clock", "incidents", "alert_notifications"}
    complain(sorted(missing), "Name the mart in a depends_on of warehouse_clock.")


def test_every_mart_has_its_grain_tested(project: Project) -> None:
    complain(
        [
            f"{mart.name}: {len(project.grains(mart))} tests"
            for mart in [*project.marts, *project.shared]
            if len(project.grains(mart)) != 1
        ],
        "A mart has one test `is_grain` with the columns of its grain under `data_tests:` in its YAML.",
    )


def test_every_mart_with_a_time_grain_says_whether_its_span_is_complete(project: Project) -> None:
    complain(
        [
            mart.name
            for mart in project.marts
            if any(TIME_GRAINS.intersection(grain) for grain in project.grains(mart))
            and list(mart.columns)[-1:] != ["is_complete"]
        ],
        "A mart with a time grain ends with the column `is_complete`; the macro is_complete() makes it.",
    )


def test_the_marts_are_those_of_the_public_contract(project: Project) -> None:
    promised, found = set(CONTRACT), {mart.name for mart in project.marts}
    complain(
        [f"{name} is missing" for name in sorted(promised - found)]
        + [f"{name} is not in the contract" for name in sorted(found - promised)],
        "Marts are promises. Restore what is missing; enter a new mart in CONTRACT in this file and in the README.",
    )


@pytest.mark.parametrize("name", CONTRACT)
def test_a_mart_keeps_its_public_contract(project: Project, name: str) -> None:
    grain, columns = CONTRACT[name]
    mart = next((mart for mart in project.marts if mart.name == name), None)
    assert mart, f"The mart {name} is gone: people query it. Restore it."
    assert project.grains(mart) == [grain.split()], f"The grain of {name} is promised: test `is_grain` on it."
    promised = grain.split() + columns.split()
    if TIME_GRAINS.intersection(grain.split()):
        promised.append("is_complete")
    assert list(mart.columns) == promised, (
        f"The columns of {name}, in order, are promised. Put the YAML and the SQL right; a column that is added on "
        "purpose goes before is_complete, here as well."
    )


def test_what_is_shared_is_what_was_promised(project: Project) -> None:
    found = {
        model.name: ([" ".join(grain) for grain in project.grains(model)], list(model.columns))
        for model in project.shared
    }
    promised = {name: ([grain], [*grain.split(), *columns.split()]) for name, (grain, columns) in SHARED.items()}
    assert found == promised, "People outside rely on models/share/: restore it, or enter what is new in SHARED here."


def test_what_is_shared_is_published_once_and_tells_of_nobody(project: Project) -> None:
    findings = []
    for model in project.shared:
        config = model.config
        if config.incremental_strategy != "append" or config.full_refresh is not False:
            findings.append(f"{model.name} is published more than once: append, full_refresh: false")
        if "daily" not in model.tags:
            findings.append(f"{model.name} is built by hourly runs: it has no tag daily")
        findings += [
            f"{model.name}.{column.name} may tell of one user"
            for column in model.columns.values()
            if column.data_type == "uuid" or re.search(r"(^|_)(key|id)$|signature", column.name)
        ]
    complain(findings, "docs/conventions.md says what may be shared, and how.")


def test_only_staging_reads_the_log(project: Project) -> None:
    nodes = [node for node in project.manifest.nodes.values() if node.resource_type in ("model", "analysis")]
    complain(
        [
            f"{node.original_file_path} reads {parent}"
            for node in nodes
            if not node.original_file_path.startswith("models/staging/")
            for parent in node.depends_on.nodes
            if parent.startswith("source.")
        ],
        "Staging is the only place that knows the log. Read a mart, an intermediate model, or stg_generation_logs.",
    )


def test_marts_read_what_is_deduplicated(project: Project) -> None:
    staging = {model.unique_id for model in project.models if layer(model) == "staging"}
    complain(
        [
            f"{mart.original_file_path} reads {parent}"
            for mart in [*project.marts, *project.shared]
            for parent in mart.depends_on.nodes
            if parent in staging or parent.startswith("source.")
        ],
        "A mart reads other marts and intermediate models, where repeats are sorted out, never staging or the source.",
    )


def test_no_raw_user_id_passes_staging(project: Project, built: Warehouse) -> None:
    findings = [
        f"{model.name} has a column user_id"
        for model in project.built
        if "user_id" in {*model.columns, *built_columns(built, model)}
    ]
    findings += [
        f"{model.original_file_path} mentions user_id"
        for model in project.models
        if layer(model) != "staging" and re.search(r"\buser_id\b", without_texts(without_comments(model.raw_code)))
    ]
    complain(findings, "Only staging sees user_id, and only user_key leaves it.")
    staging = next(model for model in project.models if model.name == "stg_generation_logs")
    assert "user_key" in staging.columns, "stg_generation_logs is to give each row its user_key."


ASKING = re.compile(r"\btarget\s*(\.\s*(type|name|profile_name)\b|\[|\.get\b)|\badapter\s*\.\s*type\b|\bdbt_version\b")
ENGINE = re.compile(r"duckdb|postgres|spark", re.IGNORECASE)


def test_nothing_asks_which_engine_it_is_on() -> None:
    paths = [*files(SQL_FOLDERS, ".sql"), *files(YAML_FOLDERS, ".yml", ".yaml"), ROOT / "dbt_project.yml"]
    complain(
        [
            f"{short(path)}:{number}: {line.strip()}"
            for path in paths
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1)
            if ASKING.search(line)
        ],
        "Engine differences are dispatched: adapter.dispatch('name')() in a macro, with duckdb__name, postgres__name.",
    )


def test_models_name_no_engine() -> None:
    complain(
        [
            f"{short(path)}:{number}: {line.strip()}"
            for path in files(("models", "analyses"), ".sql")
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1)
            if ENGINE.search(line) or "adapter.dispatch" in line
        ],
        "A model is the same on every engine. Put what differs into a dispatched macro.",
    )


def test_every_model_has_its_yaml_beside_it(project: Project) -> None:
    findings = []
    for model in project.models:
        path = Path(model.original_file_path)
        if path.parts[1] not in LAYERS:
            findings.append(f"{path}: models stand in {', '.join(LAYERS)}")
        if not (model.patch_path or "").endswith(str(path.with_suffix(".yml"))):
            findings.append(f"{path} is not described in {path.with_suffix('.yml')}")
    for path in files(("models",), ".yml", ".yaml"):
        described = [each["name"] for each in yaml.safe_load(path.read_text()).get("models", [])]
        if described not in ([], [path.stem]):
            findings.append(f"{short(path)} describes {', '.join(described)}")
    complain(findings, "One model, two files side by side under its name: name.sql and name.yml.")


def test_lines_are_indented_by_steps_of_four() -> None:
    complain(
        [
            f"{short(path)}:{number}: {line.strip()}"
            for path in files(("models", "analyses"), ".sql")
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if line.strip() and ("\t" in line or (len(line) - len(line.lstrip())) % 4)
        ],
        "Indent SQL by four spaces, without tabs.",
    )


def test_every_macro_file_defines_macros() -> None:
    opening = re.compile(r"\{%-?\s*(macro|test|materialization)\s")
    complain(
        [
            short(path)
            for path in [*files(("macros",), ".sql"), *(ROOT / "data-tests" / "generic").glob("*.sql")]
            if not opening.search(without_comments(path.read_text()))
        ],
        "A file in macros/ or data-tests/generic/ defines at least one macro or test. Remove it, or write it.",
    )


def test_every_macro_is_used(project: Project) -> None:
    macros = project.manifest.macros.values()
    of_dbt = {macro.name for macro in macros if macro.package_name != PROJECT}
    own = [macro for macro in macros if macro.package_name == PROJECT]
    paths = [*files(SQL_FOLDERS, ".sql"), *files(YAML_FOLDERS, ".yml", ".yaml"), *files(("docs",), ".md")]
    paths += [ROOT / name for name in ("dbt_project.yml", "Makefile", "README.md") if (ROOT / name).exists()]
    text = "\n".join(without_comments(path.read_text()) for path in paths)
    # where a macro is defined, it is not yet used
    text = re.sub(r"\{%-?\s*(macro|test|materialization)\s+\w+", "", text)

    def is_used(name: str) -> bool:
        generic = name.removeprefix("test_") if name.startswith("test_") else None
        strategy = re.fullmatch(r"get_incremental_(\w+)_sql", name)
        implementation = re.fullmatch(r"[a-z]+__(\w+)", name)
        if implementation:
            return implementation[1] in of_dbt or f"dispatch('{implementation[1]}'" in text
        if generic:
            return re.search(rf"^\s*-\s+{generic}\b", text, re.MULTILINE) is not None
        if strategy:
            return re.search(rf"incremental_strategy\s*[:=]\s*['\"]?{strategy[1]}\b", text) is not None
        materialization = re.fullmatch(r"materialization_([a-z]+)_[a-z]+", name)
        if materialization:
            is_of_a_kind = materialization[1] == "seed"
            return is_of_a_kind or re.search(rf"materialized\s*[:=]\s*['\"]?{materialization[1]}\b", text) is not None
        called = re.search(rf"\b{name}\s*\(|\brun-operation\s+{name}\b", text)
        return name in of_dbt or called is not None

    complain(
        [f"{macro.name} ({macro.original_file_path})" for macro in own if not is_used(macro.name)],
        "Nothing calls these macros: remove them. One for `dbt run-operation` is to stand in the Makefile or the docs.",
    )
