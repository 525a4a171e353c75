#!/bin/sh
# Puts what the tests talk to and what PyPI has into target/tools/venv: the mail server (aiosmtpd) and Amazon's services
# (moto). Does nothing where they are.
set -eu
cd "$(dirname "$0")/.."
venv=target/tools/venv
wanted='aiosmtpd==1.4.6 moto[ses,sns,sqs]==5.2.1 flask==3.1.2 flask-cors==6.0.1'
if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/wanted" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
if ! command -v python3 >/dev/null; then
    echo "error: python3 is needed for the servers of the tests; install it with the system's package manager" >&2
    exit 1
fi
python3 -m venv "$venv"
# shellcheck disable=SC2086
"$venv/bin/pip" install --quiet --disable-pip-version-check $wanted
printf '%s\n' "$wanted" >"$venv/wanted"
