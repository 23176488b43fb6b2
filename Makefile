# `make demo` and `make test` need nothing but Python 3.11 or newer: each sets up what is missing and does not repeat it.
# Written for GNU make 3.81, which is what macOS has.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := transcoder tests fixtures

# The first of these that is new enough; `make PYTHON=/path/to/python3 …` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; break; fi; done)

.PHONY: help demo test check fix lock clean

help:
	@echo "make demo    make a small HLS stream, turn it into demo.mp4 through the emulated Lambda, and say what arrived"
	@echo "make test    run the tests"
	@echo "make check   formatting, lint, types"
	@echo "make fix     format, and mend what can be mended"
	@echo "make lock    pin the newest dependencies anew (requirements/*.txt)"
	@echo "make clean   remove everything that was made, .venv too"

demo: $(READY)
	PYTHONPATH=tests $(BIN)/python fixtures/demo.py

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(SOURCES)

fix: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): requirements/dev.txt pyproject.toml
	@if test -z "$(PYTHON)"; then echo "Python 3.11 or newer is needed and was not found; name it: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is not Python 3.11 or newer; name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "$(PYTHON) cannot make virtual environments; install its venv module (often a package named python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The locks name no index, so that each machine installs from its own.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(LOCK) --upgrade pyproject.toml -o requirements/run.txt
	$(LOCK) --upgrade pyproject.toml requirements/dev.in -c requirements/run.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) fixtures/media build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis demo.mp4
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
