#!/bin/sh
# Puts the mail server that the tests talk to, PyPI's aiosmtpd, into target/tools/venv. Does nothing where it is.
set -eu
cd "$(dirname "$0")/../.."
venv=target/tools/venv
version=1.4.6
if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c "import aiosmtpd, sys; sys.exit(aiosmtpd.__version__ != '$version')" 2>/dev/null; then
    exit 0
fi
if ! command -v python3 >/dev/null; then
    echo "error: python3 is needed for the mail server of the tests; install it with the system's package manager" >&2
    exit 1
fi
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "aiosmtpd==$version"
