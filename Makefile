# Tools are pinned here and installed into .bin, not in go.mod: they are no part
# of the program. "make help" prints the targets.
GOLANGCI_LINT = v2.15.0
GOVULNCHECK   = v1.9.0

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# What is built: static, without symbols and without a library for a format that
# nobody speaks here. The version and the commit are stamped in, with the date of
# the commit, so that the same commit makes the same program. Without git they are
# empty.
BINARY  ?= ribglass
COMMIT  := $(shell git describe --always --abbrev=40 --exclude '*' --dirty=+changes 2>/dev/null)
DATE    := $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
VERSION := $(shell git describe --tags --match 'v[0-9]*' --dirty=+changes 2>/dev/null)
STAMP   := ribglass/cmd/ribglass/build
GOBUILD := CGO_ENABLED=0 go build -trimpath -tags nomsgpack \
  -ldflags "-s -w -X $(STAMP).version=$(VERSION) -X $(STAMP).commit=$(COMMIT) -X $(STAMP).date=$(DATE)"

BIN := $(CURDIR)/.bin
FUZZTIME ?= 10s
CONFIG   ?= configs/demo.yaml

.DEFAULT_GOAL := help
.PHONY: help run build check test race interop browser scripts figures screenshots fuzz bench ratio stale clean fmt vulncheck

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and start Ribglass with the demonstration (CONFIG=FILE for another configuration)
	./ribglass serve --config $(CONFIG)

build: ## build ./ribglass (BINARY=FILE for another place)
	$(GOBUILD) -o $(BINARY) ./cmd/ribglass

check: vulncheck $(BIN)/golangci-lint-$(GOLANGCI_LINT) ## formatting, vet, lint, modules, known vulnerabilities
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) fmt --diff ./...
	go vet ./...
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) run ./...
	go mod tidy -diff
	go mod verify

fmt: $(BIN)/golangci-lint-$(GOLANGCI_LINT) ## format the code
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) fmt ./...

test: ## run all tests, and say which were skipped and why
	go test -v ./... 2>&1 | .ci/skipped

race: ## run all tests with the race detector, the long ones shortened, but for those with real daemons
	go test -v -race -short $$(go list ./... | grep -v /interop$$) 2>&1 | .ci/skipped

interop: ## run the tests with real BGP daemons (skips what is not installed, fails where CI is set)
	go test -count=1 -v ./cmd/ribglass/interop | grep -v -e '^=== ' -e '^ *--- PASS'

browser: build ui/browser/node_modules ## drive the pages of the running program with Chromium, w3m and lynx (needs node >= 18, npm)
	cd ui/browser && npm test

scripts: ui/browser/node_modules ## types, lint and unit tests of the scripts of the pages (needs node, npm)
	cd ui/browser && npm run --silent check

figures: build ui/browser/node_modules ## measure pages in Chromium: server, paint, layout shift, frames while scrolling
	cd ui/browser && npm run --silent figures

screenshots: build ui/browser/node_modules ## take pictures of the main pages into docs/screenshots
	cd ui/browser && npm run screenshots

fuzz: ## run every fuzz target for FUZZTIME (10s)
	.ci/fuzz $(FUZZTIME)

bench: build ## build ./ribglass-bench and measure Ribglass (BENCH=FLAGS), and BIRD 2 beside it where it is installed
	$(GOBUILD) -o ribglass-bench ./cmd/ribglass-bench
	./ribglass-bench $(BENCH)

stale: ## say which figures of docs/performance.md are older than what they describe
	.ci/stale

# About fifteen seconds: a small feed twice, and what history may cost more of the
# processor than loading without it. The full measurement is in docs/performance.md.
ratio: build ## load feeds with and without history, and fail when that costs 1.7 times the processor time
	$(GOBUILD) -o ribglass-bench ./cmd/ribglass-bench
	./ribglass-bench --bird off --feeds 2 --v4 600000 --v6 100000 --most-ratio 1.7

vulncheck: $(BIN)/govulncheck-$(GOVULNCHECK)
	.ci/vulncheck $(BIN)/govulncheck-$(GOVULNCHECK)

clean: ## remove what make made
	rm -rf ribglass ribglass-bench $(BIN) bench-out demo-data ui/browser/node_modules

# A tool's file carries its version, so that another version is another file.
$(BIN)/golangci-lint-$(GOLANGCI_LINT):
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	mv $(BIN)/golangci-lint $@

# Tests only: neither building nor running needs it.
ui/browser/node_modules: ui/browser/package.json ui/browser/package-lock.json
	cd ui/browser && npm ci --no-audit --no-fund
	touch $@

$(BIN)/govulncheck-$(GOVULNCHECK):
	GOBIN=$(BIN) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)
	mv $(BIN)/govulncheck $@
