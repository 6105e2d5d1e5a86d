# Every step of development and of CI is a target here; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed
DEMO := runs/demo/fly_chr2R_500kb.gff
DATA ?= data

.PHONY: help install demo test test-gpu lint format tokens bench growth build clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## Make .venv with the locked requirements and this checkout (once)

$(STAMP): requirements.lock setup.py
	@set -e; for python in python3.11 python3.12 python3.13 python3; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    [ -x $(PYTHON) ] || $$python -m venv $(VENV); break; fi; \
	done; [ -x $(PYTHON) ] || { echo 'make install: needs Python 3.11 or later' >&2; exit 1; }
	$(PYTHON) -m pip install --quiet -r requirements.lock
	$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Predict the genes of 500 kb of the fly genome
	$(PYTHON) bin/demo.py

test: install ## Run the tests that need no GPU
	$(PYTHON) -m pytest -n logical --dist worksteal -m "not gpu and not slow"

test-gpu: install ## Run the tests that need a GPU
	$(PYTHON) -m pytest -m gpu

lint: install ## Check style and format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: install ## Mend style and format in place
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

tokens: install ## Write the annotation tokens to data/new_tokens.txt
	$(PYTHON) bin/tokenizer.py --output ./data/new_tokens.txt

bench: install ## Compare with the installed AUGUSTUS; DATA=folder with splits.tsv
	$(PYTHON) -m benchmarks.annotate --data $(DATA)

growth: install ## Measure time and memory against length and contigs (hours)
	$(PYTHON) -m benchmarks.growth examples/fly_chr2R_500kb.fa.gz --output runs/growth.json

build: install ## Build wheel and sdist into dist/
	$(PYTHON) -m build --no-isolation

clean: ## Remove what the other targets made, .venv included
	rm -rf $(VENV) build dist runs/demo *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
