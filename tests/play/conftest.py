"""What playbacks need: a browser, a key server and packages."""

import json
import os
import pathlib
import subprocess
import urllib.request

import pytest

from playing import Browser

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VECTOR = "0123456789abcdef0123456789abcdef"


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


class Keyserver:
    """A running `mps keyserver`."""

    def __init__(self, folder):
        self.child = subprocess.Popen(
            [program("mps"), "keyserver", "--listen", "127.0.0.1:0", "--seed-file", str(folder / "seed")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.url = self.child.stdout.readline().strip()
        assert self.url.startswith("http://"), "the key server does not start"
        self.licence = self.url + "/clearkey"

    def stop(self):
        self.child.terminate()
        assert self.child.wait(20) == 0

    def key(self, kid):
        """The key of an id, both in hex."""
        with urllib.request.urlopen(f"{self.url}/key/{kid}", timeout=10) as answer:
            return answer.read().hex()

    def speke(self, kind, method="", preset="preset0"):
        return {"Type": kind, "SpekeDrm": {
            "ResourceId": "film-1", "KeyServerUrl": self.url + "/speke", "Vector": VECTOR,
            "EncryptionMethod": method, "EncryptionPreset": preset}}

    def simple(self, kid="7" * 32, vector=VECTOR):
        return {"Type": "simpleaes", "SimpleAesDrm": {
            "Uri": f"{self.url}/key/{kid}", "Key": self.key(kid), **({"Vector": vector} if vector else {})}}


@pytest.fixture(scope="session")
def keyserver(tmp_path_factory):
    running = Keyserver(tmp_path_factory.mktemp("keys"))
    yield running
    running.stop()


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
