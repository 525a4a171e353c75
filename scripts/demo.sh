#!/bin/sh
# Sets everything up and opens the demo.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
# The development build: the first one takes a third of the release build's time, the console feels no slower.
say "building (the first time takes some minutes)"
cargo build --locked --bin verifydesk
exec cargo run --quiet --locked --bin verifydesk -- demo "$@"
