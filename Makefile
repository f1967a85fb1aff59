# `make demo` and `make test` set up everything they need; only Python 3.11+ and make must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := install --quiet --disable-pip-version-check

.PHONY: demo test lint bench bench-engine bench-budget bulk lock clean

demo: $(STAMP)
	@$(BIN)/tieout demo --once $(if $(SIZE),--size $(SIZE)) || [ $$? -eq 3 ]

test: $(STAMP) lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python bench/run.py

bench-engine: $(STAMP)
	@$(BIN)/python bench/engine.py

bulk: $(STAMP)
	@$(BIN)/python bench/bulk.py

bench-budget: $(STAMP)
	@$(BIN)/python bench/budget.py

# Exact versions with hashes, no addresses: run after changing the ranges in pyproject.toml.
lock: $(STAMP)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal \
		--no-header --no-annotate --no-emit-index-url --python-version 3.11 -o requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tieout needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip $(PIP) --require-hashes -r requirements.lock > $(VENV)/setup.log 2>&1 && \
	 $(BIN)/python -m pip $(PIP) --no-deps --no-build-isolation -e . >> $(VENV)/setup.log 2>&1 || \
		{ tail -20 $(VENV)/setup.log; echo "setting up failed: see $(VENV)/setup.log"; exit 1; }
	@touch $(STAMP)

clean:
	rm -rf $(VENV) tieout-demo build dist *.egg-info .bench
