# steppe: `make demo` runs the main job, `make test` the tests; each sets up what it needs in .venv and .tools.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools

.PHONY: help setup demo test bench telegraf soak check docs lock audit release clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.demo: requirements/centre.txt requirements/build.txt pyproject.toml hatch_build.py dashboards/console/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "steppe needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/centre.txt
	command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/node.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(TOOLS)/servers: tests/support/install_servers.sh $(wildcard tests/support/node_*/package-lock.json) dashboards/console/package-lock.json
	bash tests/support/install_servers.sh $(TOOLS)
	@touch $@

setup: $(VENV)/.demo ## the command `steppe` in .venv, from the locked packages

demo: $(VENV)/.demo ## a virtual county through the whole road, checked against its own truth
	$(BIN)/steppe demo

test: $(VENV)/.dev $(TOOLS)/servers ## every test but the long ones
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

soak: $(VENV)/.dev $(TOOLS)/servers ## the long runs: chaos, fuzzing, a recorded month, 200 gateways for STEPPE_SOAK_MIN=30 minutes
	$(BIN)/python -m pytest -m soak --timeout=7200 tests

bench: $(VENV)/.dev $(TOOLS)/servers ## measure, and print one table
	PYTHONPATH=tests $(BIN)/python -m benchmarks

screenshots: $(VENV)/.dev $(TOOLS)/servers ## a picture of every page of the console, into docs/screens
	PYTHONPATH=tests $(BIN)/python -m screenshots

telegraf: ## build Telegraf (needs Go), for `make bench` to measure beside
	bash tests/support/install_telegraf.sh $(TOOLS)

check: $(VENV)/.dev ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.dev ## build the documentation into build/docs
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --quiet

COMPILE = uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

lock: ## pin every package by hash (needs uv)
	$(COMPILE) --group build -o requirements/build.txt
	$(COMPILE) --group node -o requirements/node.txt
	$(COMPILE) pyproject.toml -o requirements/edge.txt
	$(COMPILE) pyproject.toml --extra centre -o requirements/centre.txt
	$(COMPILE) pyproject.toml --extra centre --group dev -o requirements/dev.txt
	$(PYTHON) requirements/wheel_tags.py

audit: ## ask whether a locked package was withdrawn or has a known weakness (needs uv)
	$(PYTHON) requirements/audit.py

release: $(VENV)/.dev ## wheel, pinned packages, units, install scripts, bill of materials and sums, in dist/release
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 1580601600) $(BIN)/python deploy/release.py dist/release

clean: ## remove what the other commands made
	rm -rf $(VENV) $(TOOLS) dist build dashboards/console/static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis
