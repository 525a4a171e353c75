#!/bin/sh
# Measures each search of a list among ten thousand and ten million generated users, and compares its rows with what SQL
# finds and how long the stock Django admin takes; and how many sign up a second with the index of names and without it.
#
#     PEOPLE=10000,10000000 ROUNDS=3 scripts/bench-search.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
python=$(with_packages django==5.2.19 "psycopg[binary]==3.2.13")
cargo build --quiet --release --locked --bin verifydesk --example bench_search
POSTGRES_OPTIONS="-c max_wal_size=4GB -c shared_buffers=1GB ${POSTGRES_OPTIONS:-}"
export POSTGRES_OPTIONS
target="${CARGO_TARGET_DIR:-target}/release"
exec scripts/private-postgres.sh "$python" benches/search/run.py "$target/verifydesk" "$target/examples/bench_search" \
    "${PEOPLE:-10000,10000000}" "${ROUNDS:-3}"
