# make run        opens the dashboard        make check  formats, lints and types
# make test       runs the tests             make bench  compares the speed with other tools
# make test-fast  those without a store      make test-all  the long ones, too: kills, fuzz, a second environment
# make test-lake  those of a team's lake, in an environment with DuckDB 1.5 and its extensions
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
LAKE ?= .venv-lake
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
# CPU seconds that all of `make test` may take; a run over it ends with a warning.
CPU_BUDGET ?= 440

.PHONY: run test test-fast test-long test-lake test-all check format lock bench bench-smoke screenshots clean

run: $(STAMP)
	@$(BIN)/agnes-stats $(ARGS)

# What pytest has compiled is kept: each of its processes would compile all tests anew, in 5 s.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

test: $(STAMP)
	@$(PYTEST) -m "not long and not lake" --cpu-budget=$(CPU_BUDGET) $(PYTEST_ARGS)

test-fast: $(STAMP)
	@$(PYTEST) --numprocesses=2 -m "not long and not lake" --fast $(PYTEST_ARGS)

test-long: $(STAMP) test-lake
	@$(PYTEST) -m "(long or hypothesis) and not lake" $(PYTEST_ARGS)

# Those that need a lake, and those that an older DuckDB is likeliest to fail.
test-lake: $(LAKE)/.installed
	@PYTHONDONTWRITEBYTECODE= $(LAKE)/bin/python -m pytest --numprocesses=2 --dist=worksteal \
		-m "lake or not long" tests/team/test_lake.py tests/queries/test_lake.py tests/queries/test_console.py \
		tests/test_store.py $(PYTEST_ARGS)

test-all: test test-long

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@mkdir -p .mypy_cache/src && ln -sfn "$(CURDIR)" .mypy_cache/src/agnes_stats
	@ln -sfn "$(CURDIR)/tests" .mypy_cache/src/tests
	@MYPYPATH=.mypy_cache/src $(BIN)/python -m mypy -p agnes_stats -p tests

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(STAMP)
	@$(BIN)/uv lock

# The versions in uv.lock, in a virtual environment of the project's own. Setuptools would have every Python that starts
# import a finder of our package, which takes as long as the rest of its start: a link to the package is found without.
$(STAMP): pyproject.toml uv.lock Makefile
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" UV_PROJECT_ENVIRONMENT="$(VENV)" $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode
	@mkdir -p $(VENV)/src && ln -sfn "$(CURDIR)" $(VENV)/src/agnes_stats
	@for found in $(VENV)/lib/python*/site-packages/__editable__.agnes_stats-*.pth; do \
		echo "$(CURDIR)/$(VENV)/src" >"$$found"; done
	@$(BIN)/python -m compileall -q ingest queries tui demo
	@touch $(STAMP)

# The same with what a lake needs: an older DuckDB, for which its extensions come as packages.
$(LAKE)/.installed: $(STAMP)
	@UV_PROJECT_ENVIRONMENT="$(LAKE)" $(BIN)/uv sync --quiet --frozen --no-dev --extra lake --group lake-test \
		--python $(BIN)/python --compile-bytecode
	@touch $@

bench: $(STAMP)
	@$(BIN)/python bench/run.py --write $(ARGS)

bench-smoke: $(STAMP)
	@$(BIN)/python bench/run.py --mb 5 --no-peers --no-dashboard --rounds 1

screenshots: $(STAMP)
	@$(BIN)/python docs/screenshots.py

clean:
	rm -rf $(VENV) $(LAKE) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
