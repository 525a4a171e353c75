#!/bin/sh
# Everything about the code that can be checked without running it.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh

say "cargo fmt"
cargo fmt --check
say "cargo clippy"
cargo clippy --quiet --locked --all-targets -- -D warnings
say "cargo clippy, without Amazon's API"
cargo clippy --quiet --locked --all-targets --no-default-features -- -D warnings
say "cargo doc"
RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps
say ".sqlx/ against the migrations"
scripts/sqlx.sh --check
if have cargo-deny; then
    say "cargo deny: licences, bans, sources"
    cargo deny --log-level error check licenses bans sources
    if cargo deny --log-level off fetch db 2>/dev/null; then
        say "cargo deny: advisories"
        cargo deny --log-level error check advisories
    else
        say "cargo deny: advisories are not checked, since RustSec's database cannot be fetched"
    fi
else
    say "dependencies are not checked: install cargo-deny (cargo install --locked cargo-deny)"
fi
if have shellcheck; then
    say "shellcheck"
    shellcheck -x -P scripts scripts/*.sh .ci/run
fi
