# `make` lists what there is to do.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

# Two at a time: most of a test is waiting for processes that it started. A file's tests stay together,
# since they share what is dear to make, and files in their order: sorted by how many tests they have,
# those with one long test would come last and one after the other.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 20

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check ui serve bench constraints browser postgresql clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/runtime  ## install, then the whole chain on this checkout with the starter model
	$(BIN)/repo-tune demo

test: $(VENV)/dev browser  ## install, then the tests
	$(PYTEST)

test-slow: $(VENV)/dev browser postgresql  ## what takes minutes: the demo, the wheel, the shuffled control
	$(PYTEST) -m slow

check: $(VENV)/dev  ## lint, types, import contracts, Dagster definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	DAGSTER_HOME= $(BIN)/dagster definitions validate -w workspace.yaml

ui: $(VENV)/runtime  ## the Dagster UI and its daemon on port 3000
	$(BIN)/repo-tune ui

serve: $(VENV)/runtime  ## the HTTP API and its page on port 8000, with Dagster beside it
	$(BIN)/repo-tune serve

bench: $(VENV)/dev  ## measurements, each a ratio against a peer or a limit
	@for script in bench/chunking.py bench/data.py bench/retrieval.py bench/training.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done
	$(BIN)/repo-tune demo >/dev/null && $(BIN)/python bench/evaluation.py .repo_tune
	$(BIN)/python bench/service.py

constraints: $(VENV)/dev  ## resolve every dependency anew and pin the whole set
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --dry-run --ignore-installed \
	  --report $(VENV)/resolved.json '.[bench,dev,ray,postgres]'
	$(BIN)/python tools/pin_constraints.py $(VENV)/resolved.json > constraints.txt.new
	mv constraints.txt.new constraints.txt

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  { echo "The tests of the web pages need Chromium: apt-get install chromium" >&2; exit 1; }

postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq postgresql >/dev/null; } || \
	  { echo "A test of the production configuration needs PostgreSQL: apt-get install postgresql" >&2; exit 1; }

clean:  ## remove the environment (state in .repo_tune stays)
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	@[ -e $(VENV)/dev ] && [ $(VENV)/dev -nt pyproject.toml ] && [ $(VENV)/dev -nt constraints.txt ] || $(PIP) --editable .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	@touch $@
