#!/usr/bin/env bash
# Starts a server on embedded defaults and sends a real clip through it: two MP4 renditions, a ladder of HLS and a
# sprite, on a page to be watched in a browser.
#
#   INPUT=clip.mp4   another clip than the sample
#   DATA=folder      another data folder than data/
#   LISTEN=address   another address of the API than 127.0.0.1:8080
#   BUCKETS=address  another address of the buckets than 127.0.0.1:8081
#
# The server is left running; `make stop` ends it.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

mps=$PWD/target/release/mps
data=${DATA:-data}
input=${INPUT:-$(bash scripts/sample.sh)}
[ -s "$input" ] || {
    echo "run: there is no file $input" >&2
    exit 1
}

read_endpoint() { # NAME
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$data/run/endpoint.json" "$1"
}
is_up() {
    [ -f "$data/run/endpoint.json" ] && curl -fsS -o /dev/null -m 2 "$(read_endpoint api)/readyz" 2>/dev/null
}

mkdir -p "$data/run" "$data/log"
chmod 700 "$data"
if [ ! -x "$data/tools/ffmpeg" ]; then
    mkdir -p "$data/tools"
    cp -a .cache/tools/. "$data/tools/"
fi
if is_up; then
    echo "run: a server is running on $data already"
else
    [ -z "${LISTEN:-}" ] || export MPS_LISTEN=$LISTEN
    [ -z "${BUCKETS:-}" ] || export MPS_BUCKETS__LISTEN=$BUCKETS
    setsid nohup "$mps" serve --data "$data" </dev/null >>"$data/log/server.log" 2>&1 &
    server=$!
    for _ in $(seq 150); do
        is_up && break
        kill -0 "$server" 2>/dev/null || {
            echo "run: the server did not start:" >&2
            tail -n 20 "$data/log/server.log" >&2
            exit 1
        }
        sleep 0.2
    done
    is_up || {
        echo "run: the server is not ready after 30 s; see $data/log/server.log" >&2
        exit 1
    }
fi

key=$data/run/sample-key.json
if [ ! -s "$key" ]; then
    (umask 077 && "$mps" keys create --comment "make run" --json --data "$data" >"$key")
fi
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$key" "$1"; }
MPS_SECRET_ID=$(field SecretId)
MPS_SECRET_KEY=$(field SecretKey)
MPS_ENDPOINT=$(read_endpoint api)
export MPS_SECRET_ID MPS_SECRET_KEY MPS_ENDPOINT
bucket=input-$(field AppId)
"$mps" buckets create "$bucket" --data "$data" >/dev/null

echo "run: $input becomes two MP4 renditions (100020, 100030), a ladder of HLS (10) and a sprite (10)"
sample=$data/sample
rm -rf "$sample"
mkdir -p "$sample"
outputs=$("$mps" process --input "$input" --bucket "$bucket" --output "$sample" \
    --request '{"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100020}, {"Definition": 100030}],
                                     "AdaptiveDynamicStreamingTaskSet": [{"Definition": 10}],
                                     "ImageSpriteTaskSet": [{"Definition": 10}]}}' \
    --buckets "$(read_endpoint buckets)")
echo
echo "Outputs:"
while IFS= read -r output; do
    echo "  $output"
done <<<"$outputs"

python3 scripts/sample-page.py "$sample"
[ ! -f "$data/run/page.pid" ] || kill "$(cat "$data/run/page.pid")" 2>/dev/null || true
page=$(bash scripts/free-port.sh)
setsid nohup python3 -m http.server --bind 127.0.0.1 --directory "$sample" "$page" </dev/null >"$data/log/page.log" 2>&1 &
echo $! >"$data/run/page.pid"
cat <<TXT

Watch them in a browser:  http://127.0.0.1:$page/
The server is running: API $MPS_ENDPOINT, buckets $(read_endpoint buckets), log $data/log/server.log
  SecretId   $MPS_SECRET_ID
  SecretKey  in $key
Try:  $mps tasks list --data $data        Stop:  make stop
TXT
