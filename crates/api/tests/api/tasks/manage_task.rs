use serde_json::json;

use super::accepted;
use crate::app::{ACCOUNT, TestApp};
use crate::media::transcode;

fn abort(id: &str) -> serde_json::Value {
    json!({"OperationType": "Abort", "TaskId": id})
}

#[tokio::test]
async fn a_waiting_task_ends_without_outputs() {
    let app = TestApp::new().await;
    let id = accepted(&app, transcode()).await;
    app.call("ManageTask", abort(&id)).await.ok();
    let detail = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!(detail["Status"], "FINISH");
    let result = &detail["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"];
    assert_eq!(result["Output"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_begun_or_ended_task_cannot_be_ended() {
    let app = TestApp::new().await;
    let id = accepted(&app, transcode()).await;
    let ask = mps_tasks::Ask { capabilities: vec![0], limit: 1, lease_ms: 60_000 };
    let taken = app.engine.claim(&ask).await.unwrap();
    app.call("ManageTask", abort(&id)).await.refused("InvalidParameterValue", "");
    let error = mps_core::Error::invalid("cannot read the source");
    app.engine.fail(taken[0], &error).await.unwrap();
    app.call("ManageTask", abort(&id)).await.refused("InvalidParameterValue", "");
}

#[tokio::test]
async fn an_unknown_task_operation_or_owner_is_refused() {
    let app = TestApp::new().await;
    let id = accepted(&app, transcode()).await;
    app.call("ManageTask", abort("nothing")).await.refused("ResourceNotFound.TaskNotFound", "nothing");
    let reply = app.call("ManageTask", json!({"OperationType": "Pause", "TaskId": id})).await;
    reply.refused("InvalidParameterValue.InvalidOperationType", "Pause");
    let other = app.add_key(ACCOUNT + 1).await;
    app.call_as(&other, "ManageTask", abort(&id)).await.refused("ResourceNotFound.TaskNotFound", &id);
    let detail = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!(detail["Status"], "WAITING");
}
