"""A server of its own for the tests: empty data folder, free ports, two accounts, a bucket with a real clip in it."""

import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.request

import boto3
import botocore.config
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
VECTOR = "0123456789abcdef0123456789abcdef"
REGION = "ap-guangzhou"


def binary():
    path = pathlib.Path(os.environ.get("MPS_BIN", ROOT / "target/debug/mps"))
    if not path.exists():
        pytest.exit(f"there is no {path}; run `make test`, or build it and set MPS_BIN", returncode=2)
    return str(path)


def own_environment(**extra):
    """The environment without any MPS_ variable but the paths of the tools."""
    kept = ("MPS_FFMPEG", "MPS_FFPROBE", "MPS_PACKAGER")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MPS_") or k in kept}
    return {**clean, **extra}


class Server:
    """A running `mps serve` and what it takes to talk to it."""

    def __init__(self, data, **variables):
        self.data = pathlib.Path(data)
        self.variables = {"MPS_BUCKETS__LISTEN": "127.0.0.1:0", **variables}
        self.child = None
        self.key = None

    def start(self):
        log = open(self.data.parent / f"{self.data.name}.log", "ab")
        self.child = subprocess.Popen(
            [binary(), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"],
            env=own_environment(**self.variables), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self.is_ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)
        if self.key is None:
            self.key = json.loads(self.mps("keys", "create", "--json").stdout)
        return self

    def is_ready(self):
        try:
            endpoint = self.endpoint()
            if endpoint["pid"] != self.child.pid:
                return False
            with urllib.request.urlopen(endpoint["api"] + "/readyz", timeout=2) as answer:
                return answer.status == 200
        except (OSError, ValueError):
            return False

    def stop(self, sig=signal.SIGTERM, wait_s=60):
        self.child.send_signal(sig)
        return self.child.wait(wait_s)

    def endpoint(self):
        return json.loads((self.data / "run/endpoint.json").read_text())

    def log(self):
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    @property
    def api(self):
        return self.endpoint()["api"]

    @property
    def host(self):
        return self.api.removeprefix("http://")

    @property
    def buckets(self):
        return self.endpoint()["buckets"]

    @property
    def secret_id(self):
        return self.key["SecretId"]

    @property
    def secret_key(self):
        return self.key["SecretKey"]

    @property
    def app_id(self):
        return self.key["AppId"]

    @property
    def input_bucket(self):
        return f"input-{self.app_id}"

    @property
    def output_bucket(self):
        return f"output-{self.app_id}"

    def mps(self, *words, check=True, local=True, **variables):
        """Runs the command line; `local` adds --data of this server."""
        place = ["--data", str(self.data)] if local else []
        done = subprocess.run([binary(), *words, *place], env=own_environment(**variables), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        if check and done.returncode != 0:
            raise AssertionError(f"mps {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def call(self, action, key=None, **params):
        """A signed call by the vendor's common client: unknown members are not dropped on the way."""
        from tencentcloud.common import credential
        from tencentcloud.common.common_client import CommonClient
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile

        key = key or self.key
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=self.host, reqTimeout=60))
        who = credential.Credential(key["SecretId"], key["SecretKey"])
        return CommonClient("mps", "2019-06-12", who, REGION, profile).call_json(action, params)["Response"]

    def wait(self, task_id, at_most_s=180, key=None):
        deadline = time.monotonic() + at_most_s
        while True:
            answer = self.call("DescribeTaskDetail", key=key, TaskId=task_id)
            if answer["Status"] == "FINISH":
                return answer
            assert time.monotonic() < deadline, f"{task_id} is still {answer['Status']} after {at_most_s} s"
            time.sleep(0.2)

    def s3(self, key=None):
        key = key or self.key
        return boto3.client(
            "s3", endpoint_url=self.buckets, region_name=REGION, aws_access_key_id=key["SecretId"],
            aws_secret_access_key=key["SecretKey"],
            config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"},
                                          retries={"max_attempts": 1}))

    def cos_input(self, key="clips/bunny.mp4"):
        return {"Type": "COS", "CosInputInfo": {"Bucket": self.input_bucket, "Region": REGION, "Object": "/" + key}}

    def cos_output(self):
        return {"Type": "COS", "CosOutputStorage": {"Bucket": self.output_bucket, "Region": REGION}}

    def process(self, definitions=(100010,), key=None, **more):
        params = {"InputInfo": self.cos_input(), "OutputStorage": self.cos_output(), "OutputDir": "/out/",
                  "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": d} for d in definitions]}, **more}
        return self.call("ProcessMedia", key=key, **params)["TaskId"]


