# Every target sets up what it needs by itself; CI calls `check` and `test` and nothing else.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help run demo check fix test bench bench-detect doctor lock

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set up and serve the portal with the demonstration district on http://127.0.0.1:8000
	@$(PYTHON) bootstrap.py run

demo: ## walk the whole chain in the terminal: one product released and verified, one refused with its reasons
	@$(PYTHON) bootstrap.py demo

check: ## format, lint, types, arrows, catalogs; changes nothing, reports every failure
	@$(PYTHON) bootstrap.py check

fix: ## let the formatter and the linter mend what they can
	@$(PYTHON) bootstrap.py env-test
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

test: ## set up with browser and test tools, run the tests (ARGS="-k gate -n0" for some of them)
	@$(PYTHON) bootstrap.py test $(ARGS)

bench: ## tables of measurements beside other tools: ARGS=anonymize (needs data, docs/how-to/bench.md), ARGS=workspace
	@$(PYTHON) bootstrap.py bench $(ARGS)

bench-detect: ## what free-text detection finds and leaks, per kind, with its bars (docs/how-to/bench.md)
	@$(PYTHON) bootstrap.py bench detect $(ARGS)

doctor: ## what is missing on this machine, and the command that mends it
	@$(PYTHON) bootstrap.py doctor $(ARGS)

# No address of a registry may enter a lock: never add --emit-index-url, never commit uv.lock.
LOCK := .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock: ## compile the hash-pinned requirements again from pyproject.toml (keeps pins that still fit)
	@$(PYTHON) bootstrap.py env-test
	$(LOCK) pyproject.toml --extra build -o requirements/base.lock
	$(LOCK) pyproject.toml --extra build --extra test -c requirements/base.lock -o requirements/test.lock
	for peer in anjana anonypy presidio; do $(LOCK) requirements/bench-$$peer.in -o requirements/bench-$$peer.lock; done
