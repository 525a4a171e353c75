#!/bin/sh
# Installs what the tests use besides PostgreSQL, unless it is there: Python with venv, for the mail server that they
# talk to; openssl, for its certificates; postfix, for its smtp-sink and smtp-source; libfaketime, for databases whose
# clock steps; PgBouncer, for databases behind a pooler; Prometheus with promtool, which reads metrics and judges rules;
# tmux, a terminal that the console is looked at in; Chromium, for pages and mails, with Korean fonts, of which
# NanumGothicCoding is cells exactly. No mail server, pooler or Prometheus of the system's own is set up or left running.
set -eu
. "$(dirname "$0")/common.sh"

have_postfix() {
    have smtp-sink && have smtp-source
}

have_chromium() {
    have chromium || have chromium-browser || have google-chrome-stable || have google-chrome
}

have_fonts() {
    have fc-list && fc-list : family | grep -q NanumGothicCoding
}

have_faketime() {
    for library in /usr/lib/*/faketime /usr/lib/faketime /usr/lib64/faketime /usr/local/lib/faketime; do
        [ ! -e "$library/libfaketimeMT.so.1" ] || return 0
    done
    return 1
}

all_there() {
    have_chromium && have_fonts && have_faketime && have pgbouncer && have prometheus && have promtool && have tmux && have openssl && have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null && have_postfix
}

# Debian keeps postfix's programs out of the path of all but root.
PATH="$PATH:/usr/sbin:/usr/local/sbin"

if all_there; then
    exit 0
fi
say "Python's venv, openssl, postfix, libfaketime, PgBouncer, Prometheus, tmux, Chromium or Korean fonts are missing; installing them with the system's package manager"
if have apt-get; then
    postfix='' chromium=''
    have_chromium || chromium=chromium
    if ! have_postfix; then
        postfix=postfix
        # Debian's package asks what to set up, and starts it, unless configured otherwise beforehand.
        echo "postfix postfix/main_mailer_type select No configuration" | as_root debconf-set-selections
    fi
    pgbouncer='' prometheus='' policy=''
    have pgbouncer || pgbouncer=pgbouncer
    have promtool || prometheus=prometheus
    if [ -n "$pgbouncer$prometheus" ]; then
        # Debian's packages start them, unless a policy forbids.
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            policy=/usr/sbin/policy-rc.d
            printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
            as_root chmod +x "$policy"
        fi
    fi
    as_root apt-get update -q
    status=0
    # Only one mail server can be installed: another one that is there stays, and this fails.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --no-remove \
        python3 python3-venv openssl libfaketime tmux $pgbouncer $prometheus $postfix $chromium fontconfig fonts-nanum </dev/null || status=$?
    [ -z "$policy" ] || as_root rm -f "$policy"
    [ -z "$pgbouncer" ] || ! have systemctl || as_root systemctl --quiet disable pgbouncer || :
    [ -z "$prometheus" ] || ! have systemctl || as_root systemctl --quiet disable prometheus || :
    [ "$status" -eq 0 ] || die "apt-get could not install what the tests need"
elif have dnf; then
    as_root dnf -y install python3 openssl libfaketime pgbouncer golang-github-prometheus tmux postfix chromium fontconfig
elif have pacman; then
    as_root pacman -Sy --noconfirm --needed python openssl libfaketime pgbouncer prometheus tmux postfix chromium fontconfig
elif have apk; then
    as_root apk add python3 openssl libfaketime pgbouncer prometheus tmux postfix chromium fontconfig
elif have zypper; then
    as_root zypper --non-interactive install python3 openssl libfaketime pgbouncer golang-github-prometheus-prometheus tmux postfix chromium fontconfig
elif have brew; then
    brew install python3 openssl postfix pgbouncer prometheus
fi
all_there || die "the tests need python3 with venv, openssl, libfaketime, PgBouncer, Prometheus with promtool, tmux, postfix's smtp-sink and smtp-source, Chromium, and
the font NanumGothicCoding (fontconfig's fc-list finds it); install them"
