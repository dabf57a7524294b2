# Every command of the project; CI runs the same ones. `make help` lists them.
SHELL := bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.cache/cargo-tools/bin:$(PATH)

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

.PHONY: setup
setup: ## install what is missing to build, run and test
	@bash scripts/setup.sh test

.PHONY: build
build: ## build target/release/mps
	cargo build --release --locked -p mps

.PHONY: run
run: ## set up, build, start a server, send a clip through it (INPUT=clip DATA=folder)
	@bash scripts/setup.sh run
	@$(MAKE) --no-print-directory build
	@bash scripts/run-sample.sh

.PHONY: stop
stop: ## end the server that `make run` left running
	@bash scripts/stop.sh

.PHONY: test
test: ## run every test
	@bash scripts/setup.sh test
	@bash scripts/test.sh

.PHONY: check
check: ## formatting, lints, licences, generated files, sizes and edges, documents
	@bash scripts/check.sh

.PHONY: gen
gen: ## write everything that is generated
	cargo xtask gen
	cargo run -q -p mps -- config print-default > config/mps.toml
	cargo run -q -p mps -- config reference > docs/en/reference/configuration.md

.PHONY: check-docs
check-docs: ## compare the English and the Russian pages
	cargo xtask docs

.PHONY: coverage
coverage: ## print the table of actions and members: done, refused, absent
	cargo xtask coverage

.PHONY: bench
bench: ## measure everything, or CASE=name
	@bash scripts/setup.sh run
	@bash scripts/bench.sh $(CASE)

.PHONY: fuzz
fuzz: ## let every fuzz target run for a while (SECONDS_EACH=60)
	@bash scripts/fuzz.sh $(or $(SECONDS_EACH),60)
