"""The vendor's Python SDK, unchanged, through every action that is built."""

import datetime
import json
import re
import uuid

import pytest
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.mps.v20190612 import models, mps_client

from conftest import REGION, VECTOR

TASK_ID = re.compile(r"^\d+-WorkflowTask-[0-9a-f]{32}tt\d+$")
ISO = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$")


def client(server, method="POST", sign="TC3-HMAC-SHA256", key=None, unsigned=False):
    key = key or server.key
    profile = ClientProfile(signMethod=sign, httpProfile=HttpProfile(
        protocol="http", endpoint=server.host, reqMethod=method, reqTimeout=60))
    profile.unsignedPayload = unsigned
    return mps_client.MpsClient(credential.Credential(key["SecretId"], key["SecretKey"]), REGION, profile)


def request(kind, params):
    made = getattr(models, kind)()
    made.from_json_string(json.dumps(params))
    return made


def process(server, client, **more):
    params = {"InputInfo": server.cos_input(), "OutputStorage": server.cos_output(), "OutputDir": "/sdk/", **more}
    return client.ProcessMedia(request("ProcessMediaRequest", params))


@pytest.fixture(scope="module")
def finished(server):
    """A task with three renditions, ended."""
    sdk = client(server)
    answer = process(server, sdk, SessionContext="context", SessionId=str(uuid.uuid4()), TasksPriority=3,
                     MediaProcessTask={"TranscodeTaskSet": [{"Definition": d} for d in (100020, 100030, 100220)]})
    assert TASK_ID.match(answer.TaskId)
    server.wait(answer.TaskId)
    return sdk.DescribeTaskDetail(request("DescribeTaskDetailRequest", {"TaskId": answer.TaskId}))


def test_a_request_becomes_finished_files_in_the_order_asked_for(server, finished, tmp_path, ffprobe):
    task = finished.WorkflowTask
    assert (finished.TaskType, finished.Status, task.Status, task.ErrCode) == ("WorkflowTask", "FINISH", "FINISH", 0)
    items = [item.TranscodeTask for item in task.MediaProcessResultSet]
    assert [item.Input.Definition for item in items] == [100020, 100030, 100220]
    for item, height in zip(items, (540, 720, 540)):
        assert (item.Status, item.ErrCode, item.Progress) == ("SUCCESS", 0, 100), item.Message
        assert item.Output.Path.startswith("/sdk/bunny")
        assert item.Output.Height == height
        assert item.Output.OutputStorage.CosOutputStorage.Bucket == server.output_bucket
        head = server.s3().head_object(Bucket=server.output_bucket, Key=item.Output.Path.lstrip("/"))
        assert head["ContentLength"] > 0
    mp4 = tmp_path / "out.mp4"
    server.s3().download_file(server.output_bucket, items[0].Output.Path.lstrip("/"), str(mp4))
    assert mp4.stat().st_size == items[0].Output.Size
    seen = ffprobe(mp4)
    assert {s["codec_name"] for s in seen["streams"]} == {"h264", "aac"}
    assert abs(float(seen["format"]["duration"]) - items[0].Output.Duration) < 0.1


def test_an_hls_is_a_playlist_whose_segments_are_there(server, finished):
    item = finished.WorkflowTask.MediaProcessResultSet[2].TranscodeTask.Output
    assert item.Path.endswith(".m3u8")
    key = item.Path.lstrip("/")
    text = server.s3().get_object(Bucket=server.output_bucket, Key=key)["Body"].read().decode()
    assert text.startswith("#EXTM3U") and text.rstrip().endswith("#EXT-X-ENDLIST")
    segments = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert segments
    for segment in segments:
        where = key.rsplit("/", 1)[0] + "/" + segment
        assert server.s3().head_object(Bucket=server.output_bucket, Key=where)["ContentLength"] > 0


def test_the_answer_tells_times_metadata_and_what_was_sent(server, finished, sample, ffprobe):
    assert ISO.match(finished.CreateTime) and ISO.match(finished.BeginProcessTime) and ISO.match(finished.FinishTime)
    assert (finished.SessionContext, finished.TasksPriority) == ("context", 3)
    meta, seen = finished.WorkflowTask.MetaData, ffprobe(sample)
    assert meta.Size == sample.stat().st_size
    assert abs(meta.Duration - float(seen["format"]["duration"])) < 0.05
    video = next(s for s in seen["streams"] if s["codec_type"] == "video")
    assert (meta.Width, meta.Height) == (video["width"], video["height"])
    assert [s.Codec for s in meta.VideoStreamSet] == ["h264"] and [s.Codec for s in meta.AudioStreamSet] == ["aac"]


