#!/bin/sh
# Runs tests that the suite runs in a smaller size, as large as the variables say, and shows what they measure.
#
#     scripts/full-size.sh TESTS VARIABLE=VALUE...
#
# A variable that is set already keeps its value.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust
scripts/install-postgres.sh
tests=$1
shift
for setting in "$@"; do
    name=${setting%%=*}
    export "$name=$(printenv "$name" || printf %s "${setting#*=}")"
done
# One after the other: each wants the machine for itself.
exec cargo test --locked --test it -- --nocapture --test-threads=1 "$tests"
