# One command each; `make help` lists them. Everything is installed into .venv at versions fixed by constraints.txt.

PYTHON ?= python3
SCALE ?= small
INPUTS ?= 200000
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test check bench mutants fuzz clients clean

help: ## Show this help.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: .venv/installed ## Migrate, load the sample district, start the web server and the worker (CAIRN_PORT, default 8700).
	@$(BIN)/cairn start

test: .venv/installed-dev ## Run the whole suite, on SQLite and on PostgreSQL where one answers.
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: .venv/installed-dev ## Check format, lint, types and the import law.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_imports.py

bench: .venv/installed-dev ## Measure, on PostgreSQL: SCALE=small (two minutes) or full; writes bench-results.json.
	@$(BIN)/python -m tests.bench --scale $(SCALE)

mutants: .venv/installed-dev ## Break one thing after the other in front of the server; our conformance suite must notice each.
	@$(BIN)/python -m tests.mutants

fuzz: .venv/installed-dev ## Send 200,000 inputs that nobody would write (docs/testing.md); INPUTS=…
	@$(INSTALL) --editable '.[fuzz]'
	@$(BIN)/python -W ignore -m tests.fuzz --inputs $(INPUTS)

clients: .venv/installed-dev ## Let public JavaScript xAPI clients work with a running server; needs node.
	@cd tests/clients/javascript && npm install --no-package-lock --no-audit --no-fund --silent
	@$(BIN)/python -m tests.clients

clean: ## Remove what was installed and measured; data stays.
	@rm -rf .venv bench-results.json .mypy_cache .ruff_cache .hypothesis fuzz-failures tests/clients/javascript/node_modules *.egg-info build

.venv/installed: pyproject.toml constraints.txt
	@echo "Cairn: installing into .venv (about half a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cairn needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || $(PYTHON) -m virtualenv --quiet .venv || { echo "No virtual environment could be made: install Debian's package python3-venv, or virtualenv by pip"; exit 1; }
	@$(INSTALL) --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	@echo "Cairn: installing what tests and checks need ..."
	@$(INSTALL) --editable '.[dev]'
	@touch $@

.venv/installed-spark: .venv/installed-dev
	@echo "Cairn: installing Spark (half a gigabyte) ..."
	@$(INSTALL) --editable '.[spark]'
	@touch $@
