# The commands of this repository; `make` alone lists them.
#
# Virtual environments: .venv for service, tests and tools, .venv/emulator for the local AWS, which pins its own boto3, .venv/supply for
# what looks at the locks, .venv/infra for what looks at infra/, .venv/rehearsal for a second emulator of AWS, .venv/docs for what draws. A target that needs one makes it, again when
# its lock has changed.
# PYTHON=<path> chooses the interpreter for new ones.

.DEFAULT_GOAL := help
.SILENT:
.DELETE_ON_ERROR:

VENV := .venv/.ready
EMULATOR := .venv/emulator/.ready
SUPPLY := .venv/supply/.ready
INFRA := .venv/infra/.ready
REHEARSAL := .venv/rehearsal/.ready
DOCS := .venv/docs/.ready
PYTHON_BIN := .venv/bin/python
STACK := .venv/emulator/bin/python -m smas_emulator.stack
INSTALL := PYTHON="$(PYTHON)" requirements/environment.sh

# Whether there may be something to stop: only then does `make down` need an environment.
STARTED := $(wildcard .smas/processes.json .smas/compose.env)

# Only from the command line: many shells have PORT and USER set for reasons of their own.
given = $(if $(filter command,$(origin $(1))),$($(1)))
UP_OPTIONS = --runtime $(or $(RUNTIME),auto) $(if $(call given,BASE),--base-image $(BASE)) \
	$(if $(call given,PORT),--port $(PORT)) $(if $(call given,AWS_PORT),--aws-port $(AWS_PORT)) \
	$(if $(filter-out 0,$(call given,DEV)),--dev) $(if $(call given,DEBUG_PORT),--debug-port $(DEBUG_PORT))

##@ The local stack

.PHONY: up
up: runtime $(VENV) $(EMULATOR) ## start everything and print the addresses (RUNTIME=docker|native PORT=8080 AWS_PORT=4566 DEV=1)
	$(STACK) up $(UP_OPTIONS)

.PHONY: down
down: $(if $(STARTED),$(EMULATOR)) ## stop what `make up` started
	$(if $(STARTED),$(STACK) down,echo "nothing is running" >&2)

.PHONY: demo
demo: up ## train, publish, verify, fetch and load a model
	$(PYTHON_BIN) examples/demo.py

.PHONY: token
token: $(EMULATOR) ## print an access token alone (USER=ds-fraud)
	$(STACK) token -- "$$USER"

.PHONY: logs
logs: $(EMULATOR) ## follow the logs of all processes
	$(STACK) logs

.PHONY: status
status: $(EMULATOR) ## what runs, and where its log is
	$(STACK) status

.PHONY: invoke
invoke: $(VENV) ## call a function as Lambda does (EVENT=tests/events/download_event.json FUNCTION=verifier)
	PYTHONPATH=emulator $(PYTHON_BIN) -m tests.image.invoke $(or $(EVENT),--help) $(if $(FUNCTION),--function $(FUNCTION)) $(if $(IMAGE),--image $(IMAGE))

.PHONY: aws
aws: $(EMULATOR) ## run the AWS CLI against the local AWS (ARGS="s3 ls")
	$(STACK) aws $(ARGS)

##@ On AWS

.PHONY: rehearse
rehearse: $(VENV) $(EMULATOR) $(REHEARSAL) ## all of it on this machine: deploy, test, change, destroy (ARGS="--help")
	$(PYTHON_BIN) -m deployment rehearse $(ARGS)

# Which store: VARS=infra/small.tfvars, or your own copy of it. What each command does: .venv/bin/python -m deployment deploy --help
STORE_OPTIONS = $(if $(VARS),--vars $(VARS)) $(if $(call given,REGION),--region $(REGION))
IMAGE_OPTIONS = $(if $(call given,IMAGE),--image $(IMAGE))

.PHONY: plan
plan: $(VENV) ## show what a deployment would change (VARS=infra/small.tfvars REGION= IMAGE=)
	$(PYTHON_BIN) -m deployment plan $(STORE_OPTIONS) $(IMAGE_OPTIONS)

.PHONY: deploy
deploy: $(VENV) ## deploy the store, or bring it up to date (as plan; YES=1 DIRTY=1 BASE= ADDRESS=)
	$(PYTHON_BIN) -m deployment deploy $(STORE_OPTIONS) $(IMAGE_OPTIONS) \
		$(if $(filter-out 0,$(call given,YES)),--yes) $(if $(filter-out 0,$(call given,DIRTY)),--dirty) \
		$(if $(call given,BASE),--base-image $(BASE)) $(if $(call given,ADDRESS),--address $(ADDRESS))

