# Everything runs in .venv from the committed lock; only Python (3.11 or newer), pip and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Programs are started again and again here: each start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo up test check bench chaos lock clean

help: ## List what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Aftercare needs Python 3.11 or newer; say which: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
# The lock is complete, so nothing needs resolving (and pip before 25 would trip over extras together with hashes).
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(INSTALLED) ## Install the locked dependencies into .venv

demo: $(INSTALLED) ## Play a week of service on a real Prefect server, from the first word to the digest
	$(BIN)/aftercare demo

up: $(INSTALLED) ## Start database, Prefect, worker and pages until Ctrl-C
	$(BIN)/aftercare up

test: $(INSTALLED) ## Run all tests; they start the servers they need
	$(BIN)/python -m pytest -n 3 --dist loadgroup

check: $(INSTALLED) ## Formatting, lint, types, direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(INSTALLED) ## Measure the hot paths against their limits; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

# What the container image has, made from its lock, to run its processes without containers.
CONTAINER := build/container
$(CONTAINER)/.installed: deployments/requirements.lock pyproject.toml
	$(PYTHON) -m venv $(CONTAINER)
	$(CONTAINER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r deployments/requirements.lock
	$(CONTAINER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

chaos: $(CONTAINER)/.installed ## Kill the processes of the compose file under load, then count; ARGS="kills --minutes 1"
	$(CONTAINER)/bin/python -m benchmarks.chaos $(ARGS)

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml
lock: $(INSTALLED) ## Renew requirements.lock and the container's from pyproject.toml
	$(COMPILE) --extra dev -o requirements.lock
	$(COMPILE) --extra container --constraint requirements.lock -o deployments/requirements.lock

clean: ## Remove the environment and everything the program made here
	rm -rf $(VENV) .aftercare build *.egg-info