@pytest.mark.parametrize("how", [
    {"method": "GET"}, {"sign": "HmacSHA1"}, {"sign": "HmacSHA256"}, {"sign": "HmacSHA256", "method": "GET"},
    {"unsigned": True},
])
def test_every_way_to_sign_and_send_is_understood(server, how):
    answer = client(server, **how).DescribeTranscodeTemplates(
        request("DescribeTranscodeTemplatesRequest", {"Definitions": [100010]}))
    assert answer.TotalCount == 1
    assert str(answer.TranscodeTemplateSet[0].Definition) == "100010"


def test_a_get_with_a_deep_request_equals_a_post(server):
    answer = process(server, client(server, method="GET"), SessionContext="by GET",
                     MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]})
    assert TASK_ID.match(answer.TaskId)
    assert server.wait(answer.TaskId)["SessionContext"] == "by GET"


def test_templates_live_a_whole_life(server):
    sdk = client(server)
    body = {"Container": "mp4", "Name": "life", "Comment": "of a template", "RemoveVideo": 0, "RemoveAudio": 0,
            "VideoTemplate": {"Codec": "h264", "Fps": 25, "Bitrate": 400, "Width": 320, "Height": 0},
            "AudioTemplate": {"Codec": "aac", "Bitrate": 64, "SampleRate": 44100}}
    definition = sdk.CreateTranscodeTemplate(request("CreateTranscodeTemplateRequest", body)).Definition
    describe = lambda: sdk.DescribeTranscodeTemplates(
        request("DescribeTranscodeTemplatesRequest", {"Definitions": [definition]})).TranscodeTemplateSet
    before = describe()[0]
    assert (before.Name, before.Type, before.VideoTemplate.Width) == ("life", "Custom", 320)
    sdk.ModifyTranscodeTemplate(request("ModifyTranscodeTemplateRequest",
                                        {"Definition": definition, "Name": "second life"}))
    after = describe()[0]
    assert (after.Name, after.Comment, after.VideoTemplate.Bitrate) == ("second life", "of a template", 400)

    task = process(server, sdk, MediaProcessTask={"TranscodeTaskSet": [{"Definition": definition}]}).TaskId
    item = server.wait(task)["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"]
    assert (item["Status"], item["Output"]["Width"]) == ("SUCCESS", 320)

    sdk.DeleteTranscodeTemplate(request("DeleteTranscodeTemplateRequest", {"Definition": definition}))
    assert describe() == []


def test_presets_cannot_be_changed(server):
    sdk = client(server)
    with pytest.raises(TencentCloudSDKException) as refused:
        sdk.ModifyTranscodeTemplate(request("ModifyTranscodeTemplateRequest", {"Definition": 100010, "Name": "x"}))
    assert refused.value.get_code() == "InvalidParameterValue.ModifyDefaultTemplate"
    with pytest.raises(TencentCloudSDKException) as refused:
        sdk.DeleteTranscodeTemplate(request("DeleteTranscodeTemplateRequest", {"Definition": 100010}))
    assert refused.value.get_code() == "InvalidParameterValue.DeleteDefaultTemplate"
    assert re.fullmatch(r"[0-9a-f-]{36}", refused.value.get_request_id())


def test_tasks_are_listed_page_by_page_without_repeats(server):
    sdk = client(server)
    made = {process(server, sdk, MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010, "EndTimeOffset": 0.5}]}).TaskId
            for _ in range(5)}
    for task in made:
        server.wait(task)
    seen, token = [], ""
    while True:
        page = sdk.DescribeTasks(request("DescribeTasksRequest",
                                         {"Status": "FINISH", "Limit": 2, **({"ScrollToken": token} if token else {})}))
        assert len(page.TaskSet) <= 2
        seen += [task.TaskId for task in page.TaskSet]
        token = page.ScrollToken
        if not token:
            break
    assert len(seen) == len(set(seen)) and made <= set(seen)


def test_a_task_at_work_cannot_be_aborted_and_an_ended_one_neither(server, finished):
    sdk = client(server)
    with pytest.raises(TencentCloudSDKException) as refused:
        sdk.ManageTask(request("ManageTaskRequest",
                               {"OperationType": "Abort", "TaskId": finished.WorkflowTask.TaskId}))
    assert refused.value.get_code().split(".")[0] in ("InvalidParameterValue", "FailedOperation")


