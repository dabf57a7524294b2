"""All checks of s3_door.py against the server of the tests."""

import pathlib
import subprocess
import sys

from conftest import REGION

SCRIPT = pathlib.Path(__file__).with_name("s3_door.py")


def test_the_clients_that_people_have_find_what_they_expect(server, other_account):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--endpoint", server.buckets, "--secret-id", server.secret_id,
         "--secret-key", server.secret_key, "--bucket", server.input_bucket, "--region", REGION,
         "--other-id", other_account["SecretId"], "--other-key", other_account["SecretKey"]],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
