#!/bin/sh
# Measures how many mails a second the worker sends, from the claim to the recorded result, beside postfix's smtp-source
# and Django's mail classes, all to one smtp-sink on this machine.
#
#     MAILS=20000 ROUNDS=3 scripts/bench-send.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
scripts/install-test-tools.sh
python=$(with_packages django==5.2.19)
cargo build --quiet --release --locked --bin verifydesk --example bench_send
PATH="$PATH:/usr/sbin:/usr/local/sbin"
target="${CARGO_TARGET_DIR:-target}"
exec "$target/release/examples/bench_send" "$target/release/verifydesk" "$python" "${MAILS:-20000}" "${ROUNDS:-3}"
