# Every target makes and reuses one virtual environment, .venv, with the versions
# of constraints.txt. `make TORCH_INDEX=<url> ...` adds a package index, for one
# that serves CPU-only builds of torch.

PYTHON ?= python3
TORCH_INDEX ?=

BIN := .venv/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
REQUIREMENTS := pyproject.toml setup.py constraints.txt $(wildcard skgroupnet/engine/step/*)
# Stamps: the environment is as the requirements say, to run or to develop, and the
# compiled steps are as their sources.
RUN := .venv/installed-run
DEV := .venv/installed-dev

# Of a fuzz: number of problems, and the first seed.
N ?= 1000
FIRST ?= 0

# Removed before it is built again: pip succeeds where the compiler fails.
BUILT := skgroupnet/engine/_step.*.so skgroupnet/engine/_step.*.pyd

PYTEST = SCIPY_ARRAY_API=1 $(BIN)/python -m pytest
# One file, of 5 % of the code, runs only where there was a C compiler.
COVERED = $(shell $(BIN)/python -c "import skgroupnet.engine._step" 2>/dev/null \
	&& echo 95 || echo 90)

SANITIZED := build/sanitized
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover
LIBRARY = $$($(CC) -print-file-name=lib$(1).so)

.NOTPARALLEL:
.PHONY: help demo test lint types contracts fuzz sanitize doc bench evidence clean

help:
	@echo "make demo      train sparse networks on the handwritten digits"
	@echo "make test      lint, types, import contracts, tests with coverage"
	@echo "make fuzz      fit random problems and judge the fits: N=1000 of each kind, from"
	@echo "               the seed FIRST=0 on"
	@echo "make sanitize  test the compiled steps with the sanitizers of gcc"
	@echo "make doc       build the documentation into doc/_build/html"
	@echo "make bench     run the timed comparisons"
	@echo "make evidence  compute one table of doc/results.rst: TABLE=report, tradeoff, goals,"
	@echo "               lenet, gains or preprocessing; SKGROUPNET_DATA may name the data"
	@echo "make clean     remove the environment and everything built"

demo: $(RUN)
	MPLBACKEND=Agg $(BIN)/python examples/plot_digits.py

# The tests twice: the steps in torch, without what has no part in them, then compiled,
# everything. The coverage is that of both.
# Each process has one thread for torch: more would wait for each other.
test: export OMP_NUM_THREADS = 1
test: lint types contracts
	SKGROUPNET_STEP=torch $(PYTEST) -n auto -q -rfE --cov --cov-report= --cov-fail-under=0 \
		--ignore=tests/penalties --ignore=tests/plotting \
		--ignore=tests/datasets --ignore=tests/evidence --ignore=tests/fuzz \
		--ignore=tests/estimators/test_linear_peers.py \
		--ignore=tests/estimators/test_common_solvers.py
	$(PYTEST) -n auto --cov --cov-append --cov-report=term --cov-fail-under=$(COVERED)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

contracts: $(DEV)
	$(BIN)/lint-imports --no-logo

# Linear models, then networks whatever was found; each prints its faults with their
# seeds.
fuzz: export OMP_NUM_THREADS = 1
fuzz: export SCIPY_ARRAY_API = 1
fuzz: $(DEV)
	$(BIN)/python -m tests.fuzz.linear --first $(FIRST) --n $(N) --verbose; \
	status=$$?; \
	$(BIN)/python -m tests.fuzz.networks --first $(FIRST) --n $(N) && exit $$status

# In a copy of the package, whose compiled steps check their memory accesses. The
# preloaded libstdc++ is for torch, whose exceptions the sanitizer intercepts.
sanitize: $(DEV)
	rm -rf $(SANITIZED)
	mkdir -p $(SANITIZED)
	cp -R pyproject.toml setup.py skgroupnet tests $(SANITIZED)
	$(CC) -std=c11 -ffp-contract=fast -Wall -Wextra -Werror $(SANITIZE) -shared -fPIC \
		-isystem "$$($(BIN)/python -c \
			"import sysconfig; print(sysconfig.get_path('include'))")" \
		-DDIGEST="$$(cat $(sort $(wildcard skgroupnet/engine/step/*.[ch])) \
			| sha256sum | cut -d' ' -f1)" \
		skgroupnet/engine/step/step.c \
		-o $(SANITIZED)/skgroupnet/engine/_step.abi3.so
	cd $(SANITIZED) && ASAN_OPTIONS=detect_leaks=0 SCIPY_ARRAY_API=1 \
		LD_PRELOAD="$(call LIBRARY,asan):$(call LIBRARY,stdc++)" \
		$(abspath $(BIN))/python -m pytest -q --capture=sys tests/engine tests/estimators

doc: $(DEV)
	$(BIN)/sphinx-build -W --keep-going -b html doc doc/_build/html

bench: $(DEV)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks -s

evidence: $(DEV)
	OMP_NUM_THREADS=1 MPLBACKEND=Agg $(BIN)/python -m tests.benchmarks.evidence $(TABLE)

clean:
	rm -rf .venv build dist *.egg-info htmlcov .coverage .hypothesis .*_cache
	rm -f $(BUILT)
	rm -f accuracy_against_size.png examples/*.png
	rm -rf doc/_build doc/auto_examples doc/generated doc/sg_execution_times.rst

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(RUN): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing into .venv; the first time this takes minutes."
	rm -f $(BUILT)
	$(PIP_INSTALL) -e ".[plot]"
	touch $@

$(DEV): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing into .venv; the first time this takes minutes."
	rm -f $(BUILT)
	$(PIP_INSTALL) -e ".[dev]"
	touch $(RUN) $@
