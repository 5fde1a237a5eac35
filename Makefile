# Everything a bare machine needs: Python 3.11 or newer (with pip and venv) and make.
PYTHON ?= python3
BIN := .venv/bin
QUIET := --quiet --disable-pip-version-check

.PHONY: demo test test-all test-web screenshots lint types check docs bench clean

demo: .venv/.demo
	$(BIN)/python examples/demo.py

test: .venv/.dev
	$(BIN)/pytest

# The core on every Python that is found, and all of it with the lowest versions that are claimed.
test-all: .venv/.dev
	$(BIN)/python tests/every_python.py

# The page in a real browser: Debian's Chromium, which is installed where that can be done.
test-web: .venv/.dev .venv/.browser
	@command -v chromium >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  { echo "make test-web needs Chromium: install it, as chromium on the PATH"; exit 1; }
	$(BIN)/pytest tests/browser

screenshots: .venv/.dev .venv/.browser
	$(BIN)/python tests/browser/screenshots.py

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Against a copy as it is installed: in the checkout `memwrap` lies apart from its adapters.
types: .venv/.dev
	rm -rf build/typing
	$(BIN)/python -m pip install $(QUIET) --no-deps --no-build-isolation --target build/typing .
	cd build/typing && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p memwrap
	cd build/typing && ../../$(BIN)/mypy --config-file ../../pyproject.toml ../../tests/typing
	$(BIN)/python tests/typing/blocks.py build/blocks
	cd build/typing && ../../$(BIN)/mypy --config-file ../../pyproject.toml ../blocks
	$(BIN)/pyright

check: lint types test docs

# The site of docs/, into build/docs; a warning is an error.
docs: .venv/.docs
	$(BIN)/sphinx-build -q -W --keep-going -c docs/site -b html docs build/docs

bench: .venv/.bench
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/postgres.py
	$(BIN)/python benchmarks/turns.py
	$(BIN)/python benchmarks/conversion.py
	$(BIN)/python benchmarks/chains.py
	$(BIN)/python benchmarks/windows.py
	$(BIN)/python benchmarks/prefixes.py
	$(BIN)/python benchmarks/tokens.py
	$(BIN)/python benchmarks/blocking.py
	$(BIN)/python benchmarks/layers.py
	$(BIN)/python benchmarks/orders.py
	$(BIN)/python benchmarks/sqlite.py
	$(BIN)/python benchmarks/conversations.py
	$(BIN)/python benchmarks/redis_store.py

clean:
	rm -rf .venv build *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install $(QUIET) -e '.[demo]'
	@touch $@

.venv/.bench: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install $(QUIET) -e '.[bench]'
	@touch $@

.venv/.browser: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install $(QUIET) -e '.[browser,web]'
	@touch $@

.venv/.docs: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install $(QUIET) -e '.[docs]'
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install $(QUIET) -e '.[dev]'
	@touch $@
