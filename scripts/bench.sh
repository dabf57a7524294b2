#!/usr/bin/env bash
# Measures everything, or the cases named: each ends with "name: FIGURE (goal GOAL) holds" or "… falls short".
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

export MPS_FFMPEG=${MPS_FFMPEG:-$PWD/.cache/tools/ffmpeg}
export MPS_FFPROBE=${MPS_FFPROBE:-$PWD/.cache/tools/ffprobe}
export MPS_PACKAGER=${MPS_PACKAGER:-$PWD/.cache/tools/packager}
cargo build --release --locked --workspace
exec target/release/mps-bench "$@"
