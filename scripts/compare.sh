#!/bin/sh
# Shows each mail in headless Chromium and lays it out in cells, and writes to tests/mails/COMPARISON.md what agrees.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-test-tools.sh
VERIFYDESK_COMPARISON_WRITE=1 cargo test --quiet --locked --test it comparison::
say "wrote tests/mails/COMPARISON.md"
