#!/usr/bin/env bash
# A throwaway PostgreSQL on a free port of 127.0.0.1, for tests. As root it runs under another user, as it must.
#
#   scripts/postgres.sh run COMMAND...   runs COMMAND with MPS_TEST_POSTGRES set, stops the server afterwards
#   scripts/postgres.sh start            prints "URL FOLDER" and leaves the server running
#   scripts/postgres.sh stop FOLDER      stops it and removes the folder
#
# FSYNC=on makes it as durable as a real one; tests that kill no database do not need that.
set -euo pipefail
here=$(cd "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

bin=$(dirname "$(find /usr/lib/postgresql -path "*/bin/initdb" 2>/dev/null | sort -V | tail -n1)")
[ -x "$bin/initdb" ] || bin=$(dirname "$(readlink -f "$(command -v initdb || echo /nowhere/initdb)")")
[ -x "$bin/initdb" ] || {
    echo "postgres: no PostgreSQL found; run scripts/setup.sh test" >&2
    exit 1
}

as_user() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif getent passwd postgres >/dev/null; then
        (cd / && runuser -u postgres -- "$@")
    else
        (cd / && runuser -u nobody -- "$@")
    fi
}

start() {
    # In the system's folder for temporary files: the user above need not be able to enter this checkout.
    local dir port
    dir=$(mktemp -d "${TMPDIR:-/tmp}/mps-postgres.XXXXXX")
    [ "$(id -u)" != 0 ] || chown "$(getent passwd postgres >/dev/null && echo postgres || echo nobody)" "$dir"
    as_user "$bin/initdb" -D "$dir/data" -U mps -A trust -E UTF8 --locale=C --no-sync >"$dir.log" 2>&1 || {
        cat "$dir.log" >&2
        rm -rf "$dir" "$dir.log"
        exit 1
    }
    rm -f "$dir.log"
    for _ in 1 2 3 4 5; do
        port=$(bash "$here/free-port.sh")
        if as_user "$bin/pg_ctl" -D "$dir/data" -w -t 30 -l "$dir/log" start -o \
            "-c listen_addresses=127.0.0.1 -p $port -k $dir -c fsync=${FSYNC:-off} -c max_connections=200 -c jit=off" \
            </dev/null >/dev/null 2>&1; then
            as_user "$bin/createdb" -h 127.0.0.1 -p "$port" -U mps mps
            echo "postgres://mps@127.0.0.1:$port/mps $dir"
            return
        fi
    done
    as_user cat "$dir/log" >&2
    rm -rf "$dir"
    exit 1
}

stop() {
    [ -d "$1/data" ] || return 0
    as_user "$bin/pg_ctl" -D "$1/data" -w -t 30 -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$1"
}

case "${1:-}" in
start) start ;;
stop) stop "${2:?which folder?}" ;;
run)
    shift
    started=$(start)
    dir=${started#* }
    trap 'stop "$dir"' EXIT
    trap 'exit 130' INT TERM
    MPS_TEST_POSTGRES=${started%% *} "$@"
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
