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
tests/venv.sh
python=target/tools/venv/bin/python
django=5.2.19
if ! "$python" -c "import django, sys; sys.exit(django.__version__ != '$django')" 2>/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check "django==$django"
fi
cargo build --quiet --release --locked --bin verifydesk --example bench_send
PATH="$PATH:/usr/sbin:/usr/local/sbin"
target="${CARGO_TARGET_DIR:-target}"
exec "$target/release/examples/bench_send" "$target/release/verifydesk" "$python" "${MAILS:-20000}" "${ROUNDS:-3}"
