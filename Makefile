# Penstock's chores. `make` alone lists them.

# The versions of everything that go.mod does not pin.
export GOLANGCI_LINT_VERSION := v2.15.0
export KAFKA_VERSION := 4.3.1
export LOG4J_VERSION := 2.25.1
export POSTGRES_VERSION := 17.6.0
export MAVEN_DEPENDENCY_PLUGIN_VERSION := 3.11.0
export APICURIO_VERSION := 3.3.3
# For a Java older than 21.
export APICURIO_JAVA17_VERSION := 2.6.13.Final

GOLANGCI_LINT := .cache/bin/golangci-lint-$(GOLANGCI_LINT_VERSION)

# Without this, make would take a folder of the same name for the target's result.
.PHONY: help ci fmt fmt-check lint vet test test-kafka bench bench-module chaos kafka kafka-stop kafka-status tools

.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

ci: fmt-check lint vet test bench-module test-kafka ## Everything that must pass before a change is merged

fmt: $(GOLANGCI_LINT) ## Format the Go files
	$(GOLANGCI_LINT) fmt ./...

fmt-check: $(GOLANGCI_LINT) ## Fail when a Go file is not formatted, and show how it should be
	$(GOLANGCI_LINT) fmt --diff ./...

lint: $(GOLANGCI_LINT) ## Run the linters that .golangci.yml chooses
	$(GOLANGCI_LINT) run ./...

vet: ## Run go vet, with and without the tests that need a Kafka
	go vet ./...
	go vet -tags kafka ./...

test: ## Run the tests with the race detector; they bring their own embedded broker
	go test -race -timeout 15m ./...

test-kafka: ## Run the tests that need a real Kafka, on a fresh one: [PKG=./router/...] [RUN=TestName] [BENCH=BenchmarkName]
	PKG='$(PKG)' RUN='$(RUN)' BENCH='$(BENCH)' scripts/test-kafka.sh

bench: ## Measure a stage beside its peers: [CASE=stage|hotkey|slow|lanesfast|exactly-once] [MESSAGES=1000000] [ROUNDS=3] [BROKERS=embedded,kafka] [CONTESTANTS=ours,kgo] [GOGC=100] [PROFILE=dir]
	cd benchmarks && go build -o ../bin/bench .
	RESULTS='$(if $(RESULTS),$(RESULTS),$(if $(or $(CASE),$(MESSAGES),$(ROUNDS),$(BROKERS),$(CONTESTANTS),$(GOGC)),,benchmarks/results/latest.json))' bin/bench

bench-module: $(GOLANGCI_LINT) ## Check the benchmarks, a module of their own: they build, and their tests pass
	cd benchmarks && ../$(GOLANGCI_LINT) fmt --config ../.golangci.yml --diff ./...
	cd benchmarks && ../$(GOLANGCI_LINT) run --config ../.golangci.yml ./...
	cd benchmarks && go vet ./... && go test -race -timeout 5m ./...

chaos: ## Let workers, brokers and connections fail under load on three Kafka nodes, and check: [MODE="at-least-once exactly-once graceful parking"] [KILLS=10] [ONLY=kill] [MESSAGES=200000] [RATE=1600] [SEED=n] [KEYS=1000] [PROCESSES=2] [SESSION=1.5s]
	MODE='$(MODE)' KILLS='$(KILLS)' ONLY='$(ONLY)' MESSAGES='$(MESSAGES)' RATE='$(RATE)' SEED='$(SEED)' KEYS='$(KEYS)' PROCESSES='$(PROCESSES)' SESSION='$(SESSION)' scripts/chaos.sh

kafka: ## Start a real Kafka on this machine and keep it running: [NODES=1|3] [PENSTOCK_KAFKA_PORT=19092]
	NODES='$(NODES)' scripts/kafka.sh start

kafka-stop: ## Stop the Kafka that make kafka started; its topics are kept
	scripts/kafka.sh stop

kafka-status: ## Say which Kafka of this clone runs, and where
	scripts/kafka.sh status

tools: $(GOLANGCI_LINT) ## Install the tools for the targets above into .cache/bin

$(GOLANGCI_LINT):
	scripts/tools.sh
