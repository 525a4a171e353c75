#!/bin/sh
# Installs what the tests use besides PostgreSQL, unless it is there: Python with venv, for the mail server that they
# talk to, and openssl, for its certificates.
set -eu
. "$(dirname "$0")/common.sh"

all_there() {
    have openssl && have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null
}

if all_there; then
    exit 0
fi
say "Python's venv or openssl is missing; installing them with the system's package manager"
if have apt-get; then
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3 python3-venv openssl </dev/null
elif have dnf; then
    as_root dnf -y install python3 openssl
elif have pacman; then
    as_root pacman -Sy --noconfirm --needed python openssl
elif have apk; then
    as_root apk add python3 openssl
elif have zypper; then
    as_root zypper --non-interactive install python3 openssl
elif have brew; then
    brew install python3 openssl
fi
all_there || die "the tests need python3 with venv, and openssl; install them"
