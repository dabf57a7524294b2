"""What a running server makes of a clip as adaptive streams plays to its end."""

import pytest

from playing import assert_played

# Of the sample clip.
SECONDS, FRAMES = 5.28, 132


def stream(height, kbps):
    return {"Video": {"Codec": "h264", "Fps": 0, "Bitrate": kbps, "Height": height, "Gop": 50},
            "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 48000}}


@pytest.fixture(scope="session")
def streamed(server, tmp_path_factory):
    """Makes adaptive streams of the sample in a format, once; gives the folder and the manifest's name."""
    made = {}

    def make(format, segment_type):
        if (format, segment_type) in made:
            return made[format, segment_type]
        template = server.call("CreateAdaptiveDynamicStreamingTemplate", Format=format, SegmentType=segment_type,
                               StreamInfos=[stream(180, 300), stream(360, 700)])["Definition"]
        place = f"/play/{segment_type}-{format}/"
        done = server.wait(server.call(
            "ProcessMedia", InputInfo=server.cos_input(), OutputStorage=server.cos_output(), OutputDir=place,
            MediaProcessTask={"AdaptiveDynamicStreamingTaskSet": [{"Definition": template}]})["TaskId"])
        result = done["WorkflowTask"]["MediaProcessResultSet"][0]["AdaptiveDynamicStreamingTask"]
        assert result["Status"] == "SUCCESS", result
        folder, s3 = tmp_path_factory.mktemp("streams"), server.s3()
        for item in s3.list_objects_v2(Bucket=server.output_bucket, Prefix=place[1:])["Contents"]:
            s3.download_file(server.output_bucket, item["Key"], str(folder / item["Key"].rsplit("/", 1)[1]))
        made[format, segment_type] = folder, result["Output"]["Path"].rsplit("/", 1)[1]
        return made[format, segment_type]

    return make


@pytest.mark.parametrize("player", ["hls.js", "shaka"])
@pytest.mark.parametrize("segment_type", ["ts-segment", "ts-byterange", "mp4-segment", "mp4-byterange", "mp4-mp4-segment"])
@pytest.mark.parametrize("level", [0, 1])
def test_hls(browser, streamed, player, segment_type, level):
    folder, manifest = streamed("HLS", segment_type)
    told = browser.play(root=folder, path=manifest, player=player, level=level)
    assert_played(told, SECONDS, FRAMES, [(320, 180), (640, 360)][level])


@pytest.mark.parametrize("level", [0, 1])
def test_dash(browser, streamed, level):
    folder, manifest = streamed("MPEG-DASH", "mp4-byterange")
    told = browser.play(root=folder, path=manifest, player="shaka", level=level)
    assert_played(told, SECONDS, FRAMES, [(320, 180), (640, 360)][level])
