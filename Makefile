# hotdeal: `make` shows what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Scripts of k6/ that have a target of their own.
LOADS = load-deal-list load-order-list load-product-list load-repeated-clicks load-per-user-limit load-soak
.PHONY: help setup run demo run-distributed test bench bench-compare check fmt up down reports load-build \
	load-order-overload load-spike up-local $(LOADS)

# Where cargo puts what it builds.
TARGET = $${CARGO_TARGET_DIR:-target}

# Compose is a plugin of docker, or a program of its own.
COMPOSE = $$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what tests and `make run-distributed` need (redis-server, PostgreSQL, …)
	@scripts/setup.sh

run: ## Build the shop and run it, with a demo deal; Ctrl-C ends it
	cargo run --release --locked --package hotdeal -- run --demo

demo: ## Let 10,000 buyers race for the deal of `make run`, from another terminal
	cargo run --release --locked --quiet --package hotdeal -- demo

run-distributed: setup load-build ## Run both services on a private Redis and PostgreSQL; Ctrl-C ends them
	@$(TARGET)/release/local-shop --replicas 1 --gateway false

up-local: setup load-build ## Run two replicas of each service, gateway, PostgreSQL, Redis, Prometheus; Ctrl-C ends them
	@$(TARGET)/release/local-shop

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

load-order-overload: setup load-build ## The load target, before and after (MAX_VUS, NUM_USERS, RAMP_DURATION, HOLD_DURATION, REQUEST_TIMEOUT, ROUNDS, BASE_URL)
	@$(TARGET)/release/load order-overload

load-spike: setup load-build ## Sold out at once, before and after (NUM_USERS, STOCK, MAX_VUS, ROUNDS, BASE_URL)
	@$(TARGET)/release/load $(if $(BASE_URL),scenario) spike

load-deal-list: ## Everybody looks at the deals
load-order-list: ## Buyers look at their orders
load-product-list: ## Browsing the catalogue
load-repeated-clicks: ## Many clicks under one key are one order (CLICKS)
load-per-user-limit: ## Nobody gets more than the limit (LIMIT, EXTRA)
load-soak: ## Everything a buyer does, evenly and for long (RATE, DURATION)
$(LOADS): load-%: setup load-build
	@$(TARGET)/release/load scenario $*

# In one command, so that what they share is compiled once.
load-build:
	cargo build --release --locked --package load --package local-shop --package product-service --package order-service

reports: ## Fill the reports in docs/ from the stored results
	@cargo run --locked --quiet --package load -- report

fmt: ## Format the code
	cargo fmt --all

up: ## Build and start everything in containers (needs ADMIN_TOKEN and SERVICE_TOKEN)
	$(COMPOSE) up -d --build

down: ## Stop the containers; data stays in its volumes
	@# The file asks for the tokens whatever is done with it.
	ADMIN_TOKEN=none SERVICE_TOKEN=none $(COMPOSE) down
