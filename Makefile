# Everything a bare machine needs: Python 3.11 or newer (with pip and venv) and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types check bench clean

demo: .venv/.demo
	$(BIN)/python examples/demo.py

test: .venv/.dev
	$(BIN)/pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Run from tests/: in the top folder `memwrap` would be found without its adapters.
types: .venv/.dev
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p memwrap typing/api.py
	$(BIN)/pyright

check: lint types test

bench: .venv/.dev
	$(BIN)/python benchmarks/overhead.py

clean:
	rm -rf .venv build *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

# A strict editable install links each file, so a new file needs a new install:
# the folders are prerequisites because their times change with their entries.
FOLDERS := memwrap memwrap/middleware memwrap/sessions memwrap/sessions/sqlite adapters

.venv/.demo: .venv/bin/python pyproject.toml $(FOLDERS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]' --config-settings editable_mode=strict
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml $(FOLDERS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' --config-settings editable_mode=strict
	@touch $@
