"""The project's conventions, checked on what dbt makes of the project and on the files themselves.

Each failure says which file breaks which convention and how to mend it.
"""

import copy
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.jsonschemas import jsonschemas

from warehouses import ROOT, Warehouse

PROJECT = "generation_warehouse"
LAYERS = ("staging", "intermediate", "marts", "alerts", "state")
SQL_FOLDERS = ("models", "macros", "analyses", "data-tests")
YAML_FOLDERS = ("models", "macros", "analyses", "seeds", "data-tests")

# The public contract: the marts, their grain, and their columns in order. People's queries depend on it: a name may be
# added here, and hardly ever changed. Marts with a time grain have is_complete besides, as their last column.
STYLE_MEASURES = """
    generation_count success_count failure_count success_rate active_users timed_success_count total_duration_ms
    avg_duration_ms p50_duration_ms p95_duration_ms p99_duration_ms costed_generation_count total_cost_usd avg_cost_usd
    failed_cost_usd cost_per_success_usd input_tokens output_tokens total_tokens
"""
CONTRACT = {
    # mart: (folder, grain, columns after the grain)
    "fct_generations": (
        "core",
        "generation_id activity_date",
        """user_key job_id style difficulty is_success error_category error_signature duration_ms vision_cost_usd
        image_cost_usd storage_cost_usd unattributed_cost_usd total_cost_usd input_tokens output_tokens total_tokens
        created_at activity_hour""",
    ),
    "dim_users": (
        "core",
        "user_key",
        """first_generation_at last_generation_at active_days generation_count success_count total_cost_usd
        is_first_success favourite_style value_tier lifecycle_stage""",
    ),
    "generation_log_issues": (
        "core",
        "activity_date generation_id created_at issue disposition",
        "row_count user_key detail",
    ),
    "style_performance": ("product", "activity_date style", STYLE_MEASURES),
    "style_difficulty_performance": ("product", "activity_date style difficulty", STYLE_MEASURES),
    "cost_by_difficulty": (
        "cost",
        "activity_date difficulty",
        """generation_count success_count success_costed_count success_cost_usd avg_success_cost_usd failed_cost_usd
        total_cost_usd cost_per_success_usd vision_cost_usd image_cost_usd storage_cost_usd unattributed_cost_usd
        input_tokens output_tokens total_tokens""",
    ),
    "cost_by_user": (
        "cost",
        "activity_date user_key",
        "generation_count success_count total_cost_usd failed_cost_usd total_tokens",
    ),
    "hourly_costs": (
        "cost",
        "activity_hour",
        """generation_count total_cost_usd vision_cost_usd image_cost_usd storage_cost_usd unattributed_cost_usd
        failed_cost_usd previous_hour_cost_usd cost_change_ratio""",
    ),
    "hourly_engagement": (
        "engagement",
        "activity_hour",
        "generation_count success_count failure_count active_users new_users total_cost_usd",
    ),
    "daily_engagement": (
        "engagement",
        "activity_date",
        """daily_active_users weekly_active_users monthly_active_users stickiness_ratio new_users weekly_new_users
        weekly_returning_users weekly_resurrected_users weekly_dormant_users generation_count
        generations_per_active_user""",
    ),
    "user_retention": (
        "engagement",
        "cohort_grain cohort_date period_number",
        "cohort_size retained_users retention_rate retained_on_or_after_users unbounded_retention_rate",
    ),
    "response_times": (
        "reliability",
        "activity_hour style",
        """timed_success_count total_duration_ms avg_duration_ms p50_duration_ms p95_duration_ms p99_duration_ms
        max_duration_ms""",
    ),
    "error_analysis": (
        "reliability",
        "activity_date error_category error_signature",
        """error_count affected_users timed_failure_count total_failure_duration_ms avg_failure_duration_ms
        failed_cost_usd is_retryable first_seen_at last_seen_at""",
    ),
    "service_health": (
        "reliability",
        "window_start",
        """generation_count failure_count failure_rate timed_success_count p95_duration_ms rate_limit_error_count
        total_cost_usd""",
    ),
    "duration_histogram": (
        "reliability",
        "activity_date style difficulty is_success bucket",
        "generation_count bucket_estimate_ms",
    ),
    "alert_evaluations": (
        "reliability",
        "rule_name window_end",
        """severity observed_value threshold sample_size outcome evaluated_at metric comparison window_minutes
        minimum_sample fire_after_windows resolve_after_windows""",
    ),
    "incidents": (
        "reliability",
        "incident_key",
        """rule_name severity metric threshold comparison first_firing_at opened_at last_firing_at resolved_at
        resolution duration_minutes worst_value affected_generation_count affected_users lost_cost_usd""",
    ),
}
# A grain that holds one of these stands for a span of time that is complete some day.
TIME_GRAINS = {"activity_date", "activity_hour", "window_start", "window_end", "cohort_date"}

