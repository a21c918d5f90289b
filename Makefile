# `make` lists the targets. Needs GNU make, git and Python 3.11 or newer; everything else is installed into .venv from
# lock files with hashes. GENERATION_LOGS (the log) and WAREHOUSE_TARGET (local or prod) come from the environment.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
# What the checks write stays apart from what builds write, and they need neither a log nor a database.
CHECKS := target/checks
CHECK_ENV := DBT_PROFILES_DIR=$(CHECKS) DBT_LOG_PATH=$(CHECKS)/logs DBT_SEND_ANONYMOUS_USAGE_STATS=false \
	WAREHOUSE_TARGET=local WAREHOUSE_DUCKDB=:memory:

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: .venv/runtime.stamp profiles.yml ## Build the warehouse from the log (GENERATION_LOGS, else the sample) and sum it up (BUILD_ARGS)
	@$(BIN)/python -m warehouse build -- $(BUILD_ARGS)
	@$(BIN)/python -m warehouse summary
	@$(BIN)/python -m warehouse report

.PHONY: report
report: .venv/runtime.stamp profiles.yml ## Make one page with your numbers: build/report.html (REPORT_ARGS=--help)
	@$(BIN)/python -m warehouse report $(REPORT_ARGS)

.PHONY: publish
publish: .venv/runtime.stamp profiles.yml ## DuckDB: copy the marts into a second file for BI readers (PUBLISH_ARGS=--help)
	@$(BIN)/python -m warehouse publish $(PUBLISH_ARGS)

.PHONY: share
share: .venv/runtime.stamp profiles.yml ## DuckDB: copy what people outside may see into a file for them (SHARE_ARGS=--help)
	@$(BIN)/python -m warehouse share $(SHARE_ARGS)

.PHONY: sql
sql: .venv/runtime.stamp profiles.yml ## Ask the warehouse a question: make sql Q="select * from warehouse_clock" (or ./sql "…")
	@$(BIN)/python -m warehouse sql "$(or $(Q),$(error Say what to ask: make sql Q="select * from warehouse_clock"))"

.PHONY: alerts
alerts: .venv/runtime.stamp profiles.yml ## Judge the alert rules, say what fires, and tell ALERT_URLS of it (ALERT_ARGS=--help)
	@$(BIN)/python -m warehouse alerts $(ALERT_ARGS) || [ $$? -eq 1 ]

.PHONY: backup
backup: .venv/runtime.stamp profiles.yml ## Copy the file of DuckDB into backups/, and check the copy (BACKUP_ARGS=--help)
	@$(BIN)/python -m warehouse backup $(BACKUP_ARGS)

.PHONY: move
move: .venv/runtime.stamp profiles.yml ## Take the history from DuckDB to PostgreSQL (TO=prod)
	@$(BIN)/python -m warehouse move --to $(or $(TO),prod)

.PHONY: erase
erase: .venv/runtime.stamp profiles.yml ## Erase users, and certify it: make erase < ids (ERASE_ARGS=--help; docs/privacy.md)
	@$(BIN)/python -m warehouse erase $(ERASE_ARGS)

.PHONY: compact
compact: .venv/runtime.stamp profiles.yml ## Write the database again without what was deleted (COMPACT_ARGS=--help)
	@$(BIN)/python -m warehouse compact $(COMPACT_ARGS)

# Your own warehouse is replayed where the environment names its log or its database; else a simulated one, which is
# built once and stays. With --sizes it is simulated ones of several sizes, which the command builds itself.
SIMULATED := build/backtest
ENV_SIMULATED := $(if $(GENERATION_LOGS)$(WAREHOUSE_DUCKDB)$(filter prod,$(WAREHOUSE_TARGET)),,WAREHOUSE_TARGET=local \
	GENERATION_LOGS=$(SIMULATED)/log.parquet WAREHOUSE_DUCKDB=$(SIMULATED)/warehouse.duckdb)