.PHONY: destroy
destroy: $(VENV) ## take a store away, but nothing that is locked (VARS= KEEP=locked CONFIRM=)
	$(PYTHON_BIN) -m deployment destroy $(STORE_OPTIONS) \
		$(if $(call given,KEEP),--keep $(KEEP)) $(if $(call given,CONFIRM),--confirm $(CONFIRM))

.PHONY: access-review
access-review: $(VENV) ## who may do what, user by role (VARS=infra/small.tfvars; ARGS="--local" for the local stack)
	$(PYTHON_BIN) -m deployment access-review $(STORE_OPTIONS) $(ARGS)

.PHONY: test-aws
test-aws: $(VENV) $(EMULATOR) ## what only AWS can prove, in the account that you name (SMAS_TEST_AWS=111122223333)
	if [ -z "$(SMAS_TEST_AWS)" ]; then \
		echo "Name the account to test in: make test-aws SMAS_TEST_AWS=111122223333. First read docs/testing-on-aws.md." >&2; exit 2; \
	fi
	SMAS_TEST_AWS="$(SMAS_TEST_AWS)" $(PYTHON_BIN) -m pytest -p no:randomly tests/aws $(ARGS)

##@ Development

.PHONY: test
test: $(VENV) $(EMULATOR) ## run the tests (ARGS="-k name")
	$(PYTHON_BIN) -m pytest $(ARGS)

.PHONY: check
check: $(VENV) ## lint, format, types, import rules
	$(PYTHON_BIN) -m ruff check
	$(PYTHON_BIN) -m ruff format --check
	$(PYTHON_BIN) -m mypy
	$(PYTHON_BIN) -m mypy examples/demo.py
	.venv/bin/lint-imports

.PHONY: infra-check
infra-check: $(VENV) $(INFRA) ## Terraform: format, validation, its tests, checkov (ARGS="-k cloudwatch")
	$(PYTHON_BIN) -m pytest tests/infra/terraform $(ARGS)

.PHONY: audit
audit: $(VENV) $(EMULATOR) $(SUPPLY) ## licences and known vulnerabilities of the locks (ARGS="--help")
	.venv/supply/bin/python -m supply_chain.audit $(ARGS)

.PHONY: sbom
sbom: $(SUPPLY) ## write what the image is made of, as CycloneDX (IMAGE=smas:local)
	.venv/supply/bin/python -m supply_chain.sbom $(if $(IMAGE),--image $(IMAGE))

.PHONY: docs
docs: $(DOCS) ## draw docs/architecture.png and compute the tables of costs and limits anew
	.venv/docs/bin/python -m docs.sources

.PHONY: bench
bench: $(VENV) $(EMULATOR) ## measure (ARGS="--help")
	$(PYTHON_BIN) -m benchmarks $(ARGS)

.PHONY: lock
lock: $(VENV) ## write the locks anew from requirements/*.in
	for name in service client dev docs emulator infra mlflow rehearsal supply; do \
		echo "locking requirements/$$name.txt" >&2; \
		.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --quiet requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

.PHONY: clean
clean: down ## stop the stack, remove its state and all caches (not the environments)
	rm -rf .smas .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## list these commands
	awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: runtime
runtime:
	case "$(or $(RUNTIME),auto)" in \
		auto | native | docker) ;; \
		*) echo "RUNTIME is native, docker or auto (docker where it can be), not $(RUNTIME)." >&2; exit 1 ;; \
	esac

$(VENV): requirements/dev.txt client/pyproject.toml
	$(INSTALL) .venv requirements/dev.txt ./client

$(SUPPLY): requirements/supply.txt
	$(INSTALL) .venv/supply requirements/supply.txt

$(DOCS): requirements/docs.txt
	$(INSTALL) .venv/docs requirements/docs.txt

$(REHEARSAL): requirements/rehearsal.txt
	$(INSTALL) .venv/rehearsal requirements/rehearsal.txt

$(INFRA): requirements/infra.txt
	$(INSTALL) .venv/infra requirements/infra.txt

$(EMULATOR): requirements/emulator.txt emulator/pyproject.toml
	$(INSTALL) .venv/emulator requirements/emulator.txt ./emulator
