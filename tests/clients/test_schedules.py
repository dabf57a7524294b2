"""The vendor's Python SDK, unchanged, through orchestrations (ORC-01, ORC-04, ORC-12, ORC-15, ORC-17, ORC-20)."""

import json
import time

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from test_python_sdk import client, request


def activities(*definitions):
    """A chain of transcodes."""
    chain = [{"ActivityType": "action-trans", "ReardriveIndex": [nth + 2],
              "ActivityPara": {"TranscodeTask": {"Definition": definition}}}
             for nth, definition in enumerate(definitions)]
    return [{"ActivityType": "input", "ReardriveIndex": [1]}, *chain, {"ActivityType": "output"}]


def create(server, sdk, name, chain, **more):
    trigger = {"Type": "CosFileUpload", "CosFileUploadTrigger": {
        "Bucket": server.input_bucket, "Region": server.cos_input()["CosInputInfo"]["Region"], "Dir": f"/{name}/", "Formats": ["mp4"]}}
    params = {"ScheduleName": name, "Trigger": trigger, "Activities": chain, **more}
    return sdk.CreateSchedule(request("CreateScheduleRequest", params)).ScheduleId


def test_a_kept_graph_is_shown_run_and_removed(server, receiver):
    sdk = client(server)
    number = create(server, sdk, "sdk-chain", activities(100010, 100010), OutputStorage=server.cos_output(),
                    OutputDir="/sdk-chain/", TaskNotifyConfig={
                        "NotifyType": "URL", "NotifyUrl": f"http://{receiver.address}/schedule"})
    shown = sdk.DescribeSchedules(request("DescribeSchedulesRequest", {"ScheduleIds": [number, 10100, 10101, 10102]}))
    assert shown.TotalCount == 4
    own = shown.ScheduleInfoSet[0]
    assert (own.ScheduleName, own.Type, own.Status) == ("sdk-chain", "Custom", "Disabled")
    assert [list(a.PredriveIndex) for a in own.Activities] == [[], [0], [1], [2]]
    assert [s.Type for s in shown.ScheduleInfoSet[1:]] == ["Preset"] * 3

    params = {"InputInfo": server.cos_input(), "ScheduleId": number}
    task_id = sdk.ProcessMedia(request("ProcessMediaRequest", params)).TaskId
    assert "-ScheduleTask-" in task_id
    server.wait(task_id)
    detail = sdk.DescribeTaskDetail(request("DescribeTaskDetailRequest", {"TaskId": task_id}))
    assert (detail.TaskType, detail.ScheduleTask.Status, detail.ScheduleTask.ErrCode) == ("ScheduleTask", "FINISH", 0)
    results = [r.ActivityResItem.TranscodeTask for r in detail.ScheduleTask.ActivityResultSet]
    assert [r.Output.Path for r in results] == [
        "/sdk-chain/bunny_transcode_100010.mp4", "/sdk-chain/bunny_transcode_100010_transcode_100010.mp4"]

    (_, body), = receiver.wait_for(task_id)
    parsed = sdk.ParseNotification(request("ParseNotificationRequest", {"Content": json.dumps(body)}))
    assert parsed.ScheduleTaskEvent.TaskId == task_id and parsed.WorkflowTaskEvent is None

    sdk.DeleteSchedule(request("DeleteScheduleRequest", {"ScheduleId": number}))
    left = sdk.DescribeSchedules(request("DescribeSchedulesRequest", {"ScheduleIds": [number]}))
    assert left.TotalCount == 0


def test_an_upload_by_boto_starts_what_is_enabled(server, sample):
    sdk = client(server)
    number = create(server, sdk, "sdk-watch", activities(100010))
    sdk.ModifySchedule(request("ModifyScheduleRequest", {"ScheduleId": number, "OutputDir": "/sdk-watched/"}))
    sdk.EnableSchedule(request("EnableScheduleRequest", {"ScheduleId": number}))
    s3 = server.s3()
    s3.upload_file(str(sample), server.input_bucket, "sdk-watch/arrived.mp4")
    wanted, limit = "sdk-watched/arrived_transcode_100010.mp4", time.monotonic() + 60
    while not s3.list_objects_v2(Bucket=server.input_bucket, Prefix=wanted)["KeyCount"]:
        assert time.monotonic() < limit, "nothing was made of the upload"
        time.sleep(0.2)
    sdk.DisableSchedule(request("DisableScheduleRequest", {"ScheduleId": number}))
    shown = sdk.DescribeSchedules(request("DescribeSchedulesRequest", {"ScheduleIds": [number]}))
    assert shown.ScheduleInfoSet[0].Status == "Disabled"


def test_a_cycle_is_refused_by_its_place(server):
    chain = activities(100010, 100010)
    chain[2]["ReardriveIndex"] = [1]
    try:
        create(server, client(server), "sdk-cycle", chain)
    except TencentCloudSDKException as refused:
        assert refused.code == "InvalidParameterValue" and "Activities.2.ReardriveIndex.0" in refused.message
    else:
        raise AssertionError("it was accepted")
