"""A browser that plays what it is given, and what a good playback looks like."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
# The last frames of a segment may be counted after the end, and a gap costs some.
FRAMES_OFF = 4
# Faster than life a player may wait once for its buffer.
FREEZE_MS = 500


class Browser:
    """One headless browser for many playbacks, one after the other."""

    def __init__(self):
        node = shutil.which("node")
        if not node or not (HERE / "node_modules").exists():
            pytest.fail("node or the players are missing; run scripts/setup.sh test")
        self.child = subprocess.Popen([node, str(HERE / "driver.mjs")], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def play(self, **job):
        """Plays `url`, or `path` in the folder `root`, and tells what happened.

        `player` is hls.js, shaka or native; `rate` the speed; `level` the rendition from the smallest, 0, on;
        `licence` the address of ClearKey licences, or `keys` ids and keys in hex for shaka; `screenshot` a file for
        the picture at the end; `limit_s` the most seconds that it may take.
        """
        job = {name: str(value) if isinstance(value, pathlib.Path) else value for name, value in job.items()}
        self.child.stdin.write(json.dumps(job) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        assert line, f"the browser has gone, status {self.child.wait(10)}"
        return json.loads(line)

    def stop(self):
        self.child.stdin.close()
        self.child.wait(30)


def assert_played(told, duration_s, frames=None, size=None):
    """To the end, without a gap, every frame decoded, no freeze that a viewer would notice."""
    said = json.dumps(told, indent=1)
    assert told["failure"] is None and not told["complaints"], said
    assert told["ended"] and abs(told["duration_s"] - duration_s) < 0.25, said
    assert told["at_s"] >= told["duration_s"] - 0.1, said
    assert told["waits"] <= 1 and told["longest_freeze_ms"] < FREEZE_MS, said
    assert len(told["buffered_s"]) == 1, said
    start, end = told["buffered_s"][0]
    # TS begins a little after 0.
    assert start < 0.2 and end > duration_s - 0.3, said
    if frames is not None:
        assert abs(told["frames"] - frames) <= FRAMES_OFF, said
    if size is not None:
        assert told["size"] == list(size), said


def likeness_db(picture, other):
    """How alike two pictures are, as PSNR."""
    ffmpeg = os.environ.get("MPS_FFMPEG", str(HERE.parent.parent / ".cache/tools/ffmpeg"))
    done = subprocess.run([ffmpeg, "-v", "info", "-i", str(picture), "-i", str(other), "-lavfi", "psnr", "-f", "null", "-"],
                          capture_output=True, text=True, check=True)
    average = done.stderr.rsplit("average:", 1)[1].split()[0]
    return 99.0 if average == "inf" else float(average)
