#!/bin/sh
# Measures the verification view next to a Django site's in one PostgreSQL on this machine.
#
#     CONNECTIONS=64 SECONDS_EACH=8 ROUNDS=3 scripts/bench-view.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
have wrk || die "wrk is needed to ask the views; install it with the system's package manager"
scripts/install-postgres.sh
python=$(with_packages django==5.2.19 gunicorn==23.0.0 "psycopg[binary]==3.2.13")
cargo build --quiet --release --locked --bin verifydesk
target="${CARGO_TARGET_DIR:-target}"
exec scripts/private-postgres.sh "$python" benches/view/run.py "$target/release/verifydesk" "${SECONDS_EACH:-8}" "${ROUNDS:-3}"
