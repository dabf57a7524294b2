"""What a running server makes of a clip as adaptive streams plays to its end."""

import pytest

from playing import assert_played

# Of the sample clip.
SECONDS, FRAMES = 5.28, 132


@pytest.mark.parametrize("player, level", [("hls.js", 0), ("shaka", 1)])
@pytest.mark.parametrize("segment_type", ["ts-segment", "ts-byterange", "mp4-segment", "mp4-byterange", "mp4-mp4-segment"])
def test_hls(browser, streamed, player, segment_type, level):
    folder, manifest = streamed("HLS", segment_type)
    told = browser.play(root=folder, path=manifest, player=player, level=level)
    assert_played(told, SECONDS, FRAMES, [(320, 180), (640, 360)][level])


@pytest.mark.parametrize("level", [0, 1])
def test_dash(browser, streamed, level):
    folder, manifest = streamed("MPEG-DASH", "mp4-byterange")
    told = browser.play(root=folder, path=manifest, player="shaka", level=level)
    assert_played(told, SECONDS, FRAMES, [(320, 180), (640, 360)][level])
