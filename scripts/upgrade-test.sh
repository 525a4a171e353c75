#!/bin/sh
# Tests that programs of the version before go on beside this version's schema: those of the last tag, or of REF.
#
#     scripts/upgrade-test.sh [REF]
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
ref=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
[ -n "$ref" ] || die "there is no tag yet; name a commit: make upgrade-test REF=…"
tree=$PWD/target/upgrade/tree
mkdir -p target/upgrade
git worktree prune
[ -d "$tree" ] || git worktree add --quiet --detach "$tree" "$ref"
git -C "$tree" checkout --quiet --detach "$ref"
say "building $ref"
(cd "$tree" && CARGO_TARGET_DIR=$PWD/../target cargo build --locked --quiet)
export VERIFYDESK_TEST_FORMER="$PWD/target/upgrade/target/debug/verifydesk"
exec cargo test --locked --test it -- --ignored --nocapture upgrade::
