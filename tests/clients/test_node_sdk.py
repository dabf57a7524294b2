"""Runs the tests of the vendor's Node SDK, which lie beside this file, against the server of this session."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import REGION

HERE = pathlib.Path(__file__).parent / "node"


def test_the_node_sdk(server):
    node = shutil.which("node")
    if not node or not (HERE / "node_modules").exists():
        pytest.fail("node or its packages are missing; run scripts/setup.sh test")
    environment = {**os.environ, "TEST_ENDPOINT": server.host, "TEST_SECRET_ID": server.secret_id,
                   "TEST_SECRET_KEY": server.secret_key, "TEST_REGION": REGION,
                   "TEST_INPUT": json.dumps(server.cos_input()), "TEST_OUTPUT": json.dumps(server.cos_output())}
    done = subprocess.run([node, "--test"], cwd=HERE, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
