"""Packages play to their end in a real browser, clear and encrypted, with the players that people use.

Browsers here know ClearKey alone; that the other systems' signals are right is shown by decrypting in tests/media.
"""

import re
import shutil

import pytest

from playing import assert_played, likeness_db

SECONDS, FRAMES, LARGE = 6, 150, (640, 360)
MASTER, MANIFEST = "master.m3u8", "manifest.mpd"
ALL = "widevine+playready+fairplay"


def kids(folder):
    """Ids of the keys that a package names, in hex."""
    texts = [path.read_text() for path in [*folder.glob("*.m3u8"), *folder.glob("*.mpd")]]
    found = re.findall(r'KEYID=0x([0-9a-f]{32})|default_KID="([0-9a-f-]{36})"', "\n".join(texts))
    return {(one or other).replace("-", "") for one, other in found}


def keys(folder, keyserver):
    return {kid: keyserver.key(kid) for kid in kids(folder)}


@pytest.fixture(scope="session")
def last_picture(browser, package, tmp_path_factory):
    """What the clear film shows at its end."""
    shot = tmp_path_factory.mktemp("shots") / "clear.png"
    told = browser.play(root=package("MPEG-DASH", "mp4-byterange"), path=MANIFEST, player="shaka", level=1,
                        screenshot=shot)
    assert_played(told, SECONDS, FRAMES, LARGE)
    return shot


@pytest.mark.parametrize("segment_type", ["mp4-segment", "mp4-byterange", "ts-segment"])
@pytest.mark.parametrize("player", ["hls.js", "shaka"])
def test_clear_hls(browser, package, player, segment_type):
    told = browser.play(root=package("HLS", segment_type), path=MASTER, player=player)
    assert_played(told, SECONDS, FRAMES)
    assert sorted(told["levels"]) == [[320, 180], [640, 360]]


def test_clear_dash(browser, package):
    told = browser.play(root=package("MPEG-DASH", "mp4-byterange"), path=MANIFEST, player="shaka")
    assert_played(told, SECONDS, FRAMES)


@pytest.mark.parametrize("kind, method, preset, count, by", [
    ("widevine", "", "preset0", 1, "licence"), ("widevine+playready", "cenc", "preset1", 3, "licence"),
    ("widevine+playready", "cbcs", "preset1", 3, "keys")])
def test_encrypted_dash(browser, package, keyserver, last_picture, tmp_path, kind, method, preset, count, by):
    folder = package("MPEG-DASH", "mp4-byterange", keyserver.speke(kind, method, preset))
    assert len(kids(folder)) == count
    way = {"keys": keys(folder, keyserver)} if by == "keys" else {"licence": keyserver.licence}
    shot = tmp_path / "end.png"
    told = browser.play(root=folder, path=MANIFEST, player="shaka", level=1, screenshot=shot, **way)
    assert_played(told, SECONDS, FRAMES, LARGE)
    assert likeness_db(shot, last_picture) > 30


@pytest.mark.parametrize("player, segment_type, kind, preset, count", [
    ("hls.js", "mp4-segment", ALL, "preset0", 1), ("hls.js", "mp4-byterange", "widevine", "preset1", 3),
    ("shaka", "mp4-segment", "widevine", "preset1", 3), ("shaka", "mp4-byterange", ALL, "preset0", 1)])
def test_encrypted_hls(browser, package, keyserver, last_picture, tmp_path, player, kind, preset, count, segment_type):
    folder = package("HLS", segment_type, keyserver.speke(kind, "", preset))
    assert len(kids(folder)) == count
    way = {"keys": keys(folder, keyserver)} if player == "shaka" else {"licence": keyserver.licence}
    shot = tmp_path / "end.png"
    told = browser.play(root=folder, path=MASTER, player=player, level=1, screenshot=shot, **way)
    assert_played(told, SECONDS, FRAMES, LARGE)
    assert likeness_db(shot, last_picture) > 30


@pytest.mark.parametrize("player, segment_type, vector", [
    ("hls.js", "ts-segment", None), ("hls.js", "mp4-segment", "fedcba98765432100123456789abcdef"),
    ("shaka", "ts-segment", "fedcba98765432100123456789abcdef"), ("shaka", "mp4-segment", None)])
def test_simple_aes(browser, package, keyserver, player, vector, segment_type):
    folder = package("HLS", segment_type, keyserver.simple(vector=vector))
    told = browser.play(root=folder, path=MASTER, player=player)
    assert_played(told, SECONDS, FRAMES)


@pytest.mark.parametrize("path, format, segment_type", [
    (MANIFEST, "MPEG-DASH", "mp4-byterange"), (MASTER, "HLS", "mp4-segment")])
def test_a_wrong_key_does_not_play(browser, package, keyserver, path, format, segment_type):
    folder = package(format, segment_type, keyserver.speke("widevine", "cbcs"))
    wrong = {kid: "00" * 16 for kid in kids(folder)}
    told = browser.play(root=folder, path=path, player="shaka", keys=wrong, limit_s=20)
    assert told["failure"] and told["frames"] < FRAMES // 2, told


def test_a_hole_is_noticed(browser, package, tmp_path):
    folder = shutil.copytree(package("HLS", "mp4-segment"), tmp_path / "holed")
    for name in ("video-1_2.m4s", "video-2_2.m4s"):
        (folder / name).unlink()
    told = browser.play(root=folder, path=MASTER, player="hls.js", limit_s=15)
    with pytest.raises(AssertionError):
        assert_played(told, SECONDS, FRAMES)
