# hotdeal: `make` shows what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run demo run-distributed test bench bench-compare check fmt up down

# Compose is a plugin of docker, or a program of its own.
COMPOSE = $$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what tests and `make run-distributed` need (redis-server, PostgreSQL, …)
	@scripts/setup.sh

run: ## Build the shop and run it, with a demo deal; Ctrl-C ends it
	cargo run --release --locked --package hotdeal -- run --demo

demo: ## Let 10,000 buyers race for the deal of `make run`, from another terminal
	cargo run --release --locked --quiet --package hotdeal -- demo

run-distributed: setup ## Run both services on a private Redis and PostgreSQL; Ctrl-C ends them
	@scripts/run.sh

test: setup ## Run all tests on private Redis and PostgreSQL
	@scripts/test.sh

bench: setup ## Measure how fast the shop is (ONLY=P1a,P4 ROUNDS=5 MEASURED=5s WARM_UP=2s)
	cargo build --release --locked --package bench --package product-service --package order-service --package hotdeal
	$${CARGO_TARGET_DIR:-target}/release/bench run $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(MEASURED),--measured $(MEASURED)) $(if $(WARM_UP),--warm-up $(WARM_UP))

bench-compare: ## Hold two files of results against each other (A=bench/results/….json B=…)
	cargo run --release --locked --quiet --package bench -- compare $(A) $(B)

check: ## Formatting, lints, documentation and dependency rules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --workspace --locked
	cargo test --locked --package test-kit --test dependencies

fmt: ## Format the code
	cargo fmt --all

up: ## Build and start everything in containers (needs ADMIN_TOKEN and SERVICE_TOKEN)
	$(COMPOSE) up -d --build

down: ## Stop the containers; data stays in its volumes
	@# The file asks for the tokens whatever is done with it.
	ADMIN_TOKEN=none SERVICE_TOKEN=none $(COMPOSE) down