# What a column's name says about its type. The first pattern that fits decides.
TYPE_OF_NAME = (
    (r"^(generation_id|user_key)$", "uuid"),
    (r"^(avg|p\d\d)_|_(rate|ratio)$|^cost_per_|_estimate_ms$", "double precision"),
    (r"_(at|hour)$|^window_(start|end)$", "timestamp"),
    (r"_(date|week)$", "date"),
    (r"^(is|has)_", "boolean"),
    (r"_usd$", "numeric(18, 6)"),
    (r"_(count|users|tokens|ms)$", "bigint"),
)
# The names by which information_schema calls them on DuckDB.
DUCKDB_TYPES = {"double": "double precision", "decimal(18,6)": "numeric(18, 6)"}


# The project, as dbt and git see it


class Project:
    """The project as dbt parses it, from scratch, with the example profile."""

    def __init__(self, folder: Path) -> None:
        """Parse it, and write only below `folder`."""
        (folder / "profiles.yml").write_bytes((ROOT / "profiles.example.yml").read_bytes())
        self.folder = folder
        result = self.parse()
        assert result.success, f"dbt cannot parse the project: {result.exception}"
        self.manifest: Manifest = result.result
        nodes = [node for node in self.manifest.nodes.values() if node.package_name == PROJECT]
        self.models = sorted((node for node in nodes if node.resource_type == "model"), key=lambda node: node.name)
        self.tests = [node for node in nodes if node.resource_type == "test"]
        self.marts = [model for model in self.models if model.config.schema == "marts"]

    def parse(self, *flags: str) -> Any:
        """What dbt says about the project."""
        with pytest.MonkeyPatch.context() as patch:
            for name in list(os.environ):
                if name.startswith(("DBT_", "GENERATION_LOGS", "PG", "WAREHOUSE_")):
                    patch.delenv(name)
            patch.setenv("WAREHOUSE_DUCKDB", ":memory:")
            try:
                return dbtRunner().invoke(
                    [
                        *("--quiet", "--log-level-file", "none", *flags),
                        *("parse", "--no-partial-parse", "--target", "local"),
                        *("--project-dir", str(ROOT), "--profiles-dir", str(self.folder)),
                        *("--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")),
                    ]
                )
            finally:
                reset_adapters()

    def tests_of(self, model: Any, kind: str) -> list[Any]:
        """The generic tests of one kind that a model has."""
        return [
            test
            for test in self.tests
            if getattr(test, "test_metadata", None)
            and test.test_metadata.name == kind
            and test.attached_node == model.unique_id
        ]

    def grains(self, model: Any) -> list[list[str]]:
        """The columns of each test of the model's grain."""
        return [test.test_metadata.kwargs.get("columns") for test in self.tests_of(model, "is_grain")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, parsed once."""
    return Project(tmp_path_factory.mktemp("conventions"))


@pytest.fixture(scope="module")
def built(module_warehouse: Callable[..., Warehouse]) -> Warehouse:
    """A warehouse of an empty log: all relations with all of their columns."""
    warehouse = module_warehouse("duckdb")
    warehouse.load([])
    warehouse.run(selector="full")
    return warehouse


def layer(model: Any) -> str:
    """The folder below models/ that a model stands in."""
    return Path(model.original_file_path).parts[1]


def files(folders: Iterable[str], *endings: str) -> Iterator[Path]:
    """The files in some of the project's folders, by the ends of their names."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in endings:
                yield path


def short(path: Path) -> str:
    """A file's name for messages."""
    return str(path.relative_to(ROOT))


def without_comments(text: str) -> str:
    """SQL, Jinja or YAML without its comments, line for line."""
    text = re.sub(r"\{#.*?#\}", lambda comment: "\n" * comment[0].count("\n"), text, flags=re.DOTALL)
    return re.sub(r"(^|\s)(--|#\s).*$", "", text, flags=re.MULTILINE)


def without_texts(sql: str) -> str:
    """SQL without what its literals say."""
    return re.sub(r"'[^'\n]*'", "''", sql)


def tracked_files() -> list[Path]:
    """The files that git knows."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def tracked_texts() -> Iterator[tuple[Path, str]]:
    """Those of them that hold text."""
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


def complain(findings: Iterable[str], mend: str) -> None:
    """Fail where there are findings, and say how to mend them."""
    listed = "\n  ".join(findings)
    assert not listed, f"{mend}\n  {listed}"


# Parsing


def test_dbt_parses_without_a_warning(project: Project) -> None:
    result = project.parse("--warn-error")
    assert result.success, (
        f"dbt warns, and CI takes a warning for an error. Mend what it names; `make parse` shows it: {result.exception}"
    )


# Descriptions


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


def test_every_built_column_is_described_and_no_other(project: Project, built: Warehouse) -> None:
    seeds = [node for node in project.manifest.nodes.values() if node.resource_type == "seed"]
    findings = []
    for node in [*project.models, *seeds]:
        columns = built.columns(built.schema_of(node.alias), node.alias)
        findings += [f"{node.name}.{name} is not listed" for name in columns if name not in node.columns]
        findings += [f"{node.name}.{name} does not exist" for name in node.columns if name not in columns]
    complain(findings, "List under `columns:` in the YAML beside the model just the columns that it has, described.")


# Marts


def test_every_mart_is_under_contract(project: Project) -> None:
    complain(
        [f"{mart.name}: the contract is not enforced" for mart in project.marts if not mart.config.contract.enforced]
        + [
            f"{mart.name}: column {column.name} has no data_type"
            for mart in project.marts
            for column in mart.columns.values()
            if not column.data_type
        ],
        "A mart has `contract: {enforced: true}` (dbt_project.yml sets it; do not turn it off) and a type per column.",
    )


def test_every_mart_has_its_grain_tested(project: Project) -> None:
    complain(
        [f"{mart.name}: {len(project.grains(mart))} tests" for mart in project.marts if len(project.grains(mart)) != 1],
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
    promised = {f"models/marts/{folder}/{name}.sql" for name, (folder, _, _) in CONTRACT.items()}
    found = {mart.original_file_path for mart in project.marts}
    complain(
        [f"{path} is missing" for path in sorted(promised - found)]
        + [f"{path} is not in the contract" for path in sorted(found - promised)],
        "Marts are promises. Restore what is missing; enter a new mart in CONTRACT in this file and in the README.",
    )


@pytest.mark.parametrize("name", CONTRACT)
def test_a_mart_keeps_its_public_contract(project: Project, name: str) -> None:
    _, grain, columns = CONTRACT[name]
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


# Lineage


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
            for mart in project.marts
            for parent in mart.depends_on.nodes
            if parent in staging or parent.startswith("source.")
        ],
        "A mart reads other marts and intermediate models, where repeats are sorted out, never staging or the source.",
    )


# No raw user id past staging


def test_no_raw_user_id_passes_staging(project: Project, built: Warehouse) -> None:
    findings = [
        f"{model.name} has a column user_id"
        for model in project.models
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


def built_columns(built: Warehouse, model: Any) -> list[str]:
    """The columns that a model's relation has in the database."""
    return built.columns(built.schema_of(model.alias), model.alias)


# Names and types


def promised_type(name: str) -> str | None:
    """The type that a column's name promises, if it promises one."""
    return next((type_ for pattern, type_ in TYPE_OF_NAME if re.search(pattern, name)), None)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("generation_id", "uuid"),
        ("created_at", "timestamp"),
        ("activity_hour", "timestamp"),
        ("cohort_date", "date"),
        ("is_complete", "boolean"),
        ("max_duration_ms", "bigint"),
        ("p95_duration_ms", "double precision"),
        ("avg_cost_usd", "double precision"),
        ("cost_per_success_usd", "double precision"),
        ("previous_hour_cost_usd", "numeric(18, 6)"),
        ("unbounded_retention_rate", "double precision"),
        ("monthly_active_users", "bigint"),
        ("generations_per_active_user", None),
    ],
)
def test_a_name_promises_a_type(name: str, type_: str | None) -> None:
    assert promised_type(name) == type_


