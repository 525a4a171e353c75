#!/bin/sh
# Installs PostgreSQL's server programs with the system's package manager, unless they are there. verifydesk runs them
# itself; no cluster of the system's own is made or left running.
set -eu
. "$(dirname "$0")/common.sh"

if find_postgres >/dev/null; then
    exit 0
fi
say "PostgreSQL $postgres_min or newer is not installed; installing it with the system's package manager"

if have apt-get; then
    # Debian's packages make a cluster and start it, unless configured otherwise beforehand.
    conf=/etc/postgresql-common/createcluster.d/verifydesk.conf
    as_root mkdir -p "$(dirname "$conf")"
    echo "create_main_cluster = false" | as_root tee "$conf" >/dev/null
    as_root apt-get update -q
    status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql </dev/null || status=$?
    # A PostgreSQL that is installed for something else later behaves as Debian promises.
    as_root rm -f "$conf"
    [ "$status" -eq 0 ] || die "apt-get could not install postgresql"
elif have dnf; then
    # Enterprise Linux offers several versions as modules, by default an old one.
    for stream in 16 15; do
        if as_root dnf -q -y module enable "postgresql:$stream" 2>/dev/null; then break; fi
    done
    as_root dnf -y install postgresql-server postgresql-contrib
elif have pacman; then
    as_root pacman -Sy --noconfirm --needed postgresql
elif have apk; then
    as_root apk add postgresql postgresql-contrib
elif have zypper; then
    as_root zypper --non-interactive install postgresql-server postgresql-contrib
elif have brew; then
    brew install postgresql@17
else
    die "no package manager that this script knows; install PostgreSQL $postgres_min or newer (server and contrib) yourself"
fi

find_postgres >/dev/null ||
    die "the package manager's PostgreSQL is older than $postgres_min; install a newer one from https://www.postgresql.org/download/"
say "installed: $(find_postgres); no system cluster was made"
