# Everything starts here: `make help` lists the commands.
# A fresh machine needs only Python 3.11+ (with venv), make and git; the rest is installed into this folder.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
UV_VERSION := 0.13.9
UV := $(shell command -v uv || echo .bootstrap/bin/uv)
# --inexact: `make demo` leaves alone what `make test` installed.
SYNC = UV_PYTHON_DOWNLOADS=never UV_PYTHON=$(PYTHON) $(UV) sync --frozen --inexact --quiet
RUN = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: demo run test lint bench torture screenshots help install install-all

demo: ## Run the demo site: web, worker, beat, broker and mailbox, everything embedded
	@$(PYTHON) resource_center/preflight.py demo
	@$(MAKE) --no-print-directory install
	@exec $(RUN) -m resource_center.start demo

run: ## Run the same processes with the environment's settings, without demo content
	@$(PYTHON) resource_center/preflight.py run
	@$(MAKE) --no-print-directory install
	@exec $(RUN) -m resource_center.start run

test: ## Run the whole test suite
	@$(PYTHON) resource_center/preflight.py test
	@$(MAKE) --no-print-directory install-all
	@exec $(RUN) -m tests

lint: install-all ## Check style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	SECRET_KEY=lint $(RUN) manage.py makemigrations --check --dry-run

bench: install-all ## Measure speed: mail, pages, search
	@exec $(RUN) -m pytest tests/benchmarks -s

torture: install-all ## Break things on purpose, for a long time, and count what was lost
	@exec $(RUN) -m pytest tests/torture -s

screenshots: install-all ## Take pictures of every kind of page into docs/screenshots
	@exec $(RUN) -m tests.screenshots

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(UV)
	@test -x $(RUN) || echo "Installing what the site needs (once; about a minute) ..."
	@$(SYNC) --no-dev

install-all: $(UV)
	@test -x .venv/bin/pytest || echo "Installing what site and tests need (once; about a minute) ..."
	@$(SYNC) --all-groups

.bootstrap/bin/uv:
	@echo "Installing uv $(UV_VERSION), which installs the rest ..."
	@$(PYTHON) -m venv .bootstrap
	@.bootstrap/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
