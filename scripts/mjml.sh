#!/bin/sh
# Compiles tests/mails/*.mjml to the HTML beside them, with npm's mjml in target/tools/mjml. Needs Node.js and npm; the
# tests do not, since the HTML is committed.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

version=5.4.1
tools=target/tools/mjml
have npm || die "npm is needed to install mjml; install Node.js with the system's package manager"
if ! [ -x "$tools/node_modules/.bin/mjml" ] || ! "$tools/node_modules/.bin/mjml" --version | grep -qF "mjml-core: $version"; then
    npm install --silent --no-audit --no-fund --prefix "$tools" "mjml@$version" >&2
fi
for source in tests/mails/*.mjml; do
    html=${source%.mjml}.html
    "$tools/node_modules/.bin/mjml" --config.validationLevel=strict "$source" --output "$html"
    say "wrote $html"
done
