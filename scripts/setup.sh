#!/usr/bin/env bash
# Installs what is missing, and nothing else:
#
#   scripts/setup.sh run     to build and run the server (compiler, media tools)
#   scripts/setup.sh test    and to test it (PostgreSQL, the vendor's clients, an S3 peer, a browser with players)
#
# Debian packages are installed as root or by sudo, only where a command is missing; everything else goes to
# .cache, .venv and the node_modules of tests/clients/node and tests/play. Running it again costs a second.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

level=${1:-test}
case "$level" in run | test) ;; *)
    echo "usage: scripts/setup.sh run|test" >&2
    exit 2
    ;;
esac

say() { echo "setup: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }

packages() { # FOLDER WHAT
    local stamp
    stamp=$(sha256sum "$1/package-lock.json" | cut -d' ' -f1)
    [ "$(cat "$1/node_modules/.lock" 2>/dev/null)" != "$stamp" ] || return 0
    say "installing $2"
    (cd "$1" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null)
    echo "$stamp" >"$1/node_modules/.lock"
}

missing=()
need() { # PACKAGE COMMAND...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
postgres_bin() { has initdb || ls /usr/lib/postgresql/*/bin/initdb; }
browser() { has chromium-headless-shell || has chromium; }
certificates() { [ -e /etc/ssl/certs/ca-certificates.crt ]; }

need gcc has cc
need libc6-dev test -e /usr/include/stdlib.h
need make has make
need git has git
need ca-certificates certificates
need python3 has python3
need python3-pip python3 -m pip --version
need curl has curl
need fonts-liberation2 test -e /usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf
need fonts-noto-core test -e /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf
need fonts-noto-cjk test -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
need fonts-arphic-ukai test -e /usr/share/fonts/truetype/arphic/ukai.ttc
need fontconfig has fc-cache
if [ "$level" = test ]; then
    need python3-venv python3 -c 'import venv, ensurepip'
    need postgresql postgres_bin
    need nodejs has node
    need npm has npm
    need procps has pgrep
    need openssl has openssl
    need chromium-headless-shell browser
fi

if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        has sudo || {
            echo "setup: ${missing[*]} must be installed; run this as root or install sudo" >&2
            exit 1
        }
        as_root=(sudo)
    fi
    if ! has apt-get; then
        echo "setup: this is no Debian; please install: ${missing[*]}" >&2
        exit 1
    fi
    "${as_root[@]}" apt-get -q update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${missing[@]}" </dev/null
fi

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if ! has cargo; then
    cat >&2 <<TXT
setup: there is no Rust. Debian's own is too old; install Rust $wanted or newer with rustup (its home page has the
setup: line to paste; "minimal" plus the components rustfmt and clippy is enough), open a new shell, run this again.
TXT
    exit 1
fi
found=$(cargo --version | sed 's/^cargo \([0-9.]*\).*/\1/')
if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n1)" != "$wanted" ]; then
    echo "setup: Rust $wanted or newer is needed, this is $found; run: rustup update stable" >&2
    exit 1
fi

sh scripts/media-tools.sh

if [ "$level" = test ]; then
    bash scripts/cargo-tools.sh nextest
    stamp=$(sha256sum scripts/requirements-test.txt | cut -d' ' -f1)
    if [ "$(cat .venv/.requirements 2>/dev/null)" != "$stamp" ]; then
        say "installing the vendor's clients and the S3 peer into .venv"
        [ -x .venv/bin/python ] || python3 -m venv .venv
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r scripts/requirements-test.txt
        echo "$stamp" >.venv/.requirements
    fi
    packages tests/clients/node "the vendor's Node SDK"
    packages tests/play "the players and what drives the browser"
fi
say "ready"
