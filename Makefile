# Every target sets up what it needs. PYTHON chooses the interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := 0.13.8
export UV_HTTP_TIMEOUT ?= 300
export TF_CPP_MIN_LOG_LEVEL ?= 3
# Set in many containers; without bytecode each start compiles a thousand modules anew, which takes 3 s.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick lab bench steady setup browser database lock clean

demo: setup
	$(BIN)/python -m course.demo

TOGETHER := -n 2 --dist loadfile --no-loadscope-reorder
QUICK := attention public_tests no_false_green report new utils data similarity match_definitions \
  rooms release build assemble intake malformed values outputs kept

test: setup browser database node_modules
	$(BIN)/python -m pytest $(TOGETHER) --durations=20

# What a change most often breaks, in under a minute.
quick: setup
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q $(TOGETHER) $(QUICK:%=tests/test_%.py)

lab: setup
	$(BIN)/proctor build lab_digits
	$(BIN)/jupyter lab lab_digits.ipynb

bench: setup browser node_modules
	$(BIN)/python -m bench

# The browser tests ROUNDS times beside three busy loops: none may look before the page is drawn.
steady: setup browser node_modules
	$(BIN)/python -m bench.steady $(ROUNDS)

setup: $(VENV)/.done

$(VENV)/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

node_modules: package-lock.json $(VENV)/.done
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-fund --no-audit
	@touch $@

# Debian's Chromium, where it is missing and we may install it.
browser:
	@command -v chromium >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing chromium"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "chromium is not installed: the browser tests will be skipped (apt install chromium)"; fi

# Debian's PostgreSQL, for the test that marks into it; nothing is left running.
database:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing postgresql"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null; \
	else echo "postgresql is not installed: its test will be skipped (apt install postgresql)"; fi

lock: setup
	$(BIN)/uv pip compile -q pyproject.toml requirements.txt --all-extras --universal \
	  --python-version 3.11 --no-annotate --no-header -o requirements.lock

clean:
	rm -rf build $(VENV) node_modules
