# Everything that people and CI run. Each command first installs what it needs (scripts/setup, quick when all is there).

SHELL := /bin/bash
CARGO ?= cargo
# For this recipe's `cargo doc` alone; clippy and rustc take their lints from the workspace table.
DOC_FLAGS := -D warnings

# Node as scripts/setup brings it where the system has none that is new enough.
export PATH := $(CURDIR)/target/node/bin:$(PATH)

# Where cargo puts programs. What one command has built is started from there: `cargo run -p` would compile its dependencies
# again with fewer features.
BUILT := $(or $(CARGO_TARGET_DIR),target)/debug
XTASK ?= $(CARGO) run --quiet -p xtask --

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench fuzz mutants doc web build-web

# In one call, so that what they share is compiled once; object stores are not part of it.
DEMO_PACKAGES := xtask countersign-cli countersign-timestamp countersign-revocation countersign-tests

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## sign, timestamp, verify, tamper with and revoke a real file, on loopback
	@scripts/setup demo
	@echo "demo: building the programs (some eight minutes on two cores the first time)"
	@$(CARGO) build $(DEMO_PACKAGES:%=-p %) --bins --no-default-features
	@echo "demo: building the WebAssembly module and the page"
	@$(MAKE) --no-print-directory --silent build-web XTASK=$(BUILT)/xtask
	@$(BUILT)/countersign-demo

# The documentation's examples first, so that nextest's summary is the last thing printed.
test: ## all tests
	@scripts/setup test
	$(CARGO) build --workspace --bins
	@$(MAKE) --no-print-directory build-web XTASK=$(BUILT)/xtask
	$(CARGO) test --quiet --workspace --doc
	$(CARGO) nextest run --workspace

web: ## the WebAssembly module, the npm package, the page and the element, in web/dist
	@scripts/setup web
	@$(MAKE) --no-print-directory build-web

# For commands that have run scripts/setup.
build-web:
	$(XTASK) wasm
	cd web && npm run --silent build

check: ## format, lints, dependencies, documentation, core without std
	@scripts/setup check
	$(CARGO) fmt --all --check
	cd web && npm run --silent format:check
	cd web && npm run --silent lint
	shellcheck $$(find scripts -type f -executable) .ci/run
	$(CARGO) shear --deny-warnings
	$(CARGO) shear --deny-warnings fuzz
	$(CARGO) deny --log-level error check bans licenses sources
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="$(DOC_FLAGS)" $(CARGO) doc --workspace --no-deps
	scripts/check-core

format: ## format Rust and everything in web
	@scripts/setup check
	$(CARGO) fmt --all
	cd web && npm run --silent format

bench: ## benchmarks, with their aims
	@scripts/setup bench
	$(CARGO) build --release -p countersign-cli -p countersign-timestamp -p countersign-revocation
	$(CARGO) bench -p countersign-daemon --bench ledger
	$(CARGO) bench -p countersign-tests
	@$(MAKE) --no-print-directory --silent build-web
	$(CARGO) run --quiet -p countersign-tests --bin countersign-corpus
	$(CARGO) run --quiet -p xtask -- wasm-bench
	node web/bench/node.js
	node web/bench/browser.js

fuzz: ## each fuzz target for FUZZ_SECONDS (default 30)
	@scripts/setup fuzz
	@scripts/fuzz

mutants: ## changes the verification core, one thing at a time: do the tests notice? (two hours)
	@scripts/setup mutants
	@scripts/mutants

doc: ## the crates' documentation, in target/doc, and the pages made from the code
	@scripts/setup doc
	COUNTERSIGN_WRITE_DOCUMENTS=1 $(CARGO) test --quiet -p countersign-tests --test documents
	$(CARGO) run --quiet -p xtask -- types
	$(CARGO) doc --workspace --no-deps
