#!/bin/sh
# Writes assets/clients/support.json again: what mail programs support, from the npm package `caniemail`, reduced to what
# the rules use. The only thing about templates that uses the network; needs npm and python3.
#
#     scripts/clients.sh             the latest version
#     scripts/clients.sh 2.0.2       this one
#
# Look at the difference before it is committed: a program that lost or gained a feature may change what the shipped
# templates may use. Tests name features that the new data lacks.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
have npm || die "npm is not installed; it comes with Node.js"
have python3 || die "python3 is not installed"

version=${1:-$(npm view caniemail dist-tags.latest)}
case $version in
*[!0-9A-Za-z.-]* | '') die "no version of caniemail: $version" ;;
esac

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM HUP

# npm compares the package with the digest that the registry states. Nothing of it is run.
(cd "$fresh" && npm pack --silent "caniemail@$version" >/dev/null && tar -xzf caniemail-*.tgz)
scripts/clients.py "$fresh/package" src/preview/check/features.rs >"$fresh/support.json"
cp "$fresh/package/LICENSE" assets/clients/LICENSE-caniemail-npm
mv "$fresh/support.json" assets/clients/support.json
say "wrote assets/clients/support.json from caniemail $version"
