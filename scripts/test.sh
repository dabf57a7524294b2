#!/usr/bin/env bash
# Every test: unit and integration (SQLite, PostgreSQL, an independent S3 server), scenarios, media and faults against
# running servers, the vendor's clients, real media where ../shared/media is. The last lines say what ran.
#
#   ONLY=rust|clients   only that part
set -uo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit
root=$PWD
export PATH=$root/.cache/cargo-tools/bin:$PATH
export MPS_FFMPEG=${MPS_FFMPEG:-$root/.cache/tools/ffmpeg}
export MPS_FFPROBE=${MPS_FFPROBE:-$root/.cache/tools/ffprobe}
export MPS_PACKAGER=${MPS_PACKAGER:-$root/.cache/tools/packager}

only=${ONLY:-all}
told=() failed=() passed_sum=0 failed_sum=0 skipped_sum=0
logs=$(mktemp -d "${TMPDIR:-/tmp}/mps-test.XXXXXX")
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

part() { # NAME COMMAND...
    local name=$1 log=$logs/${#told[@]} status
    shift
    echo "== $name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    local passed wrong skipped
    read -r passed wrong skipped < <(python3 scripts/count-tests.py "$log")
    passed_sum=$((passed_sum + passed)) failed_sum=$((failed_sum + wrong)) skipped_sum=$((skipped_sum + skipped))
    local counts="$passed passed, $wrong failed, $skipped skipped"
    if [ "$status" != 0 ]; then
        failed+=("$name")
        told+=("$name: FAILED (status $status), $counts")
    else
        told+=("$name: $counts")
    fi
}

media=$root/../shared/media
if [ -d "$media" ]; then
    MPS_TEST_MEDIA=$(cd "$media" && pwd)
    export MPS_TEST_MEDIA
fi
MPS_TEST_SAMPLE=$(bash scripts/sample.sh) || exit 1
export MPS_TEST_SAMPLE

# The tests start the server as people do, as a program.
cargo build --workspace --locked || exit 1
export MPS_BIN=$root/target/debug/mps

if [ "$only" != clients ]; then
    part "unit and integration tests" \
        bash scripts/postgres.sh run bash scripts/moto.sh run \
        cargo nextest run --workspace --locked --profile ci --no-fail-fast </dev/null
    part "documentation tests" cargo test --workspace --locked --doc -q </dev/null
fi
if [ "$only" != rust ]; then
    part "vendor clients" \
        bash scripts/moto.sh run .venv/bin/python -m pytest -q -p no:cacheprovider tests </dev/null
fi

echo
echo "== what ran"
printf '%s\n' "${told[@]}"
if [ -n "${MPS_TEST_MEDIA:-}" ]; then
    echo "real media: $MPS_TEST_MEDIA"
else
    echo "real media: only the sample clip; ../shared/media is not there"
fi
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}"
    [ "$failed_sum" -gt 0 ] || failed_sum=${#failed[@]}
fi
echo "$passed_sum passed, $failed_sum failed, $skipped_sum skipped"
[ ${#failed[@]} -eq 0 ]