def test_columns_are_of_the_type_that_their_name_promises(project: Project) -> None:
    complain(
        [
            f"{model.name}.{column.name} is {column.data_type}, its name says {promised_type(column.name)}"
            for model in project.models
            for column in model.columns.values()
            if column.data_type and promised_type(column.name) not in (None, column.data_type)
        ],
        "A name carries its unit. Change the type in the YAML and cast in the SQL, or choose another name.",
    )


def test_built_columns_are_of_the_type_that_their_name_promises(project: Project, built: Warehouse) -> None:
    findings = []
    for model in project.models:
        types = built.query(
            "select column_name, lower(data_type) from information_schema.columns "
            f"where table_schema = '{built.schema_of(model.alias)}' and table_name = '{model.alias}'"
        )
        for name, type_ in types:
            found = DUCKDB_TYPES.get(type_, type_)
            if promised_type(name) not in (None, found):
                findings.append(f"{model.name}.{name} is {found}, its name says {promised_type(name)}")
    complain(findings, "A name carries its unit. Cast the column in the SQL, or choose another name.")


def test_booleans_are_never_null(project: Project) -> None:
    findings = []
    for mart in project.marts:
        tested = {test.column_name for test in project.tests_of(mart, "not_null")}
        for column in mart.columns.values():
            if column.data_type != "boolean":
                continue
            if not re.match("(is|has)_", column.name):
                findings.append(f"{mart.name}.{column.name}: a boolean is named is_* or has_*")
            # A constraint keeps a null out; a view can have none, so there a test looks for it.
            is_view = mart.config.materialized == "view"
            if is_view and column.name not in tested:
                findings.append(f"{mart.name}.{column.name}: no test not_null")
            if not is_view and "not_null" not in {constraint.type for constraint in column.constraints}:
                findings.append(f"{mart.name}.{column.name}: no constraint not_null")
    complain(findings, "Coalesce it in the SQL; in the YAML give it the constraint `not_null`, in a view the test.")


