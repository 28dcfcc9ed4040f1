# Skirmish. `make` lists the targets.

GO    ?= go
BOTS  ?= 1000
FUZZ  ?= 20s
BENCH ?= .
FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test bench swarm fuzz golden lint

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the server and print a page to open and play (FLAGS="--addr :8080")
	$(GO) run ./server --dev $(FLAGS)

test: ## install what the tests need (npm packages, Chromium) and run all of them
	.ci/test

bench: ## run the benchmarks (BENCH=regexp)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

swarm: ## start a server and play it with BOTS=1000 bots, then read the report
	.ci/swarm $(BOTS) $(FLAGS)

fuzz: ## run every fuzz target for FUZZ=20s each
	.ci/fuzz $(FUZZ)

golden: ## write the golden files of the wire and the games anew
	$(GO) test ./protocol ./game/arena ./server/wsconn ./server/ticket -run Golden -update

lint: ## gofmt, go vet on three systems, go fix, staticcheck
	.ci/lint
