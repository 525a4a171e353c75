#!/bin/sh
# Measures how fast SES's events are stored and matched among ten million sends, next to django-ses's webhook view, in one
# PostgreSQL on this machine.
#
#     PEOPLE=1000000 CONNECTIONS=64 SECONDS_EACH=8 ROUNDS=3 scripts/bench-events.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
have wrk || die "wrk is needed to post events; install it with the system's package manager"
scripts/install-postgres.sh
python=$(with_packages django==5.2.19 django-ses==4.8.2 requests==2.34.2 gunicorn==23.0.0 "psycopg[binary]==3.2.13")
cargo build --quiet --release --locked --bin verifydesk --example bench_events
target="${CARGO_TARGET_DIR:-target}/release"
POSTGRES_OPTIONS="-c fsync=on -c max_wal_size=4GB"
export POSTGRES_OPTIONS
exec scripts/private-postgres.sh "$python" benches/events/run.py "$target/verifydesk" "$target/examples/bench_events" \
    "${PEOPLE:-1000000}" "${SECONDS_EACH:-8}" "${ROUNDS:-3}"
