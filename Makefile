# Needs Python 3.11 or newer and make, nothing else. Everything it makes lands in .venv and build.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PINNED = $(PIP) install --no-compile --no-deps --require-hashes --only-binary :all:
STARTED := $(shell date +%s)
TOOK = $$(( $$(date +%s) - $(STARTED) )) s
# Where this is set, every kernel and every command compiles all that it imports anew: seconds at each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint lab bench docs pictures lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo    a report from made-up data, in build/demo'
	@echo 'make test    every check: style, types, floors, tests, doctests, notebooks'
	@echo 'make lab     JupyterLab on the notebooks'
	@echo 'make setup   only set up .venv from requirements.lock (the others do it when needed)'
	@echo 'make lint    only the checks that run nothing'
	@echo 'make bench   times and memory beside the peers, in build/bench.json'
	@echo 'make docs    the site: learn, how to, methods, reference, in build/docs'
	@echo 'make pictures  those of README and site, drawn from the demo'
	@echo 'make lock    write requirements.lock anew from pyproject.toml (needs uv)'
	@echo 'make clean   remove what the others made, .venv included'

setup: $(READY)

# --no-compile: Python compiles what is imported, and most of it never is.
# Two halves of the lock at once: unpacking keeps one processor busy for a minute. The lock names everything, so
# that neither half has to look for what it needs; `pip check` says so.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "culture-metrics needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name a newer one, for example: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version); the first time takes a minute or two."
	@$(PYTHON) -m venv .venv
	@awk '/^[^ #]/ { n++ } { print > (".venv/half" n % 2) }' requirements.lock
	@$(PINNED) -r .venv/half1 & other=$$!; $(PINNED) -r .venv/half0; code=$$?; wait $$other && exit $$code
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@
	@echo ".venv is ready ($(TOOK))."

# People of the demo are made up, by each version in its own way: what an earlier one showed of them is no secret.
demo: setup
	@rm -f build/demo/ledger.json
	@$(BIN)/culture-metrics demo --out build/demo
	@echo "Report: build/demo/index.html ($(TOOK))"

# Two tests at a time with a thread of algebra each: more of them wait for each other.
# What runs nothing is checked meanwhile and tells at the end: one run shows all there is to mend.
test: setup
	@mkdir -p build; failed=; \
	$(MAKE) --no-print-directory lint >build/lint.txt 2>&1 & lint=$$!; \
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder || failed="$$failed pytest"; \
	wait $$lint || failed="$$failed lint"; \
	cat build/lint.txt; \
	echo "make test took $(TOOK)."; \
	test -z "$$failed" || { echo "FAILED:$$failed" >&2; exit 1; }

lint: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

lab: setup
	@$(BIN)/culture-metrics lab notebooks

bench: setup
	@$(BIN)/python -m benchmarks.run

# Keeps the pins that still fit; remove requirements.lock first to take the newest of everything.
lock:
	@command -v uv >/dev/null || { echo 'uv is missing: python3 -m pip install uv' >&2; exit 1; }
	@uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-config --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
	  --quiet --output-file requirements.lock
	@uv pip compile --group docs --constraint requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-config --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
	  --quiet --output-file docs/requirements.lock

# The site says what the package says: it is built from the installed one. --strict: a dead link stops it.
docs: setup
	@$(PIP) install --no-compile --require-hashes --only-binary :all: -r docs/requirements.lock
	@NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Site: build/docs/index.html ($(TOOK))"

# The pictures of README and site are those of the demo as it is now.
pictures: demo
	@$(BIN)/python docs/pictures.py build/demo/index.html docs/report.png

clean:
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
