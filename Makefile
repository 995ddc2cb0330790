# `make test` is all a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
EXECUTIONS ?= 1000000
BIN := .venv/bin
.PHONY: help venv test check fuzz soak planted bench demo docs generate lock format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

.venv/installed: requirements.lock pyproject.toml
	@PYTHON=$(PYTHON) sh .ci/venv

venv: .venv/installed ## build .venv from the lock: `python3 udpchat.py` needs it

test: .venv/installed ## build .venv from the lock, then run the tests: those of the core with branch coverage, then all others
	@$(BIN)/coverage run -m pytest -q tests/core
	@$(BIN)/coverage report
	@$(BIN)/python -m pytest -q --ignore=tests/core

check: .venv/installed ## format, lint, types, layers, changelog fragments
	@sh .ci/check

bench: .venv/installed ## ours against the bare primitives, side by side, as a table
	@$(BIN)/python -m benchmarks $(ARGS)

fuzz: .venv/installed ## fuzz every function that touches remote bytes, a million executions each (many minutes)
	@$(BIN)/python -m tests.fuzz.run --executions $(EXECUTIONS)

soak: .venv/installed ## random bad networks under the oracle: 200 simulated hours, 200,000 messages, 2,000 crashes at boundaries
	@$(BIN)/python -m tests.simulation.soak $(or $(ARGS),--hours 200 --messages 200000 --crashes 2000)

planted: .venv/installed ## plant each of a list of faults in a copy, and see the oracle catch it by its name (half an hour)
	@$(BIN)/python -m tests.simulation.planted $(ARGS)

demo: .venv/installed ## a server and three clients chat over a network that loses every fifth datagram (20 seconds)
	@$(BIN)/python -m udpchat_cli.demo

docs: .venv/installed ## the reference, the tutorial and the Python API as a site that needs no network: site/index.html
	@$(BIN)/python -m sphinx -q -W --keep-going -b html -c docs -d build/doctrees . site
	@$(BIN)/python -m docs.offline site
	@echo "the site is there: open site/index.html"

generate: .venv/installed ## what is generated: tables, drawings and vectors in spec/, the manual page in packaging/
	@$(BIN)/python -m spec.tools.generate

format: .venv/installed ## format the code
	@$(BIN)/ruff check -q --fix-only . ; $(BIN)/ruff format -q .

lock: .venv/installed ## pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	  --no-annotate --python-version 3.11 --upgrade --all-extras \
	  --group build --group dev --group docs --group fuzz pyproject.toml -o requirements.lock

clean: ## remove what was built
	@rm -rf .venv site build .fuzz .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
