#!/usr/bin/env bash
# Everything that needs no running server: formatting, lints, licences, generated files, sizes and edges, documents.
set -uo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit
export PATH=$PWD/.cache/cargo-tools/bin:$PATH

failed=()
step() { # NAME COMMAND...
    local name=$1
    shift
    echo "== $name"
    "$@" || failed+=("$name")
}

deny() {
    bash scripts/cargo-tools.sh deny || return 1
    cargo deny --log-level error check bans licenses sources || return 1
    # The list of known vulnerabilities lies outside of the registries; without a way to it the rest still counts.
    local said
    if said=$(cargo deny --log-level error check advisories 2>&1); then
        echo "advisories: none"
    elif grep -qiE 'failed to fetch|unable to (find|fetch|open)|could not (connect|resolve)|failed to (open|clone|load)' <<<"$said"; then
        echo "advisories: NOT CHECKED, the list of known vulnerabilities cannot be fetched from here"
    else
        echo "$said"
        return 1
    fi
}

step fmt cargo fmt --all --check
step clippy cargo clippy --workspace --all-targets --locked -- -D warnings
step deny deny
step check-gen cargo xtask gen --check
step tidy cargo xtask tidy
step check-docs cargo xtask docs

if [ ${#failed[@]} -gt 0 ]; then
    echo "check: failed: ${failed[*]}"
    exit 1
fi
echo "check: all good"