# Engines


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


# Files


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
            return re.search(rf"materialized\s*[:=]\s*['\"]?{materialization[1]}\b", text) is not None
        called = re.search(rf"\b{name}\s*\(|\brun-operation\s+{name}\b", text)
        return name in of_dbt or called is not None

    complain(
        [f"{macro.name} ({macro.original_file_path})" for macro in own if not is_used(macro.name)],
        "Nothing calls these macros: remove them. One for `dbt run-operation` is to stand in the Makefile or the docs.",
    )


# YAML


def yaml_errors(schema: dict, content: object, path: str) -> list[str]:
    """What dbt's own schema has against a YAML file. The project's own incremental strategies are allowed."""
    macros = "".join(file.read_text() for file in files(("macros",), ".sql"))
    strategies = set(re.findall(r"macro get_incremental_(\w+)_sql", macros))

    def known(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: "append" if key.endswith("incremental_strategy") and each in strategies else known(each)
                for key, each in value.items()
            }
        return [known(each) for each in value] if isinstance(value, list) else value

    def innermost(error: Any) -> Any:
        # of the alternatives that a schema offers, the one that got furthest is the one that was meant
        while error.context:
            error = max(error.context, key=lambda each: (len(each.absolute_path), each.validator != "type"))
        return error

    validator = jsonschemas.CustomDraft7Validator(schema)
    found = []
    for error in map(innermost, validator.iter_errors(known(content))):
        place = ".".join(str(part) for part in error.absolute_path)
        found.append(f"{path}: {place}: {error.message[:200]}")
    return found