@pytest.fixture(scope="session")
def sample():
    """A real clip of a few seconds."""
    path = os.environ.get("MPS_TEST_SAMPLE")
    if not path:
        path = subprocess.run(["bash", str(ROOT / "scripts/sample.sh")], capture_output=True, text=True,
                              check=True).stdout.strip()
    return pathlib.Path(path)


class Receiver:
    """Takes callbacks; answers 200, or what `status` says."""

    def __init__(self):
        self.got = []
        self.status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.got.append((time.monotonic(), self.headers, json.loads(body)))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server.server_address[1]}"

    def of(self, task_id):
        """Headers and bodies of the callbacks about a task."""
        return [(h, b) for _, h, b in self.got if task_id in json.dumps(b)]

    def wait_for(self, task_id, count=1, at_most_s=120):
        deadline = time.monotonic() + at_most_s
        while len(self.of(task_id)) < count:
            assert time.monotonic() < deadline, f"{len(self.of(task_id))} callbacks about {task_id} so far"
            time.sleep(0.05)
        return self.of(task_id)


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and some answers that go wrong."""

    def do_GET(self):
        if self.path.startswith("/redirect-to/"):
            self.send_response(302)
            self.send_header("Location", "http://" + self.path.removeprefix("/redirect-to/"))
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def files(tmp_path_factory, sample):
    """A web server with the clip and some broken files; gives `host:port` and the folder."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "bunny.mp4").write_bytes(sample.read_bytes())
    (folder / "text.mp4").write_text("this is no film\n" * 100)
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "cut.mp4").write_bytes(sample.read_bytes()[: 60_000])
    handler = lambda *args: Files(*args, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()


@pytest.fixture(scope="session")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


class Keyserver:
    """A running `mps keyserver`."""

    def __init__(self, folder):
        self.child = subprocess.Popen(
            [binary(), "keyserver", "--listen", "127.0.0.1:0", "--seed-file", str(folder / "seed")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.url = self.child.stdout.readline().strip()
        assert self.url.startswith("http://"), "the key server does not start"
        self.host = self.url.removeprefix("http://")
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
def server(tmp_path_factory, sample, files, receiver, keyserver):
    running = Server(tmp_path_factory.mktemp("mps") / "data",
                     MPS_NETWORK__ALLOW_PRIVATE=f"{files[0]},{receiver.address},{keyserver.host}",
                     MPS_REGION_ALIASES="ap-guangzhou-2=ap-guangzhou",
                     MPS_AWS__S3_ENDPOINT_URL=os.environ.get("MPS_TEST_S3_URL", "http://127.0.0.1:9")).start()
    running.s3().upload_file(str(sample), running.input_bucket, "clips/bunny.mp4")
    yield running
    status = running.stop()
    assert status == 0, f"SIGTERM must end the server with 0, not {status}:\n{running.log()[-4000:]}"


@pytest.fixture(scope="session")
def other_account(server):
    """The key of a second account."""
    return json.loads(server.mps("keys", "create", "--account", "1250000001", "--json").stdout)


@pytest.fixture(scope="session")
def ffprobe():
    """Tells what a file holds, as ffprobe's JSON."""
    program = os.environ.get("MPS_FFPROBE", str(ROOT / ".cache/tools/ffprobe"))

    def look(path):
        done = subprocess.run([program, "-v", "error", "-print_format", "json", "-show_format", "-show_streams",
                               str(path)], capture_output=True, check=True)
        return json.loads(done.stdout)

    return look
