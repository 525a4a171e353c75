#!/bin/sh
# Runs a command with DATABASE_URL naming a migrated database in a PostgreSQL of its own, which is gone afterwards.
#
#     scripts/private-postgres.sh COMMAND [ARGUMENT]...
#
# POSTGRES_OPTIONS are added to the server's; the last of several counts.
#
# Needs nothing compiled, so that it works when the program does not compile against the metadata in .sqlx/ any more.
set -eu
. "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || die "usage: $0 COMMAND [ARGUMENT]..."
bin=$(find_postgres) || die "no PostgreSQL $postgres_min or newer found; run scripts/install-postgres.sh"
migrations=$(cd "$(dirname "$0")/../migrations" && pwd)

account=
if [ "$(id -u)" -eq 0 ]; then
    # PostgreSQL refuses root.
    if id postgres >/dev/null 2>&1; then account=postgres; else account=nobody; fi
    directory=$(mktemp -d /tmp/vdpg.XXXXXX)
    chown "$account" "$directory"
else
    directory=$(mktemp -d "${TMPDIR:-/tmp}/vdpg.XXXXXX")
fi

# Runs one of the server's programs under the account that may.
as_server() (
    cd /
    LC_ALL=C
    export LC_ALL
    unset PGHOST PGPORT PGUSER PGDATABASE PGDATA PGOPTIONS PGSSLMODE || true
    if [ -z "$account" ]; then
        "$@"
    elif have runuser; then
        runuser -u "$account" -- "$@"
    else
        line=
        for word in "$@"; do
            line="$line '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"
        done
        su -s /bin/sh "$account" -c "$line"
    fi
)

clean() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -f "$directory/data/postmaster.pid" ]; then
        as_server "$bin/pg_ctl" stop -s -w -m immediate -D "$directory/data" || true
    fi
    rm -rf "$directory"
    exit "$status"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

initdb() {
    rm -rf "$directory/data"
    as_server "$bin/initdb" -D "$directory/data" -U verifydesk -E UTF8 --locale="$1" --auth=trust --no-sync \
        --no-instructions >"$directory/initdb.log" 2>&1
}
initdb C.UTF-8 || initdb en_US.UTF-8 || initdb ko_KR.UTF-8 || {
    cat "$directory/initdb.log" >&2
    die "initdb failed"
}
as_server "$bin/pg_ctl" start -s -w -D "$directory/data" -l "$directory/data/log" \
    -o "-c listen_addresses= -c port=5432 -c unix_socket_directories='$directory' -c fsync=off -c max_connections=50 ${POSTGRES_OPTIONS:-}" || {
    cat "$directory/data/log" >&2
    die "PostgreSQL did not start"
}

psql() {
    as_server "$bin/psql" -h "$directory" -p 5432 -U verifydesk -X -q -v ON_ERROR_STOP=1 "$@"
}
psql -d postgres -c 'create database verifydesk'
for migration in "$migrations"/*.sql; do
    # By way of stdin: the server's account may not be able to enter this directory.
    # As the program applies them: one that ends its own transactions says so in its first line.
    whole=--single-transaction
    if [ "$(head -n 1 "$migration")" = "-- no-transaction" ]; then whole=; fi
    psql -d verifydesk $whole <"$migration" || die "$migration failed"
done

DATABASE_URL="postgres://verifydesk@localhost:5432/verifydesk?host=$directory" "$@"
