#!/usr/bin/env bash
# An independent S3 and SQS server (moto) on a free port of 127.0.0.1, for tests.
#
#   scripts/moto.sh run COMMAND...   runs COMMAND with MPS_TEST_S3_URL set, stops the server afterwards
#   scripts/moto.sh start            prints "URL PID" and leaves the server running
#   scripts/moto.sh stop PID         stops it
set -euo pipefail
here=$(cd "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
moto=$here/../.venv/bin/moto_server

start() {
    local port pid
    [ -x "$moto" ] || {
        echo "moto: not installed; run scripts/setup.sh test" >&2
        exit 1
    }
    for _ in 1 2 3; do
        port=$(bash "$here/free-port.sh")
        "$moto" -H 127.0.0.1 -p "$port" </dev/null >/dev/null 2>&1 &
        pid=$!
        for _ in $(seq 300); do
            kill -0 "$pid" 2>/dev/null || break
            if curl -fsS -o /dev/null "http://127.0.0.1:$port/moto-api/" 2>/dev/null; then
                echo "http://127.0.0.1:$port $pid"
                return
            fi
            sleep 0.1
        done
        kill "$pid" 2>/dev/null || true
    done
    echo "moto: does not start" >&2
    exit 1
}

case "${1:-}" in
start) start ;;
stop) kill "${2:?which process?}" ;;
run)
    shift
    started=$(start)
    trap 'kill "${started#* }" 2>/dev/null || true' EXIT
    trap 'exit 130' INT TERM
    MPS_TEST_S3_URL=${started%% *} "$@"
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
