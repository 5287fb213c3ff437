# The two commands: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
HOUSEHOLDS ?= 10000
MONTHS ?= 60
PORT ?= 8000
SERVE ?= yes
DEMO_HOME ?= data
REAL_DATA ?= ../shared/data

BIN := .venv/bin
# LightGBM's threads spin and starve each other on a busy machine unless they wait passively.
export OMP_WAIT_POLICY = PASSIVE
export GOMP_SPINCOUNT = 0
export MLFLOW_DISABLE_TELEMETRY = true
export UV_PYTHON_DOWNLOADS = never
export UV_COMPILE_BYTECODE = 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo serve check test test-all fix notebooks lock docs \
	validate-ledger validate-pulse validate-synthetic bench clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

.venv/installed: requirements/installer.txt requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] < (3, 14) else "earlyflag needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is " + sys.version.split()[0] + ". Say which with: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/installer.txt
	@# uv takes seconds where pip takes minutes; pip remains for places that only pip is set up for.
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements/runtime.txt \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements/dev.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements/dev.txt \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

setup: .venv/installed  ## Build the environment and the site's assets (.venv, with earlyflag in it)
	@$(BIN)/python -m earlyflag.web.assets

setup-dev: .venv/installed-dev setup  ## The same with what checks and tests need

demo: setup  ## From nothing to explained flags on a page (HOUSEHOLDS=, PORT=, SERVE=no)
	@$(BIN)/earlyflag --home $(DEMO_HOME) demo --households $(HOUSEHOLDS) --months $(MONTHS) \
		--port $(PORT) $(if $(filter no,$(SERVE)),--no-serve,)

serve: setup  ## Serve the site from what the home folder holds
	@$(BIN)/earlyflag --home $(DEMO_HOME) serve --port $(PORT)

check: setup-dev  ## Style, types, import contracts
	$(BIN)/ruff format --check src tests benchmarks requirements
	$(BIN)/ruff check src tests benchmarks requirements
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup-dev  ## The tests (without the slow suites)
	$(BIN)/python -m pytest -m "not slow"

test-all: setup-dev  ## The tests and the slow suites
	$(BIN)/python -m pytest

fix: setup-dev  ## Mend what the linters can mend
	$(BIN)/ruff check --fix src tests benchmarks requirements
	$(BIN)/ruff format src tests benchmarks requirements

docs: setup-dev  ## Write the generated reference pages anew
	$(BIN)/earlyflag reference docs/reference

notebooks: setup-dev  ## Run every notebook on the synthetic borough
	$(BIN)/python -m pytest tests/e2e/test_notebooks.py

validate-ledger: setup  ## The same path on a real arrears ledger; the last line is JSON
	@$(BIN)/python benchmarks/validate_ledger.py $(REAL_DATA)

validate-pulse: setup  ## Real households, new arrears; the last line is JSON
	@$(BIN)/python benchmarks/validate_pulse.py $(REAL_DATA)

validate-synthetic: setup  ## The champion against the oracle on five boroughs; the last line is JSON
	@$(BIN)/python benchmarks/validate_synthetic.py

bench: setup-dev  ## Paired timings of features, explanations, ingestion and serving
	@for script in ingest features explain serving; do $(BIN)/python benchmarks/$$script.py || exit 1; done

lock: .venv/installed  ## Resolve the lock files anew (hashes, no index address)
	@for group in installer runtime dev; do $(BIN)/python requirements/lock.py $$group || exit 1; done

clean:  ## Remove the environment and what was built; never the home folder
	rm -rf .venv build src/earlyflag/web/static
