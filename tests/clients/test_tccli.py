"""tccli, unchanged, over plain http: it sends a malformed Host header, which must be taken as it is."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import REGION


@pytest.fixture(scope="module")
def tccli(server, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    program = pathlib.Path(sys.executable).parent / "tccli"

    def run(action, *words, check=True):
        environment = {**os.environ, "HOME": str(home), "TENCENTCLOUD_SECRET_ID": server.secret_id,
                       "TENCENTCLOUD_SECRET_KEY": server.secret_key, "TENCENTCLOUD_REGION": REGION}
        done = subprocess.run([str(program), "mps", action, "--endpoint", server.api, "--region", REGION, *words],
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        said = done.stdout + done.stderr
        if check:
            assert done.returncode == 0, said
            return json.loads(done.stdout)
        return done.returncode, said

    return run


def test_presets_are_listed(tccli):
    answer = tccli("DescribeTranscodeTemplates", "--Type", "Preset", "--Limit", "100")
    assert "100010" in {str(item["Definition"]) for item in answer["TranscodeTemplateSet"]}
    assert answer["RequestId"]


def test_a_task_is_made_and_waited_for(server, tccli):
    answer = tccli("ProcessMedia", "--InputInfo", json.dumps(server.cos_input()),
                   "--OutputStorage", json.dumps(server.cos_output()), "--OutputDir", "/tccli/",
                   "--MediaProcessTask", json.dumps({"TranscodeTaskSet": [{"Definition": 100010}]}))
    waited = tccli("DescribeTaskDetail", "--TaskId", answer["TaskId"],
                   "--waiter", "{'expr':'Status','to':'FINISH','timeout':120,'interval':1}")
    assert waited["Status"] == "FINISH"
    item = waited["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"]
    assert item["Status"] == "SUCCESS", item
    assert item["Output"]["Path"].startswith("/tccli/")


def test_the_other_actions_answer(server, tccli):
    assert "TaskSet" in tccli("DescribeTasks", "--Status", "FINISH", "--Limit", "5")
    meta = tccli("DescribeMediaMetaData", "--InputInfo", json.dumps(server.cos_input()))
    assert meta["MetaData"]["Height"] == 720
    made = tccli("CreateTranscodeTemplate", "--Container", "mp4", "--Name", "tccli", "--RemoveVideo", "1",
                 "--AudioTemplate", json.dumps({"Codec": "aac", "Bitrate": 64, "SampleRate": 44100}))
    definition = str(made["Definition"])
    tccli("ModifyTranscodeTemplate", "--Definition", definition, "--Comment", "changed")
    listed = tccli("DescribeTranscodeTemplates", "--Definitions", f"[{definition}]")
    assert listed["TranscodeTemplateSet"][0]["Comment"] == "changed"
    tccli("DeleteTranscodeTemplate", "--Definition", definition)


def test_a_refusal_shows_its_code(tccli):
    status, said = tccli("DescribeTaskDetail", "--TaskId", "1250000000-WorkflowTask-nobody", check=False)
    assert status != 0
    assert "TaskNotFound" in said or "InvalidParameterValue.TaskId" in said
    status, said = tccli("ManageTask", "--OperationType", "Dance", "--TaskId", "x", check=False)
    assert status != 0 and "InvalidParameterValue" in said
    status, said = tccli("ParseNotification", "--Content", "{bad", check=False)
    assert status != 0 and "InvalidParameter" in said