def test_yaml_is_valid() -> None:
    findings = []
    for path in files(YAML_FOLDERS, ".yml", ".yaml"):
        findings += yaml_errors(jsonschemas.resources_schema(), yaml.safe_load(path.read_text()), short(path))
    content = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    findings += yaml_errors(jsonschemas.project_schema(), content, "dbt_project.yml")
    complain(findings, "dbt passes over a key that it does not know. Mend its spelling or its place.")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param([], id="the file"),
        pytest.param(["models", 0], id="a model"),
        pytest.param(["models", 0, "config"], id="its config"),
        pytest.param(["models", 0, "columns", 0], id="a column"),
        pytest.param(["models", 0, "data_tests", 0, "is_grain"], id="a test"),
    ],
)
def test_a_misspelt_key_is_caught(place: list[str | int]) -> None:
    content = yaml.safe_load((ROOT / "models/marts/core/dim_users.yml").read_text())
    schema = jsonschemas.resources_schema()
    assert not yaml_errors(schema, content, "dim_users.yml")
    misspelt = copy.deepcopy(content)
    inner = misspelt
    for step in place:
        inner = inner[step]
    inner["descripton"] = "a word without its i"
    assert any("descripton" in error for error in yaml_errors(schema, misspelt, "dim_users.yml"))


def test_a_misspelt_setting_of_the_project_is_caught() -> None:
    content = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    content["seed-pahts"] = content.pop("seed-paths")
    assert any("seed-pahts" in error for error in yaml_errors(jsonschemas.project_schema(), content, "dbt_project.yml"))


# What is in the repository


def test_the_example_profile_holds_no_secret() -> None:
    findings = []

    def look(value: object, place: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                look(each, f"{place}.{key}")
        elif isinstance(value, list):
            for each in value:
                look(each, place)
        elif re.search("pass|secret|token|private|(^|_)key", place.rsplit(".", 1)[-1]) and not re.fullmatch(
            r"\{\{ *env_var\('\w+'(, *'')?\) *\}\}", str(value)
        ):
            findings.append(place)

    look(yaml.safe_load((ROOT / "profiles.example.yml").read_text()), "profiles.example.yml")
    complain(findings, "A secret comes from the environment only: \"{{ env_var('PGPASSWORD', '') }}\".")


def test_no_file_is_large() -> None:
    complain(
        [f"{short(path)}: {path.stat().st_size:,} bytes" for path in tracked_files() if path.stat().st_size > 2**20],
        "A file in git is at most 1 MB. Make a smaller one, or have it made by a command.",
    )


def test_no_file_names_a_place_on_somebody_s_machine() -> None:
    place = re.compile(r"(?<![\w.:/<>})$-])(/(home|Users|mnt|opt|work|workspace)/\w|/(root)\b)|[A-Z]:\\\\?Users\b")
    complain(
        [
            f"{short(path)}:{number}: {line.strip()[:100]}"
            for path, text in tracked_texts()
            for number, line in enumerate(text.splitlines(), 1)
            if place.search(line)
        ],
        "Name files relative to the repository.",
    )


def test_no_file_names_a_package_index() -> None:
    option = re.compile(
        r"(--(extra-)?index-url|--find-links|--trusted-host)[ =]\S|https?://\S+/simple\b|files\.python" r"hosted"
    )
    findings = [
        f"{short(path)}:{number}: {line.strip()[:100]}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if option.search(line) or (path.suffix == ".lock" and "://" in line)
    ]
    complain(findings, "Each machine installs from its own index; `make lock` writes locks that name none.")


def test_locks_pin_every_package_with_hashes() -> None:
    locks = {}
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"^(?=\S)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        unpinned = [entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=" not in entry]
        complain(unpinned, f"{name} pins every package to a version with hashes: run `make lock`.")
        locks[name] = {entry.split("\\")[0].strip() for entry in entries}
    complain(
        sorted(locks["requirements.lock"] - locks["requirements-dev.lock"]),
        "Both locks pin the same versions, since both are installed in one environment: run `make lock`.",
    )
