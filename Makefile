# What a new user needs: `make run`, `make demo`, `make test`. `make help` lists all.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo run install test long coverage check format messages screenshots chaos bench histories clean

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.local  ## Run the main job to its end on this machine, with invented patients
	@$(BIN)/python -m deploy.local demo

run: $(VENV)/.local  ## Start the same stack and keep it up, until Ctrl-C
	@$(BIN)/python -m deploy.local run

install: $(VENV)/bin/python  ## Install what a live system needs, nothing of the local stack
	@$(PIP_INSTALL) --editable .

test: $(VENV)/.dev  ## Run all tests, on real servers
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal

long: $(VENV)/.dev  ## Run the tests that `make test` has a short form of (two minutes)
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal -m long

coverage: $(VENV)/.dev  ## The same, and which lines no test reached (half as long again)
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal --cov --cov-report=term

check: $(VENV)/.dev  ## Lint, formatting, types, and the floors of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev  ## Put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

messages: $(VENV)/.dev  ## Bring the catalogs of the console's texts up to date with code and pages
	@mkdir -p var
	@$(BIN)/pybabel --quiet extract --mapping=console/babel.cfg --no-location --sort-output --width=100 --output=var/console.pot console
	@$(BIN)/pybabel --quiet update --domain=console --input-file=var/console.pot --output-dir=console/locales --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=100

screenshots: $(VENV)/.dev  ## Take the pictures in docs/screenshots anew, in an installed Chromium
	@$(BIN)/python -m deploy.screenshots

chaos: $(VENV)/.dev  ## Kill and cut off everything while campaigns run; prints duplicates and losses (half an hour)
	@$(BIN)/python -m chaos --attempts 1000 --seed 1 --seed 2 --seed 3

bench: $(VENV)/.dev  ## Measure against a bare workflow; prints a table, writes benchmarks/results.json
	@$(BIN)/python -m benchmarks

histories: $(VENV)/.dev  ## Record golden histories that are not there yet
	@$(BIN)/python -m pytest --no-cov tests/workflows/record_histories.py

clean:  ## Remove the virtual environment and all local state
	rm -rf $(VENV) var

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or set PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: Python 3.11 or newer is needed (set PYTHON=/path/to/python3)" >&2; exit 2; }
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.local: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing (about a minute the first time) ..."
	@$(PIP_INSTALL) --editable '.[local]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing (about a minute the first time) ..."
	@$(PIP_INSTALL) --editable '.[local,dev]'
	@touch $@ $(VENV)/.local