def test_a_waiting_task_is_aborted_and_makes_nothing(server):
    sdk = client(server)
    busy = [process(server, sdk, MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100040}] * 4}).TaskId
            for _ in range(3)]
    waiting = process(server, sdk, TasksPriority=-10, OutputDir="/aborted/",
                      MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]}).TaskId
    sdk.ManageTask(request("ManageTaskRequest", {"OperationType": "Abort", "TaskId": waiting}))
    answer = server.wait(waiting)
    parts = [item["TranscodeTask"] for item in answer["WorkflowTask"]["MediaProcessResultSet"]]
    assert [part["Status"] for part in parts] == ["FAIL"] and parts[0]["Message"]
    listed = server.s3().list_objects_v2(Bucket=server.output_bucket, Prefix="aborted/")
    assert listed["KeyCount"] == 0
    for task in busy:
        server.wait(task)


def test_a_session_id_is_taken_once_in_three_days(server):
    sdk, session = client(server), str(uuid.uuid4())
    task = {"TranscodeTaskSet": [{"Definition": 100010, "EndTimeOffset": 0.5}]}
    process(server, sdk, SessionId=session, MediaProcessTask=task)
    with pytest.raises(TencentCloudSDKException) as refused:
        process(server, sdk, SessionId=session, MediaProcessTask=task)
    assert refused.value.get_code() == "InvalidParameterValue.SessionId"
    process(server, sdk, SessionId="", MediaProcessTask=task)
    process(server, sdk, SessionId="", MediaProcessTask=task)


def test_a_callback_carries_the_result_once_and_can_be_parsed(server, receiver):
    sdk = client(server)
    url = f"http://{receiver.address}/hook"
    task = process(server, sdk, SessionContext="told", TaskNotifyConfig={"NotifyType": "URL", "NotifyUrl": url},
                   MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]}).TaskId
    (headers, body), = receiver.wait_for(task)
    assert headers["X-MPS-Attempt"] == "1" and headers["X-MPS-Event-Id"]
    assert body["EventType"] == "WorkflowTask"
    assert body["WorkflowTaskEvent"]["Status"] == "FINISH" and body["SessionContext"] == "told"
    parsed = sdk.ParseNotification(request("ParseNotificationRequest", {"Content": json.dumps(body)}))
    assert parsed.EventType == "WorkflowTask"
    assert parsed.WorkflowTaskEvent.TaskId == task
    assert parsed.WorkflowTaskEvent.MediaProcessResultSet[0].TranscodeTask.Status == "SUCCESS"


def test_a_receiver_that_fails_is_told_again_with_the_same_event_id(server, receiver):
    receiver.status = 500
    try:
        task = process(server, client(server),
                       TaskNotifyConfig={"NotifyType": "URL", "NotifyUrl": f"http://{receiver.address}/failing"},
                       MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010, "EndTimeOffset": 0.5}]}).TaskId
        receiver.wait_for(task)
    finally:
        receiver.status = 200
    told = receiver.wait_for(task, count=2)
    assert [headers["X-MPS-Attempt"] for headers, _ in told[:2]] == ["1", "2"]
    assert told[0][0]["X-MPS-Event-Id"] == told[1][0]["X-MPS-Event-Id"]
    assert told[0][1] == told[1][1]


def test_metadata_is_told_on_demand(server, sample):
    answer = client(server).DescribeMediaMetaData(
        request("DescribeMediaMetaDataRequest", {"InputInfo": server.cos_input()}))
    assert answer.MetaData.Size == sample.stat().st_size
    assert (answer.MetaData.Width, answer.MetaData.Height) == (1280, 720)


def test_a_url_is_an_input(server, files):
    task = process(server, client(server),
                   InputInfo={"Type": "URL", "UrlInputInfo": {"Url": f"http://{files[0]}/bunny.mp4"}},
                   MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]}).TaskId
    answer = server.wait(task)
    assert answer["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"]["Status"] == "SUCCESS", answer


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "none.mp4"])
def test_a_bad_source_ends_the_task_with_a_code(server, files, name):
    task = process(server, client(server),
                   InputInfo={"Type": "URL", "UrlInputInfo": {"Url": f"http://{files[0]}/{name}"}},
                   MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]}).TaskId
    answer = server.wait(task, at_most_s=60)
    assert answer["Status"] == "FINISH" and answer["WorkflowTask"]["ErrCode"] != 0
    assert answer["WorkflowTask"]["Message"]


