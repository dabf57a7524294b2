#!/usr/bin/env bash
# Lets every fuzz target run for a while: scripts/fuzz.sh SECONDS. Needs a nightly toolchain or RUSTC_BOOTSTRAP.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.cache/cargo-tools/bin:$PATH
seconds=${1:-60}

bash scripts/cargo-tools.sh fuzz
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=+nightly
else
    toolchain=''
    export RUSTC_BOOTSTRAP=1
fi
for target in $(cd fuzz && cargo fuzz list); do
    echo "== $target for $seconds s"
    # shellcheck disable=SC2086 # absent where there is no nightly
    (cd fuzz && cargo $toolchain fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=2048)
done