.PHONY: backtest
backtest: .venv/runtime.stamp profiles.yml ## Replay the alert rules over the past: how good are they? (BACKTEST_ARGS=--help)
backtest: $(if $(findstring --sizes,$(BACKTEST_ARGS)),,$(if $(ENV_SIMULATED),$(SIMULATED)/warehouse.stamp))
	@$(ENV_SIMULATED) $(BIN)/python -m warehouse backtest $(BACKTEST_ARGS)

$(SIMULATED)/log.parquet: | .venv/runtime.stamp
	@mkdir -p $(@D)
	$(BIN)/python -m simulator --rows 3000000 --days 90 --incidents 20 --bursts --seed 1 --out $@

$(SIMULATED)/warehouse.stamp: $(SIMULATED)/log.parquet | profiles.yml
	$(ENV_SIMULATED) $(BIN)/dbt --quiet build --select +service_health +hourly_engagement +error_analysis --exclude-resource-types test unit_test
	@touch $@

.PHONY: check
check: .venv/dev.stamp ## The quick part of the checks, in a minute: lint, parse, unit and data tests on the sample
	@$(MAKE) --no-print-directory -j 2 --output-sync=target lint parse sample

.PHONY: test
test: about lint parse sample pytest ## Run the checks of each change, as CI does; make thorough has the rest

.PHONY: about
about:
	@echo "Every promise: about half an hour on two quiet cores. make check is the quick part; make thorough is what is left out."

.PHONY: lint
lint: .venv/dev.stamp $(CHECKS)/profiles.yml ## Check the style of Python and SQL
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(CHECK_ENV) DBT_TARGET_PATH=$(CHECKS)/lint $(BIN)/sqlfluff lint --disable-progress-bar models analyses data-tests

.PHONY: parse
parse: .venv/dev.stamp $(CHECKS)/profiles.yml ## Parse the project from scratch for both engines; a warning is an error
	$(CHECK_ENV) $(BIN)/dbt --quiet --warn-error parse --no-partial-parse --target local --target-path $(CHECKS)/local
	$(CHECK_ENV) $(BIN)/dbt --quiet --warn-error parse --no-partial-parse --target prod --target-path $(CHECKS)/prod

.PHONY: sample
sample: .venv/dev.stamp $(CHECKS)/profiles.yml ## Build the sample with all unit and data tests
	@rm -f $(CHECKS)/sample.duckdb*
	$(CHECK_ENV) WAREHOUSE_DUCKDB=$(CHECKS)/sample.duckdb GENERATION_LOGS= $(BIN)/dbt --quiet build \
		--target-path $(CHECKS)/sample

.PHONY: pytest
pytest: .venv/dev.stamp ## Run the tests, which build warehouses on DuckDB and on a PostgreSQL server that they start
	$(BIN)/python -m pytest -m "not thorough" --durations=60 --durations-min=10

# The checks that take seconds come first, and pytest has the last word.
pytest: | lint parse sample

.PHONY: thorough
thorough: .venv/dev.stamp ## Run what make test leaves out: the same on the other engine, further cases (15 minutes)
	$(BIN)/python -m pytest -m thorough --durations=60 --durations-min=10

.PHONY: soak
soak: .venv/dev.stamp ## Hundreds of runs beside a live application, at random (20 minutes; RUNS=200, SEED=1)
	WAREHOUSE_SOAK_RUNS=$(or $(RUNS),200) WAREHOUSE_SOAK_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -n 0 -s tests/soak

.PHONY: stories
stories: .venv/dev.stamp ## Stories at random on both engines, the smallest that fails is shown (STORIES=200, hours; two at a time)
	WAREHOUSE_TEST_EXAMPLES=$$(( ($(or $(STORIES),200) + 5) / 6 )) $(BIN)/python -m pytest -n 2 --dist load -q \
		tests/builds/test_stories.py

.PHONY: fuzz
fuzz: .venv/dev.stamp ## Read 2,000 damaged files beside Python's own readers (half an hour; FILES=2000)
	WAREHOUSE_TEST_EXAMPLES=$$(( ($(or $(FILES),2000) + 29) / 30 )) $(BIN)/python -m pytest -n 0 -q \
		tests/builds/test_log_files.py -k damaged

