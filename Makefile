# Five verbs: demo, test, check, bench, install (which the others call). Python 3.11 or newer is all that is needed.
PYTHON ?= python3
ENV := .venv
RUN := $(ENV)/bin

.PHONY: demo test check bench install

demo: install
	$(RUN)/tape-review process tests/recordings/roleplay-alcohol.ogg --target-behavior "drinking less alcohol" --out demo-tape
	$(RUN)/tape-review demo tests/recordings/roleplay-alcohol.ogg --target-behavior "drinking less alcohol" --home demo-home

test: install
	$(RUN)/python -m pytest

check: install
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy

bench: install
	$(RUN)/python -m tests.benchmarks

install: $(ENV)/installed
	@$(RUN)/tape-review models --fetch >/dev/null

# torch first and exactly: left to choose, pip would take a CUDA build of several gigabytes.
$(ENV)/installed: pyproject.toml configs/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tape Review needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(ENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -c configs/constraints.txt -e '.[test]'
	touch $@
