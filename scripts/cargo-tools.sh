#!/usr/bin/env bash
# Puts pinned cargo tools into .cache/cargo-tools, unless the machine has them:
#
#   scripts/cargo-tools.sh nextest|deny|fuzz...
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

for tool in "$@"; do
    case "$tool" in
    nextest) version=0.9.143 ;;
    deny) version=0.20.2 ;;
    fuzz) version=0.13.2 ;;
    *)
        echo "cargo-tools: unknown tool $tool" >&2
        exit 2
        ;;
    esac
    if command -v "cargo-$tool" >/dev/null 2>&1 || [ -x ".cache/cargo-tools/bin/cargo-$tool" ]; then
        continue
    fi
    echo "cargo-tools: building cargo-$tool $version (a few minutes, once)"
    # A target folder of its own, removed by cargo afterwards; ours stays as it is.
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --root .cache/cargo-tools "cargo-$tool@$version"
done
