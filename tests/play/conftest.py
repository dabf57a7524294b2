"""What playbacks need: a browser, packages and streams."""

import json
import os
import pathlib
import subprocess

import pytest

from playing import Browser

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def program(name):
    """A program that cargo built."""
    path = pathlib.Path(os.environ.get("MPS_BIN", ROOT / "target/debug/mps")).with_name(name)
    if not path.exists():
        pytest.exit(f"there is no {path}; run `make test`, or build the workspace", returncode=2)
    return str(path)


@pytest.fixture(scope="session")
def browser():
    made = Browser()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """Makes a package of 6 s in two renditions, once for each wish; gives its folder."""
    made = {}
    tools = [os.environ.get(f"MPS_{name.upper()}", str(ROOT / ".cache/tools" / name))
             for name in ("ffmpeg", "ffprobe", "packager")]

    def make(format, segment_type, drm=None):
        wish = {"format": format, "segment_type": segment_type, "drm": drm, "binary": program("mps"), "tools": tools}
        name = json.dumps(wish, sort_keys=True)
        if name not in made:
            folder = tmp_path_factory.mktemp("package")
            done = subprocess.run([program("mps-test-packages")], input=json.dumps({**wish, "folder": str(folder)}),
                                  text=True, capture_output=True, timeout=120)
            assert done.returncode == 0, done.stderr
            made[name] = folder
        return made[name]

    return make


def stream(height, kbps):
    return {"Video": {"Codec": "h264", "Fps": 0, "Bitrate": kbps, "Height": height, "Gop": 50},
            "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 48000}}


@pytest.fixture(scope="session")
def streamed(server, tmp_path_factory):
    """Makes adaptive streams of the sample, once for each wish; gives the folder and the manifest's name."""
    made = {}

    def make(format, segment_type, drm=None):
        name = json.dumps([format, segment_type, drm])
        if name in made:
            return made[name]
        template = server.call("CreateAdaptiveDynamicStreamingTemplate", Format=format, SegmentType=segment_type,
                               StreamInfos=[stream(180, 300), stream(360, 700)])["Definition"]
        place = f"/play/{len(made)}/"
        done = server.wait(server.call(
            "ProcessMedia", InputInfo=server.cos_input(), OutputStorage=server.cos_output(), OutputDir=place,
            MediaProcessTask={"AdaptiveDynamicStreamingTaskSet": [{"Definition": template, **({"DrmInfo": drm} if drm else {})}]})["TaskId"])
        result = done["WorkflowTask"]["MediaProcessResultSet"][0]["AdaptiveDynamicStreamingTask"]
        assert result["Status"] == "SUCCESS", result
        folder, s3 = tmp_path_factory.mktemp("streams"), server.s3()
        for item in s3.list_objects_v2(Bucket=server.output_bucket, Prefix=place[1:])["Contents"]:
            s3.download_file(server.output_bucket, item["Key"], str(folder / item["Key"].rsplit("/", 1)[1]))
        made[name] = folder, result["Output"]["Path"].rsplit("/", 1)[1]
        return made[name]

    return make
