.PHONY: help demo test bench bench-job lint picture sqlx sqlx-check release

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## Set everything up and open the console on demo data (ARGS=--reset starts over)
	@scripts/demo.sh $(ARGS)

test: ## Set up what the tests need and run them all
	@scripts/test.sh

bench: ## Run the benchmarks
	cargo bench --locked

bench-job: ## Measure a bulk resend over a million verifications (some minutes)
	@scripts/install-postgres.sh
	VERIFYDESK_TEST_JOB=1000000 cargo test --locked --test it jobs::scale -- --nocapture

lint: ## Check format, clippy, documentation and .sqlx/
	@scripts/lint.sh

picture: ## Draw README's picture of the console anew, from a real run
	@scripts/picture.sh

sqlx: ## Write .sqlx/ anew, after a change of queries or migrations
	@scripts/install-postgres.sh
	@scripts/sqlx.sh

sqlx-check: ## See whether .sqlx/ is in step with queries and migrations
	@scripts/install-postgres.sh
	@scripts/sqlx.sh --check

release: ## Build the optimized program
	cargo build --release --locked