.PHONY: mutants
mutants: .venv/dev.stamp ## Break the SQL in one place after the other: does a test see it? (half an hour; MUTANTS_ARGS=--help)
	@$(BIN)/python -m tools.mutants $(MUTANTS_ARGS)

.PHONY: bench
bench: .venv/dev.stamp ## Measure builds, hourly runs and questions, and write docs/benchmarks.md (one to two hours; BENCH_ARGS=--help)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

.PHONY: against
against: .venv/dev.stamp ## Measure this tree beside an earlier commit (COMMIT=, BENCH_ARGS=--help)
	$(BIN)/python -m benchmarks.against $(COMMIT) $(BENCH_ARGS)

.PHONY: lines
lines: .venv/dev.stamp ## Count the project's inside: lines of SQL and of macros, cycles, models that ask while they compile
	@$(BIN)/python -m benchmarks.lines

.PHONY: superset
superset: .venv/runtime.stamp profiles.yml ## Write build/superset.zip, which Superset imports (SUPERSET_ARGS=--help; docs/bi.md)
	@$(BIN)/python -m tools.superset $(SUPERSET_ARGS)

.PHONY: superset-check
superset-check: .venv/dev.stamp ## Import the bundle into a real Superset and ask for every chart's data (740 MB, minutes)
	WAREHOUSE_SUPERSET=1 $(BIN)/python -m pytest -n 0 -s tests/superset

.PHONY: metric
metric: .venv/dev.stamp profiles.yml ## Ask for a metric: make metric METRIC=success_rate BY=style (METRIC=list names them)
	@$(BIN)/python -m tools.metric $(or $(METRIC),list) --by "$(BY)"

.PHONY: questions
questions: .venv/dev.stamp $(CHECKS)/profiles.yml ## Write docs/questions.md: the analyses as SQL that can be pasted
	$(CHECK_ENV) $(BIN)/python -m tools.questions

.PHONY: format
format: .venv/dev.stamp ## Put the Python code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: docs
docs: .venv/runtime.stamp profiles.yml ## Make one page of documentation of all models and columns
	$(BIN)/dbt docs generate --static
	@echo "The documentation: target/static_index.html"

.PHONY: lock
lock: .venv-lock/uv.stamp ## Pin all dependencies again, to the newest versions that pyproject.toml allows
	$(UV_COMPILE) --upgrade --group dev -o requirements-dev.lock
	$(UV_COMPILE) --upgrade -c requirements-dev.lock -o requirements.lock

# pip's settings hold for uv as well. The locks name no index: each machine installs from its own.
UV_COMPILE = UV_INDEX="$${UV_INDEX:-$${PIP_EXTRA_INDEX_URL:-}}" UV_FIND_LINKS="$${UV_FIND_LINKS:-$${PIP_FIND_LINKS:-}}" \
	.venv-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

.PHONY: clean
clean: ## Remove what can be made again: target, logs, caches
	rm -rf target logs build .pytest_cache .ruff_cache .hypothesis
	find alerts warehouse simulator tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove also the environments and the database file of the default profile: its history is lost
	rm -rf .venv .venv-lock warehouse.duckdb warehouse.duckdb.wal warehouse.duckdb.tmp

# Installed only when a lock changes.
.venv/runtime.stamp: requirements.lock | .venv/bin/pip
	$(PIP_INSTALL) -r $<
	@touch $@

.venv/dev.stamp: requirements-dev.lock | .venv/bin/pip
	$(PIP_INSTALL) -r $<
	@touch $@

.venv/bin/pip .venv-lock/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed. Name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(@:/bin/pip=)

.venv-lock/uv.stamp: | .venv-lock/bin/pip
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv
	@touch $@

# The user's own file from here on: made once, never overwritten.
profiles.yml:
	cp profiles.example.yml $@

$(CHECKS)/profiles.yml: profiles.example.yml
	@mkdir -p $(@D)
	@cp $< $@
