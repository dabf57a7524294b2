"""What a running server encrypts plays to its end with the keys of the key server.

Browsers here know ClearKey alone, whose signals our key server gives besides those of the systems asked for.
"""

import re

import pytest

from playing import assert_played

SECONDS, FRAMES, LARGE = 5.28, 132, (640, 360)
ALL = "widevine+playready+fairplay"


def keys(folder, keyserver):
    """The keys that playlists and manifest name, by their ids."""
    texts = [path.read_text() for path in [*folder.glob("*.m3u8"), *folder.glob("*.mpd")]]
    found = re.findall(r'KEYID=0x([0-9a-f]{32})|default_KID="([0-9a-f-]{36})"', "\n".join(texts))
    ids = {(one or other).replace("-", "") for one, other in found}
    return {kid: keyserver.key(kid) for kid in ids}


@pytest.mark.parametrize("player, segment_type, preset, count", [
    ("hls.js", "mp4-segment", "preset1", 3), ("hls.js", "mp4-byterange", "preset0", 1), ("shaka", "mp4-segment", "preset1", 3)])
def test_hls(browser, streamed, keyserver, player, segment_type, preset, count):
    folder, manifest = streamed("HLS", segment_type, keyserver.speke(ALL, "", preset))
    found = keys(folder, keyserver)
    assert len(found) == count
    way = {"keys": found} if player == "shaka" else {"licence": keyserver.licence}
    told = browser.play(root=folder, path=manifest, player=player, level=1, **way)
    assert_played(told, SECONDS, FRAMES, LARGE)


@pytest.mark.parametrize("method, preset, count", [("cenc", "preset0", 1), ("cbcs", "preset1", 3)])
def test_dash(browser, streamed, keyserver, method, preset, count):
    folder, manifest = streamed("MPEG-DASH", "mp4-byterange", keyserver.speke("widevine+playready", method, preset))
    assert len(keys(folder, keyserver)) == count
    told = browser.play(root=folder, path=manifest, player="shaka", level=1, licence=keyserver.licence)
    assert_played(told, SECONDS, FRAMES, LARGE)


@pytest.mark.parametrize("player, segment_type", [("hls.js", "ts-segment"), ("shaka", "mp4-segment")])
def test_simple_aes(browser, streamed, keyserver, player, segment_type):
    folder, manifest = streamed("HLS", segment_type, keyserver.simple())
    told = browser.play(root=folder, path=manifest, player=player, level=1)
    assert_played(told, SECONDS, FRAMES, LARGE)
