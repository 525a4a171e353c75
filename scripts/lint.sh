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
say "cargo doc"
RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps
say ".sqlx/ against the migrations"
scripts/sqlx.sh --check
if have shellcheck; then
    say "shellcheck"
    shellcheck -x -P scripts scripts/*.sh .ci/run
fi
