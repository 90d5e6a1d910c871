# Aliases of dev.py, which needs no make.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup run test faults container browser bench contract check fmt lock

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: ## Make or update .venv
	$(PYTHON) dev.py setup

run: ## Start the server (ARGS="--port 9000")
	$(PYTHON) dev.py run $(ARGS)

test: ## Run the tests (ARGS="tests/domain -k lifecycle")
	$(PYTHON) dev.py test $(ARGS)

faults: ## Kill, stop and starve real processes (ARGS="--short")
	$(PYTHON) dev.py faults $(ARGS)

container: ## Run the steps of the Containerfile without a container engine
	$(PYTHON) dev.py container

browser: ## Look at the pages in a real Chromium (ARGS="-k keyboard")
	$(PYTHON) dev.py browser $(ARGS)

bench: ## Measure on a PostgreSQL of its own; without ARGS list the rows
	$(PYTHON) dev.py bench $(ARGS)

contract: ## Generate API clients in Python and Java, and use them
	$(PYTHON) dev.py contract $(ARGS)

check: ## Run everything CI runs
	$(PYTHON) dev.py check

fmt: ## Format the code and repair what the linter can
	$(PYTHON) dev.py fmt

lock: ## Make requirements/ again (ARGS="--upgrade")
	$(PYTHON) dev.py lock $(ARGS)
