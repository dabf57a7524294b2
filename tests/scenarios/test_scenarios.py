"""Has the conversations of the YAML files beside it with a running server. README.md tells the form."""

import datetime
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import string
import time
import uuid

import pytest
import yaml

from conftest import REGION

HERE = pathlib.Path(__file__).parent
ALL = [(file.stem, scenario) for file in sorted(HERE.glob("*.yaml"))
       for scenario in yaml.safe_load(file.read_text())]


def authorization(key, host, content_type, method, query, body, at_s, service="mps"):
    """TC3-HMAC-SHA256, written down once more from the vendor's page."""
    day = datetime.datetime.fromtimestamp(at_s, datetime.timezone.utc).strftime("%Y-%m-%d")
    payload = hashlib.sha256(b"" if method == "GET" else body).hexdigest()
    canonical = f"{method}\n/\n{query}\ncontent-type:{content_type}\nhost:{host}\n\ncontent-type;host\n{payload}"
    scope = f"{day}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{at_s}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = ("TC3" + key["SecretKey"]).encode()
    for part in (day, service, "tc3_request"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    return (f"TC3-HMAC-SHA256 Credential={key['SecretId']}/{scope}, SignedHeaders=content-type;host, "
            f"Signature={signature}")


def send(server, other_account, step):
    """Sends a step's request; gives its `Response`."""
    sign, method = step.get("sign", {}), step.get("method", "POST")
    key = {None: server.key, "other": other_account,
           "unknown": {"SecretId": "AKID" + "x" * 32, "SecretKey": "x"}}[sign.get("key")]
    if sign.get("secret") == "wrong":
        key = {**key, "SecretKey": "wrong"}
    body = step["body"].encode() if "body" in step else json.dumps(step.get("params", {})).encode()
    query, at_s = step.get("query", ""), int(time.time()) + sign.get("skew_s", 0)
    headers = {"Host": server.host, "Content-Type": "application/json", "X-TC-Action": step.get("call"),
               "X-TC-Version": "2019-06-12", "X-TC-Region": REGION, "X-TC-Timestamp": str(at_s), "X-TC-Language": "en-US",
               **step.get("headers", {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    if not sign.get("none"):
        headers["Authorization"] = authorization(key, headers["Host"], headers.get("Content-Type", ""), method, query,
                                                 body, at_s, sign.get("service", "mps"))
    body += sign.get("after", "").encode()
    connection = http.client.HTTPConnection(server.host, timeout=60)
    connection.request(method, step.get("path", "/") + ("?" + query if query else ""),
                       None if method == "GET" else body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status == 200, f"status {answer.status}: {text[:300]}"
    assert answer.headers["Content-Type"] == "application/json"
    envelope = json.loads(text)
    assert list(envelope) == ["Response"]
    uuid.UUID(envelope["Response"]["RequestId"])
    return envelope["Response"]


def member(value, path):
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def fits(seen, wanted):
    if isinstance(wanted, dict) and "not" in wanted:
        return seen != wanted["not"]
    if isinstance(wanted, dict) and "like" in wanted:
        return re.search(wanted["like"], str(seen)) is not None
    return seen == wanted


def check(response, expect):
    code = response.get("Error", {}).get("Code", "ok")
    wanted = expect.get("code", "ok")
    wanted = wanted if isinstance(wanted, list) else [wanted]
    assert code in wanted, f"{code} is not {' or '.join(wanted)}: {json.dumps(response)[:800]}"
    if "message" in expect:
        assert re.search(expect["message"], response["Error"]["Message"]), response["Error"]["Message"]
    for path, value in expect.get("has", {}).items():
        seen = member(response, path)
        assert fits(seen, value), f"{path} is {seen!r}, not {value!r}"


def filled(value, names):
    if isinstance(value, str):
        return string.Template(value).safe_substitute(names)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {name: filled(item, names) for name, item in value.items()}
    return value


@pytest.mark.parametrize("scenario", [s for _, s in ALL], ids=[f"{f}: {s['name']}" for f, s in ALL])
def test_conversation(server, other_account, files, receiver, scenario):
    names = {"input_bucket": server.input_bucket, "output_bucket": server.output_bucket, "app_id": server.app_id,
             "files": files[0], "receiver": receiver.address, "unique": uuid.uuid4().hex}
    for raw in scenario["steps"]:
        step = filled(raw, names)
        deadline = time.monotonic() + step.get("at_most_s", 60)
        for _ in range(step.get("times", 1)):
            response = send(server, other_account, step)
        while "until" in step and not all(fits(member(response, p), v) for p, v in step["until"].items()):
            assert time.monotonic() < deadline, f"not so in time: {step['until']}: {json.dumps(response)[:500]}"
            time.sleep(0.2)
            response = send(server, other_account, step)
        check(response, step.get("expect", {}))
        for name, path in step.get("save", {}).items():
            names[name] = member(response, path)
