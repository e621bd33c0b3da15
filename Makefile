# One line per task; `make` prints them.
GO       ?= go
GOLANGCI := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 20s
FOR      ?= 10m
SEED     ?=
PKG      ?= ./...
MATRIX   ?= 14 15 18
RUN      ?= .

.DEFAULT_GOAL := help
.PHONY: help demo test race torture matrix bench bench-quick microbench fuzz generate verify lint

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Import the example bank's ledger into an embedded store and show what is in it
	@./example/bank/demo.sh

test: ## Run all tests; they find or start a PostgreSQL by themselves
	$(GO) test -timeout 20m $(PKG)

race: ## Run all tests under the race detector, but those of the generator, which has one goroutine
	$(GO) test -race -timeout 40m $$($(GO) list $(PKG) | grep -v -e /cmd/esgen -e /templates -e /docs/checking)

torture: ## Kill processes, servers and connections for FOR (10m) and check what is stored (SEED=n to repeat)
	ESGEN_TORTURE_FOR=$(FOR) ESGEN_SEED=$(SEED) $(GO) test -count=1 -timeout 0 -v -run '^TestTorture' ./internal/torture

matrix: ## Run the tests that need a PostgreSQL on every version of MATRIX (default 14, 15 and 18)
	@packages=$$($(GO) list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./runtime/... ./example/... ./cmd/... | \
		awk '/internal\/pgtest/ {print $$1}'); missing=; \
	for version in $(MATRIX); do \
		bin=$$(.ci/postgres $$version) || { missing="$$missing $$version"; continue; }; \
		echo "== $$($$bin/postgres --version), in $$bin"; \
		ESGEN_TEST_DATABASE_URL= ESGEN_TEST_POSTGRES=installed ESGEN_TEST_POSTGRES_BIN=$$bin \
			$(GO) test -count=1 -timeout 20m $$packages || exit 1; \
	done; \
	if [ -n "$$missing" ]; then echo "not run on PostgreSQL$$missing: see above"; exit 1; fi

bench: ## Measure the PostgreSQL store against its limits (RUN=regexp for some rows)
	$(GO) run ./bench run -run '$(RUN)'

bench-quick: ## Measure the first rows only, in under two minutes
	$(GO) run ./bench run -quick -run '$(RUN)'

microbench: ## Run the Go benchmarks of the packages (RUN=regexp for some)
	$(GO) test -run '^$$' -bench '$(RUN)' -benchmem $(PKG)

fuzz: ## Fuzz every fuzz target for FUZZTIME each (default 20s)
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

generate: ## Write all generated code anew
	$(GO) generate ./...

verify: generate ## Fail if generated code is not current, or a change breaks stored events
	@$(GO) run ./cmd/esgen check ./example/... ./docs/...
	@status=$$(git status --porcelain); if [ -n "$$status" ]; then \
		echo "generated files are not current; run make generate and commit:"; echo "$$status"; git --no-pager diff; exit 1; fi

lint: ## Run go vet and the linters
	$(GO) vet ./...
	$(GOLANGCI) run
