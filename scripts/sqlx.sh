#!/bin/sh
# Writes .sqlx/ again: what PostgreSQL says about each checked query, for builds without a database.
#
#     scripts/sqlx.sh            write it
#     scripts/sqlx.sh --check    only see whether it is in step with queries and migrations
#
# The query macros write the metadata themselves when they expand with a database and SQLX_OFFLINE_DIR.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
need_rust

fresh=$(mktemp -d)
stamp=$(mktemp)
touch -r src/lib.rs "$stamp"
clean() {
    # With its old time back, the file makes no other build believe that it was changed.
    touch -r "$stamp" src/lib.rs
    rm -rf "$fresh" "$stamp"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# Macros expand only in what is compiled.
touch src/lib.rs
scripts/private-postgres.sh env SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh" cargo check --quiet --locked --all-targets

if [ "${1:-}" = --check ]; then
    mkdir -p "$fresh/kept"
    if [ -d .sqlx ]; then
        cp .sqlx/query-*.json "$fresh/kept/" 2>/dev/null || true
    fi
    mkdir "$fresh/made"
    mv "$fresh"/query-*.json "$fresh/made/" 2>/dev/null || true
    diff -r "$fresh/kept" "$fresh/made" >&2 ||
        die ".sqlx/ is not in step with the queries and migrations; run \`make sqlx\` and commit what it writes"
    exit 0
fi

rm -f .sqlx/query-*.json
mkdir -p .sqlx
mv "$fresh"/query-*.json .sqlx/ 2>/dev/null || rmdir .sqlx
say "wrote $(find .sqlx -name 'query-*.json' 2>/dev/null | wc -l | tr -d ' ') queries to .sqlx/"
