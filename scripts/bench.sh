#!/usr/bin/env bash
# Measures everything, or the cases named: each ends with "name: FIGURE (goal GOAL) holds" or "… falls short".
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

export MPS_FFMPEG=${MPS_FFMPEG:-$PWD/.cache/tools/ffmpeg}
export MPS_FFPROBE=${MPS_FFPROBE:-$PWD/.cache/tools/ffprobe}
export MPS_PACKAGER=${MPS_PACKAGER:-$PWD/.cache/tools/packager}
cargo build --release --locked --workspace
status=0
if [ $# -gt 0 ]; then
    cases=("$@")
else
    mapfile -t cases < <(cd bench/cases && ls | sed 's/\.sh$//')
fi
for name in "${cases[@]}"; do
    [ -f "bench/cases/$name.sh" ] || {
        echo "bench: there is no case $name; there are: $(cd bench/cases && ls | sed 's/\.sh$//' | tr '\n' ' ')" >&2
        exit 2
    }
    bash "bench/cases/$name.sh" || status=1
done
exit "$status"
