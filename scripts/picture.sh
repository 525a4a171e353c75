#!/bin/sh
# Draws README's picture anew, from a real run of the console on demo data.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
cargo build --locked --bin verifydesk
cargo run --quiet --locked --example picture -- assets/console.svg "${SIZE:-120x34}" "${KEYS:-jjjjjjjjjjjjj}"
if command -v rsvg-convert >/dev/null 2>&1; then
    rsvg-convert --zoom 1.5 --output assets/console.png assets/console.svg
    say "wrote assets/console.png"
else
    say "no rsvg-convert here (librsvg2-bin), so assets/console.png stays as it was"
fi