def test_a_private_address_is_no_input(server):
    with pytest.raises(TencentCloudSDKException) as refused:
        task = process(server, client(server),
                       InputInfo={"Type": "URL", "UrlInputInfo": {"Url": "http://169.254.169.254/latest/meta-data"}},
                       MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]}).TaskId
        answer = server.wait(task, at_most_s=60)
        assert answer["WorkflowTask"]["ErrCode"] != 0
        raise TencentCloudSDKException("InvalidParameter.InvalidUrl", "refused by the task")
    assert refused.value.get_code().startswith("InvalidParameter")


def test_accounts_do_not_see_each_other(server, finished, other_account):
    sdk = client(server, key=other_account)
    with pytest.raises(TencentCloudSDKException) as refused:
        sdk.DescribeTaskDetail(request("DescribeTaskDetailRequest", {"TaskId": finished.WorkflowTask.TaskId}))
    assert refused.value.get_code() in ("ResourceNotFound.TaskNotFound", "InvalidParameterValue.TaskId")
    with pytest.raises(TencentCloudSDKException) as refused:
        process(server, sdk, MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]})
    assert refused.value.get_code().startswith("ResourceNotFound.CosBucket")
    assert sdk.DescribeTasks(request("DescribeTasksRequest", {"Status": "FINISH"})).TotalCount == 0


def test_every_unbuilt_action_says_so(server):
    with pytest.raises(TencentCloudSDKException) as refused:
        client(server).DescribeWorkflows(request("DescribeWorkflowsRequest", {}))
    assert refused.value.get_code() == "UnsupportedOperation"
    assert "DescribeWorkflows" in refused.value.get_message()


def test_wrong_keys_are_told_apart(server):
    for key, code in [({"SecretId": "AKIDnobody", "SecretKey": "x"}, "AuthFailure.SecretIdNotFound"),
                      ({**server.key, "SecretKey": "x"}, "AuthFailure.SignatureFailure")]:
        with pytest.raises(TencentCloudSDKException) as refused:
            client(server, key=key).DescribeTasks(request("DescribeTasksRequest", {"Status": "FINISH"}))
        assert refused.value.get_code() == code


def test_the_clock_of_the_server_is_utc(finished):
    created = datetime.datetime.fromisoformat(finished.CreateTime.replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - created).total_seconds()) < 3600


def test_the_documented_call_for_encryption_ends_in_an_encrypted_ladder(server, keyserver, receiver):
    sdk = client(server)
    stream = {"Video": {"Codec": "h264", "Fps": 0, "Bitrate": 300, "Height": 180},
              "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 48000}}
    template = sdk.CreateAdaptiveDynamicStreamingTemplate(request("CreateAdaptiveDynamicStreamingTemplateRequest", {
        "Format": "HLS", "SegmentType": "mp4-segment", "StreamInfos": [stream]})).Definition
    drm = {"Type": "widevine", "SpekeDrm": {
        "ResourceId": "test123", "KeyServerUrl": keyserver.url + "/speke?ticket=t1cket", "Vector": VECTOR,
        "EncryptionMethod": "cbcs", "EncryptionPreset": "preset0"}}
    answer = process(server, sdk, OutputDir="/mps_output/drm/",
                     MediaProcessTask={"AdaptiveDynamicStreamingTaskSet": [{"Definition": template, "DrmInfo": drm}]},
                     TaskNotifyConfig={"NotifyType": "URL", "NotifyUrl": f"http://{receiver.address}/drm"})
    assert TASK_ID.match(answer.TaskId)
    (_, body), = receiver.wait_for(answer.TaskId)
    assert "t1cket" not in json.dumps(body)
    detail = sdk.DescribeTaskDetail(request("DescribeTaskDetailRequest", {"TaskId": answer.TaskId}))
    told = detail.WorkflowTask.MediaProcessResultSet[0].AdaptiveDynamicStreamingTask
    assert told.Status == "SUCCESS", told
    assert told.Input.DrmInfo.SpekeDrm.KeyServerUrl == keyserver.url + "/speke?******"
    folder, main = told.Output.Path.lstrip("/").rsplit("/", 1)
    first = server.s3().get_object(Bucket=server.output_bucket, Key=f"{folder}/{main.replace('.m3u8', '_0.m3u8')}")
    text = first["Body"].read().decode()
    assert "#EXT-X-KEY:METHOD=SAMPLE-AES," in text and "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed" in text, text
    assert f"IV=0x{VECTOR}" in text, text
