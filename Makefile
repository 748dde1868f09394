# Run "make" for the list of targets.
.DEFAULT_GOAL := help
SHELL         := bash

GO        ?= go
TIMEOUT   ?= 10m
BENCH     ?= .
FUZZTIME  ?= 10s
# What has goldens: the packages whose tests read UPDATE, but for those in EXCEPT.
GOLDEN    ?= $(shell grep -rl --include '*_test.go' '"UPDATE"' internal | xargs -n1 dirname | sort -u | sed 's|^|./|')
CHAOS     ?= 300
PROCESSES ?= 500
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT    ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE      ?= $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
LDFLAGS   := -s -w $(foreach v,Version=$(VERSION) Commit=$(COMMIT) Date=$(DATE),-X pcconnect.ai/descope-mgmt/internal/cli.build$v)

.PHONY: help build test lint fmt check golden cover bench fuzz chaos conformance lsp demo snapshot hooks clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/descope-mgmt
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/descope-mgmt

test: ## run all tests
	$(GO) test -timeout $(TIMEOUT) $(TESTFLAGS) ./...

lint: ## static analysis; the linter is built once, outside the clone
	lint=$$(scripts/tools.sh golangci-lint) && $$lint config verify && $$lint run ./...

fmt: ## format Go and CUE files
	lint=$$(scripts/tools.sh golangci-lint) && $$lint fmt ./...
	$(GO) run ./cmd/descope-mgmt fmt schema envs

check: ## everything that CI runs; SUITES="race docs" runs some of it
	scripts/check.sh $(SUITES)

golden: ## rewrite the golden files and script tests from what the code does
	UPDATE=1 $(GO) test -count=1 -timeout $(TIMEOUT) $(filter-out $(EXCEPT),$(GOLDEN))

cover: ## run all tests with coverage and check the floors
	$(MAKE) test TESTFLAGS='-coverprofile coverage.out -coverpkg ./internal/...'
	scripts/cover.sh coverage.out

bench: ## run the benchmarks (BENCH=regexp selects), then measure what has a budget
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m ./internal/...
	cue=$$(scripts/tools.sh cue) && cd bench && $(GO) test -count=1 -timeout 30m -full -cue "$$cue"

fuzz: ## run every fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)

chaos: ## kill CHAOS processes, race PROCESSES rounds of them, crash at every point (long)
	CAMPAIGNS=1 CHAOS=$(CHAOS) PROCESSES=$(PROCESSES) CRASH_EVERY=1 $(GO) test -count=1 -v -timeout 6h -run '^Test(Chaos|Crashes|ManyProcesses)' ./internal/cli

conformance: build ## drive the emulator with an official SDK (needs Node)
	cd conformance && npm ci --no-audit --no-fund
	cd conformance && DESCOPE_MGMT_BIN=$(CURDIR)/bin/descope-mgmt npm test

lsp: build ## drive the language server as an editor does (needs Node)
	cd conformance && npm ci --no-audit --no-fund
	cd conformance && DESCOPE_MGMT_BIN=$(CURDIR)/bin/descope-mgmt npm run test:lsp

demo: build ## evaluate, plan and sync dev to the embedded emulator
	scripts/demo.sh

snapshot: ## make a release of the work tree in dist/, without publishing it
	goreleaser=$$(scripts/tools.sh goreleaser) && PATH="$$(dirname "$$(scripts/tools.sh cyclonedx-gomod)"):$$PATH" \
		$$goreleaser release --snapshot --clean

hooks: ## check each commit before it is made (sets core.hooksPath)
	git config core.hooksPath .githooks

clean: ## remove what was built
	rm -rf bin dist dist-files coverage.out conformance/node_modules
