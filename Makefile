# Every target is one line of `make help`. Python 3.11, git, make and Go are needed to begin with; `image` needs Python
# and a container engine.
PYTHON ?= python3
BIN := .venv/bin
UP := $(BIN)/greenroom up
TESTS ?= tests
# Test processes at once, each with a private stack of its own: most tests wait for something.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install up env demo fuzz down status doctor tools test lint types imports unit contract integration e2e chaos rolling soak openapi bench image scan clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Install what is missing: the environment, RabbitMQ, Redis, LiveKit (quick when nothing is)
	@$(PYTHON) -m deploy.local.install

up: install ## Start everything on this machine and show its logs; Ctrl-C stops all of it
	@$(UP)

demo: install ## A live session with real media on the running stack (or one of its own), checked against the API
	@$(BIN)/greenroom demo

env: install ## Write deploy/.env for Compose: secrets that it lacks, and HOST=<name or IP> as the machine's address
	@$(BIN)/greenroom keys env --file deploy/.env $(if $(filter command,$(firstword $(origin HOST))),--host $(HOST))

down: ## Stop a stack that runs in the background
	@$(BIN)/greenroom down

status: ## Show how each part of the stack is
	@$(BIN)/greenroom status

doctor: ## Look for what the stack needs and say what is missing
	@$(BIN)/greenroom doctor

tools: install ## Install what some tests need beside: a container engine, if none works
	@$(PYTHON) -m deploy.local.install.tools

# The images that tests run are built beside what needs one core only; the tests wait for them.
test: install tools ## Everything that has to hold before a change goes in
	@$(BIN)/python -m tests.containers.building >/dev/null 2>&1 & \
		$(MAKE) --no-print-directory --jobs 3 --output-sync lint types imports && \
		$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: install ## Style and common mistakes (ruff)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: install ## Types (mypy --strict)
	@$(BIN)/mypy

imports: install ## Who may import whom (import-linter)
	@$(BIN)/lint-imports

unit: install ## Tests without any process
	@$(BIN)/pytest tests/unit

contract: install ## The same cases over the memory forms and over the real parts
	@$(BIN)/pytest tests/contract

integration: install ## Tests on the real processes of a private stack
	@$(BIN)/pytest tests/integration

e2e: install ## Whole sessions on a private stack, with media
	@$(BIN)/pytest tests/e2e

fuzz: install ## 10,000 good and bad calls held against the API document, then crowds of slow clients (FUZZ="--help")
	@$(BIN)/python -m tests.fuzz $(FUZZ)

chaos: install ## Kill and freeze each part under load, then check every promise (CHAOS="--help" for options)
	@$(BIN)/python -m tests.chaos $(CHAOS)

rolling: install ## Replace two replicas of each service one by one under load: nothing fails or is lost (ROLLING="--help")
	@$(BIN)/python -m tests.rolling $(ROLLING)

soak: install ## Half load for half an hour: memory, file descriptors and tasks stay as they are (SOAK="--help")
	@$(BIN)/python -m tests.soak $(SOAK)

openapi: install ## Write what is made from the code: API, events, permissions, settings, metrics, dashboards, the chart's README
	@$(BIN)/greenroom openapi

bench: install ## Figures as ratios to bare programs in the same run; drawn in docs/results/ (BENCH="--help")
	@$(BIN)/python -m tests.bench $(BENCH)

image: ## Build the container images with docker, podman or buildah (IMAGE="--help")
	@$(PYTHON) -m deploy.images $(IMAGE)

scan: install ## Known vulnerabilities in what is shipped, asked over the network (SCAN="--help")
	@$(BIN)/python -m deploy.scan $(SCAN)

clean: down ## Stop the stack and remove its data and all caches (the environment stays)
	@rm -rf .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
