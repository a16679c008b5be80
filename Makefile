# Every target sets up .venv by itself and can be run again at any time; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench docs

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */\1\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done
	@echo
	@echo 'On Linux without a GPU, PyPI sends torch with gigabytes of CUDA (there the CPU build is all that is needed):'
	@echo '  PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make install'
	@echo 'Tests: PYTEST_ADDOPTS="-x -k cli" make test. Another Python: make install PYTHON=python3.12.'

install: $(STAMP)  ## mien and what its developers need, in .venv

# torch first and pinned, so that no dependency chooses another build of it.
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'mien needs Python 3.11 or newer: rm -r .venv, then make install PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PIP) install -c constraints.txt 'torch==2.13.0'
	$(PIP) install -c constraints.txt -e '.[dev]'
	@$(BIN)/mien models --fetch || echo 'warning: not every network is here; mien doctor says which' >&2
	@touch $@

demo: $(STAMP)  ## two portraits: found, compared, swapped both ways, signed, verified: out/demo/index.html
	$(BIN)/mien swap demo --out out/demo

test: $(STAMP)  ## the tests, one process a core; PYTEST_ADDOPTS is honoured
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

check: $(STAMP)  ## lint, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(STAMP)  ## every script in benchmarks/, one after another; results in benchmarks/results/
	@set -e; for script in benchmarks/*.py; do \
		test -e "$$script" || continue; \
		echo "== $$script"; $(BIN)/python "$$script"; \
	done

docs: $(STAMP)  ## docs/cli.md from the program itself, and the guides and lessons as pages: docs/_build/html (MIEN_DATA: folder of data sets)
	$(BIN)/python docs/build.py
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d docs/_build/doctrees docs docs/_build/html
	@echo docs/_build/html/index.html
