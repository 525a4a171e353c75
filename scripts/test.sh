#!/bin/sh
# Sets up what the tests need and runs them all. Arguments go to cargo.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
scripts/install-test-tools.sh
tests/peers.sh

# A snapshot that differs is a failure, never a new snapshot.
INSTA_UPDATE=no
INSTA_FORCE_PASS=0
INSTA_SNAPSHOT_REFERENCES_FILE=$(mktemp)
export INSTA_UPDATE INSTA_FORCE_PASS INSTA_SNAPSHOT_REFERENCES_FILE
trap 'rm -f "$INSTA_SNAPSHOT_REFERENCES_FILE"' EXIT
trap 'exit 130' INT TERM HUP

if cargo nextest --version >/dev/null 2>&1; then
    # Some of the time tests wait: for time-outs, pauses and paces.
    threads=$(($(getconf _NPROCESSORS_ONLN) + 1))
    cargo nextest run --locked --no-fail-fast --test-threads "$threads" "$@"
    [ $# -gt 0 ] || cargo test --locked --doc
else
    cargo test --locked --no-fail-fast "$@"
fi

# Only a run of all tests has seen all snapshots.
if [ $# -eq 0 ]; then
    root=$(pwd -P)
    used=$(sort -u "$INSTA_SNAPSHOT_REFERENCES_FILE" | while IFS= read -r snapshot; do
        cd "$(dirname "$snapshot")" && printf '%s/%s\n' "$(pwd -P)" "$(basename "$snapshot")"
    done)
    stale=$(find "$root/src" "$root/tests" -name '*.snap' | while IFS= read -r snapshot; do
        printf '%s\n' "$used" | grep -qxF "$snapshot" || printf '%s\n' "$snapshot"
    done)
    [ -z "$stale" ] || die "snapshots that no test refers to; remove them:
$stale"
fi
