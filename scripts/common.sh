# shellcheck shell=sh
# Sourced by the scripts beside it.

# The oldest PostgreSQL that the migrations run on.
postgres_min=14

say() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root, and there is no sudo; run as root: $*"
    fi
}

# Where PostgreSQL's server programs may be: the same places that verifydesk itself looks in, the likeliest first.
postgres_places() {
    (
        IFS=:
        for place in $PATH; do
            # Often a link from a directory that holds nothing else of PostgreSQL.
            if [ -x "$place/initdb" ]; then
                dirname "$(readlink -f "$place/initdb")"
            fi
        done
    )
    if have pg_config; then
        pg_config --bindir
    fi
    for place in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql*/bin /usr/lib64/postgresql*/bin \
        /usr/libexec/postgresql* /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
        /home/linuxbrew/.linuxbrew/opt/postgresql*/bin /usr/local/pgsql*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin; do
        printf '%s\n' "$place"
    done | sort -r
}

# Prints the directory of a server that is new enough; fails if there is none.
find_postgres() {
    postgres_places | while IFS= read -r place; do
        if [ -x "$place/initdb" ] && [ -x "$place/pg_ctl" ] && [ -x "$place/postgres" ]; then
            major=$("$place/postgres" --version | sed -n 's/.*(PostgreSQL) \([0-9][0-9]*\).*/\1/p')
            if [ "${major:-0}" -ge "$postgres_min" ]; then
                printf '%s\n' "$place"
                break
            fi
        fi
    done | grep .
}

need_rust() {
    if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    if ! have cargo; then
        die "Rust is not installed; install it from https://rustup.rs:
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    fi
}

# Puts packages of PyPI beside what the tests need, and prints the interpreter that knows them.
with_packages() {
    tests/peers.sh
    _venv=target/tools/venv
    if ! grep -qxF "$*" "$_venv/packages" 2>/dev/null; then
        "$_venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
        printf '%s\n' "$*" >>"$_venv/packages"
    fi
    printf '%s\n' "$_venv/bin/python"
}
