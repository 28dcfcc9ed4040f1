# Skirmish. `make` lists the targets.

GO    ?= go
BOTS  ?= 1000
FUZZ  ?= 20s
BENCH ?= .
KILLS ?= 1000
SEEDS ?= 10000
SOAK  ?= 30m
FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test bench swarm capacity crash upgrade soak fuzz golden lint

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the server and print a page to open and play (FLAGS="--addr :8080")
	$(GO) run ./server --dev $(FLAGS)

test: ## install what the tests need (npm packages, Chromium) and run all of them
	.ci/test

bench: ## run the benchmarks (BENCH=regexp COUNT=3) and compare them with the last commit's
	.ci/bench '$(BENCH)'

swarm: ## start a server and play it with BOTS=1000 bots, then read the report
	.ci/swarm $(BOTS) $(FLAGS)

capacity: ## search the most players that one core holds, at 20 and 60 Hz
	.ci/capacity $(FLAGS)

crash: ## kill -9 a server under a swarm of BOTS and start it again: the players' own view of it
	.ci/crash crash $(BOTS) $(FLAGS)

upgrade: ## have a new process take over under a swarm of BOTS: the players' own view of it
	.ci/crash upgrade $(BOTS) $(FLAGS)

soak: ## play a server and a swarm for SOAK=30m, SEEDS=10000 of the simulation, KILLS=1000 of kill -9
	.ci/soak $(SOAK) $(SEEDS) $(KILLS)

fuzz: ## run every fuzz target for FUZZ=20s each
	.ci/fuzz $(FUZZ)

golden: ## write the golden files of the wire, the games and the journal anew
	$(GO) test ./protocol ./game/arena ./game/replay ./server/journal ./server/wsconn ./server/ticket -run Golden -update

lint: ## gofmt, go vet on three systems, go fix, staticcheck
	.ci/lint
