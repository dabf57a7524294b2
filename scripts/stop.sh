#!/usr/bin/env bash
# Ends the server that `make run` left on DATA (data/): running tasks are brought to an end or handed back.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

page=${DATA:-data}/run/page.pid
if [ -f "$page" ]; then
    # The file may outlive its server, and the number may be another program's by now.
    grep -qs http.server "/proc/$(cat "$page")/cmdline" && kill "$(cat "$page")"
    rm -f "$page"
fi
endpoint=${DATA:-data}/run/endpoint.json
[ -f "$endpoint" ] || {
    echo "stop: no server runs on ${DATA:-data}"
    exit 0
}
pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' "$endpoint")
# The file outlives a killed server, and its number may be another program's by now.
if [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's|.*/||; s| (deleted)||')" != mps ]; then
    echo "stop: the server is gone already"
    rm -f "$endpoint"
    exit 0
fi
kill -TERM "$pid"
for _ in $(seq 400); do
    kill -0 "$pid" 2>/dev/null || exit 0
    sleep 0.1
done
echo "stop: the server is still at work after 40 s; a second 'make stop' ends it at once" >&2
exit 1
