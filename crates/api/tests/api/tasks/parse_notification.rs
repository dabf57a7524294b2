use mps_tasks::Shape as _;
use serde_json::{Value, json};

use super::accepted;
use crate::app::{ACCOUNT, Answers, TestApp};
use crate::media::with;

#[tokio::test]
async fn our_own_callback_comes_back_as_it_was_sent() {
    let app = TestApp::new().await;
    let notify = json!({"NotifyType": "URL", "NotifyUrl": "https://example.com/cb"});
    let sent =
        with(&[("/TaskNotifyConfig", notify), ("/SessionContext", json!("ctx")), ("/SessionId", json!("s"))]);
    let id = accepted(&app, sent).await;
    super::fail_next(&app).await;
    let view = app.engine.view(ACCOUNT, &id).await.unwrap().unwrap();
    let body = Answers.event(&view).unwrap();

    let mut parsed = app.call("ParseNotification", json!({"Content": body.to_string()})).await.ok();
    parsed.as_object_mut().unwrap().remove("RequestId");
    assert_eq!(parsed["EventType"], "WorkflowTask");
    assert_eq!((&parsed["SessionId"], &parsed["SessionContext"]), (&json!("s"), &json!("ctx")));
    assert_eq!(parsed["WorkflowTaskEvent"], body["WorkflowTaskEvent"]);
    let detail = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!(parsed["WorkflowTaskEvent"], detail["WorkflowTask"]);
    assert_eq!(parsed["EditMediaTaskEvent"], Value::Null);
}

#[tokio::test]
async fn garbage_is_invalid_content() {
    let app = TestApp::new().await;
    for text in ["", "hello", "{", "{\"EventType\":\"ProcedureStateChanged\"}", "[1]"] {
        let reply = app.call("ParseNotification", json!({"Content": text})).await;
        reply.refused("InvalidParameterValue.InvalidContent", "Content");
    }
    app.call("ParseNotification", json!({})).await.refused("MissingParameter", "Content");
}
