# vidlabel: every command a developer or a new user needs. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
FOLDER ?= resources/samples
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
OUT    ?= benchmarks/results
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help install run test lint format bench clean check-python

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 14

check-python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "No $(PYTHON) here. Install it: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vidlabel needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make environments. Install: apt-get install python3-venv"; exit 1; }

$(BIN)/python: | check-python
	@echo "Making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# One stamp for what running needs, one for what development needs on top.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing vidlabel (PyTorch comes along: several GB, some minutes)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing vidlabel with development tools (PyTorch comes along: several GB, some minutes)"
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.run

install: $(VENV)/.dev ## editable install with development tools into .venv; safe to repeat

run: $(VENV)/.run ## the window on the sample clips, or on FOLDER=...
	@$(BIN)/vidlabel "$(FOLDER)"

test: $(VENV)/.dev ## the whole suite, without a screen (JOBS=2 processes; TESTS=... for a part of it)
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)

lint: $(VENV)/.dev ## style, types, floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --verbose | tail -n 12

format: $(VENV)/.dev ## bring the sources into form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev ## every benchmark (QUICK=1 for the short form); JSON into benchmarks/results
	@mkdir -p $(OUT)
	@for name in startup next_clip engine frames scan long_video install finetune; do \
	  $(BIN)/python -m benchmarks.$$name $(if $(QUICK),--quick) --out $(OUT)/$$name.json || exit $$?; done

clean: ## take away the environment and everything built
	@rm -rf $(VENV) build dist benchmarks/results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
