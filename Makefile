.PHONY: help clients demo docs test compare chaos-test crash-test migration-test upgrade-test pace-test bench bench-events bench-job bench-search bench-send bench-view lint picture sqlx sqlx-check release

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## Set everything up and open the console on demo data (ARGS=--reset starts over)
	@scripts/demo.sh $(ARGS)

test: ## Set up what the tests need and run them all
	@scripts/test.sh

compare: ## Compare how mails are laid out with a browser, and write tests/mails/COMPARISON.md
	@scripts/compare.sh

crash-test: ## Kill workers and the database in the middle of 20,000 mails (the suite: 1,500)
	@scripts/full-size.sh multi_worker::crash VERIFYDESK_CRASH_SENDS=20000 VERIFYDESK_CRASH_KILLS=50 VERIFYDESK_CRASH_RESTARTS=2

chaos-test: ## Let database, clock, disk, network and relay misbehave under 20,000 mails (the suite: 3,000)
	@scripts/full-size.sh multi_worker::chaos VERIFYDESK_CHAOS_SENDS=20000

pace-test: ## Measure the pace of three workers for a minute (the suite: 12 seconds)
	@scripts/full-size.sh multi_worker::pace VERIFYDESK_PACE_SECONDS=60

migration-test: ## Migrate 10 million people under writers (the suite: 20,000; needs 40 GB of disk)
	@scripts/full-size.sh migrations:: VERIFYDESK_TEST_PEOPLE=10000000

upgrade-test: ## Test that programs of the version before go on beside this schema (REF=a commit; the last tag)
	@scripts/upgrade-test.sh $(REF)

bench: ## Run the benchmarks
	cargo bench --locked

bench-events: ## Compare storing SES's events with django-ses's view (PEOPLE=1000000 SECONDS_EACH=8 ROUNDS=3)
	@scripts/bench-events.sh

bench-search: ## Measure searches among 10 thousand and 10 million users (PEOPLE=10000,10000000 ROUNDS=3)
	@scripts/bench-search.sh

bench-send: ## Compare mails a second with smtp-source and Django (MAILS=20000 ROUNDS=3)
	@scripts/bench-send.sh

bench-view: ## Compare the verification view with a Django site's (CONNECTIONS=64 SECONDS_EACH=8 ROUNDS=3)
	@scripts/bench-view.sh

bench-job: ## Measure a bulk resend over a million verifications (some minutes)
	@scripts/install-postgres.sh
	VERIFYDESK_TEST_JOB=1000000 cargo test --locked --test it jobs::scale -- --nocapture

lint: ## Check format, clippy, documentation, .sqlx/ and dependencies
	@scripts/lint.sh

docs: ## Write docs/cli.md again, after a change of commands or options
	VERIFYDESK_WRITE_DOCS=1 cargo test --locked --lib cli::reference

picture: ## Draw README's pictures again, from real runs
	@scripts/picture.sh

sqlx: ## Write .sqlx/ again, after a change of queries or migrations
	@scripts/install-postgres.sh
	@scripts/sqlx.sh

sqlx-check: ## See whether .sqlx/ is in step with queries and migrations
	@scripts/install-postgres.sh
	@scripts/sqlx.sh --check

clients: ## Fetch what mail programs support again, from npm's caniemail (VERSION=2.0.2)
	@scripts/clients.sh $(VERSION)

release: ## Build the optimized program
	cargo build --release --locked
