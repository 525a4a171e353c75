#!/bin/sh
# Draws README's pictures again: the console on demo data, its account, the templates' workbench, and a call to the desk, from
# real runs.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
cargo build --locked --bin verifydesk

# Name, size, keys, what to run if not the console.
picture() {
    name=$1
    shift
    cargo run --quiet --locked --example picture -- "assets/$name.svg" "$@"
    if have rsvg-convert; then
        rsvg-convert --zoom 1.5 --output "assets/$name.png" "assets/$name.svg"
        say "wrote assets/$name.png"
    else
        say "no rsvg-convert here (librsvg2-bin), so assets/$name.png stays as it was"
    fi
}

picture console "${SIZE:-120x34}" "${KEYS:-jjjjjjjjjjjjj}"
picture account 150x46 S account
picture workbench 150x38 L templates
cargo run --quiet --locked --example picture -- assets/call.svg 80x24 '' call
