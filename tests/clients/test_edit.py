"""The vendor's Python SDK, unchanged, through edits and their events (EDIT-01, EDIT-02, EDIT-06)."""

import json

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from test_python_sdk import client, request


def edit(server, sdk, files, path, **more):
    params = {"FileInfos": files, "OutputStorage": server.cos_output(), "OutputObjectPath": path, **more}
    return sdk.EditMedia(request("EditMediaRequest", params)).TaskId


def described(server, sdk, task_id):
    server.wait(task_id)
    return sdk.DescribeTaskDetail(request("DescribeTaskDetailRequest", {"TaskId": task_id}))


def test_two_files_become_one_and_the_event_parses(server, receiver, tmp_path, ffprobe, sample):
    sdk = client(server)
    files = [{"InputInfo": server.cos_input(), "StartTimeOffset": 0.2, "EndTimeOffset": 1.2},
             {"InputInfo": server.cos_input()}]
    task_id = edit(server, sdk, files, "/edits/{inputName}-twice.{format}", SessionContext="context",
                   TaskNotifyConfig={"NotifyType": "URL", "NotifyUrl": f"http://{receiver.address}/edit"})
    assert "-EditMedia-" in task_id
    detail = described(server, sdk, task_id)
    task = detail.EditMediaTask
    assert (detail.TaskType, detail.Status, task.Status, task.ErrCode) == ("EditMediaTask", "FINISH", "FINISH", 0)
    assert detail.WorkflowTask is None
    assert len(task.Input.FileInfoSet) == 2
    assert task.Output.Path == "/edits/bunny-twice.mp4"

    got = tmp_path / "out.mp4"
    server.s3().download_file(server.output_bucket, task.Output.Path.lstrip("/"), str(got))
    seen, source = ffprobe(got), ffprobe(sample)
    wanted = 1.0 + float(source["format"]["duration"])
    assert abs(float(seen["format"]["duration"]) - wanted) < 0.1
    assert abs(task.Output.MetaData.Duration - float(seen["format"]["duration"])) < 0.01
    assert task.Output.MetaData.Size == got.stat().st_size

    (_, body), = receiver.wait_for(task_id)
    text = json.dumps(body)
    parsed = sdk.ParseNotification(request("ParseNotificationRequest", {"Content": text}))
    assert (parsed.EventType, parsed.SessionContext) == ("EditMediaTask", "context")
    assert parsed.WorkflowTaskEvent is None
    assert parsed.EditMediaTaskEvent.TaskId == task_id
    assert parsed.EditMediaTaskEvent.Output.Path == task.Output.Path


def test_a_composition_with_a_title(server):
    sdk = client(server)
    files = [{"Id": "film", "InputInfo": server.cos_input()}]
    config = {
        "TargetInfo": {"Container": "mp4", "VideoStream": {"Fps": 25}},
        "Canvas": {"Width": 320, "Height": 180, "Color": "#102030"},
        "Styles": [{"Id": "s", "Type": "Subtitle", "Subtitle": {"FontSize": "10%", "FontColor": "#FFFFFFFF"}}],
        "Tracks": [
            {"Type": "Title", "Items": [{"Type": "Subtitle", "Subtitle": {
                "StyleId": "s", "Text": "片头 – титр", "TrackTime": {"Start": "0s", "Duration": "1s"}}}]},
            {"Type": "Video", "Items": [{"Type": "Video", "Video": {
                "SourceMedia": {"FileId": "film", "StartTime": "0s", "EndTime": "1s"}, "Width": "50%"}}]},
        ],
    }
    task = described(server, sdk, edit(server, sdk, files, "/edits/", ComposeConfig=config)).EditMediaTask
    assert task.ErrCode == 0, task.Message
    assert (task.Output.MetaData.Width, task.Output.MetaData.Height) == (320, 180)
    assert task.Output.Path == f"/edits/{task.TaskId}.mp4"


def test_a_fast_edit_of_two_files_is_refused(server):
    files = [{"InputInfo": server.cos_input()}] * 2
    try:
        edit(server, client(server), files, "/edits/x.mp4", OutputConfig={"Type": "fast"})
    except TencentCloudSDKException as refused:
        assert refused.code == "InvalidParameterValue" and "OutputConfig.Type" in refused.message
    else:
        raise AssertionError("it was accepted")
