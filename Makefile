# Every target makes and reuses one virtual environment, .venv, with the versions
# of constraints.txt. `make TORCH_INDEX=<url> ...` adds a package index, for one
# that serves CPU-only builds of torch.

PYTHON ?= python3
TORCH_INDEX ?=

BIN := .venv/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
REQUIREMENTS := pyproject.toml constraints.txt
# Stamps: the environment is as the requirements say, to run or to develop.
RUN := .venv/installed-run
DEV := .venv/installed-dev

.NOTPARALLEL:
.PHONY: help demo test lint types contracts doc bench clean

help:
	@echo "make demo   train sparse networks on the handwritten digits"
	@echo "make test   lint, types, import contracts, tests with coverage"
	@echo "make doc    build the documentation into doc/_build/html"
	@echo "make bench  run the timed comparisons"
	@echo "make clean  remove the environment and everything built"

demo: $(RUN)
	MPLBACKEND=Agg $(BIN)/python examples/plot_digits.py

test: lint types contracts
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest --cov --cov-report=term

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

contracts: $(DEV)
	$(BIN)/lint-imports --no-logo

doc: $(DEV)
	$(BIN)/sphinx-build -W --keep-going -b html doc doc/_build/html

bench: $(DEV)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks -s

clean:
	rm -rf .venv build dist *.egg-info htmlcov .coverage .hypothesis .*_cache
	rm -f accuracy_against_size.png examples/*.png
	rm -rf doc/_build doc/auto_examples doc/generated doc/sg_execution_times.rst

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(RUN): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing into .venv; the first time this takes minutes."
	$(PIP_INSTALL) -e ".[plot]"
	touch $@

$(DEV): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing into .venv; the first time this takes minutes."
	$(PIP_INSTALL) -e ".[dev]"
	touch $(RUN) $@
