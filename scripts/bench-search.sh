#!/bin/sh
# Measures each search of a list among ten thousand and ten million generated users, and compares its rows with what SQL
# finds; and how many sign up a second with the index of names and without it.
#
#     PEOPLE=10000,10000000 ROUNDS=3 scripts/bench-search.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
python=$(with_packages "psycopg[binary]==3.2.13")
cargo build --quiet --release --locked --bin verifydesk
POSTGRES_OPTIONS="-c max_wal_size=4GB -c shared_buffers=1GB ${POSTGRES_OPTIONS:-}"
export POSTGRES_OPTIONS
exec scripts/private-postgres.sh "$python" benches/search/run.py "${PROGRAM:-${CARGO_TARGET_DIR:-target}/release/verifydesk}" \
    "${PEOPLE:-10000,10000000}" "${ROUNDS:-3}"
