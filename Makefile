# Everything a newcomer or a colleague types. `make help` lists the targets; nothing here needs root.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUNTIME := .venv/.installed
DEVELOPMENT := .venv/.installed-dev
PORT ?= 8000
# One more than a small machine has cores: some tests wait for other processes.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help run test test-sqlite test-postgres check format bench translations reference lock clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUNTIME) ## Install what is missing, then start the desk on sample data (PORT=8000).
	@$(BIN)/careloop demo --port $(PORT)

# Compiled files are kept whatever the shell says: each of some fifty processes would compile everything anew.
test test-sqlite test-postgres: export PYTHONDONTWRITEBYTECODE =

test: test-sqlite test-postgres ## Run every test on SQLite, then the desk's again on PostgreSQL.

test-sqlite: $(DEVELOPMENT) ## Run every test, on SQLite.
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests

test-postgres: $(DEVELOPMENT) ## Run the desk's tests that use a database on a throw-away PostgreSQL.
	$(BIN)/python -m tools.postgres $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --database-only tests/desk

check: $(DEVELOPMENT) ## Lint, types, layers, house rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src/careloop
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/house

format: $(DEVELOPMENT) ## Let ruff mend and lay out the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEVELOPMENT) ## Measure; writes benchmarks/results/*.json and a table.
	$(BIN)/python -m tools.bench

translations: $(DEVELOPMENT) ## Collect the words of the screens and compile the catalogue.
	$(BIN)/python -m tools.translations

reference: $(DEVELOPMENT) ## Write docs/reference/commands.md from the commands' own help.
	$(BIN)/python -m tools.reference

lock: $(DEVELOPMENT) ## Take the newest versions that pyproject.toml allows and write the lock files.
	$(PIP) --upgrade --upgrade-strategy eager --editable '.[dev]'
	$(BIN)/python -m tools.lock

clean: ## Remove the environment and tool caches (never var/, which holds data).
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist src/careloop.egg-info

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Careloop needs Python 3.11 or newer and found none; install it, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"Careloop needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name a newer one: make run PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Making .venv with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "Python could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv); then run make again." >&2; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing Careloop, once / 首次安装 …"
	@$(PIP) --requirement requirements.lock --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "Installing the development tools …"
	@$(PIP) --requirement requirements-dev.lock --editable '.[dev]'
	@touch $@ $(RUNTIME)
