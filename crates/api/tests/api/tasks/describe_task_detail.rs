use serde_json::{Value, json};

use super::{accepted, ended};
use crate::app::{ACCOUNT, TestApp};
use crate::media::{transcode, with};

#[tokio::test]
async fn a_waiting_task_is_told_with_what_was_sent() {
    let app = TestApp::new().await;
    let notify = json!({"NotifyType": "URL", "NotifyUrl": "https://example.com/cb?x=1"});
    let sent = with(&[("/TaskNotifyConfig", notify), ("/SessionContext", json!("mine"))]);
    let id = accepted(&app, sent).await;
    let detail = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!((&detail["TaskType"], &detail["Status"]), (&json!("WorkflowTask"), &json!("WAITING")));
    assert_eq!(detail["CreateTime"], "2026-03-01T08:00:00Z");
    assert_eq!(detail["BeginProcessTime"], "0000-00-00T00:00:00Z");
    assert_eq!(detail["FinishTime"], "0000-00-00T00:00:00Z");
    assert_eq!(detail["TaskNotifyConfig"]["NotifyUrl"], "https://example.com/cb?x=1");
    assert_eq!(detail["SessionContext"], "mine");
    for absent in ["EditMediaTask", "LiveStreamProcessTask", "ScheduleTask", "LiveScheduleTask"] {
        assert_eq!(detail[absent], Value::Null);
    }
    let task = &detail["WorkflowTask"];
    assert_eq!(task["TaskId"], json!(id));
    assert_eq!(task["InputInfo"]["CosInputInfo"]["Object"], "/video/film.mp4");
    assert_eq!(task["InputInfo"]["UrlInputInfo"], Value::Null);
    assert_eq!(task["MediaProcessResultSet"][0]["Type"], "Transcode");
    assert_eq!(task["MediaProcessResultSet"][0]["TranscodeTask"]["Input"]["Definition"], 100_010);
}

#[tokio::test]
async fn a_task_whose_source_fails_is_finished_with_a_code() {
    let app = TestApp::new().await;
    let id = accepted(&app, transcode()).await;
    app.clock.advance(5_000);
    super::fail_next(&app).await;
    let first = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!((&first["Status"], &first["WorkflowTask"]["Status"]), (&json!("FINISH"), &json!("FINISH")));
    assert_ne!(first["WorkflowTask"]["ErrCode"], 0);
    assert_ne!(first["WorkflowTask"]["Message"], "");
    assert_eq!(first["FinishTime"], "2026-03-01T08:00:05Z");
    let second = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!(first["WorkflowTask"], second["WorkflowTask"]);
    assert_ne!(first["RequestId"], second["RequestId"]);
}

#[tokio::test]
async fn secrets_are_not_told() {
    let app = TestApp::new().await;
    let input = json!({"Type": "AWS-S3", "S3InputInfo": {"S3Bucket": "my-bucket", "S3Region": "us-east-1",
        "S3Object": "a.mp4", "S3SecretId": "AKIAEXAMPLE", "S3SecretKey": "very-hush"}});
    let notify = json!({"NotifyType": "URL", "NotifyUrl": "https://example.com/", "NotifyKey": "also-hush"});
    let id = accepted(&app, with(&[("/InputInfo", input), ("/TaskNotifyConfig", notify)])).await;
    let waiting = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok().to_string();
    super::fail_next(&app).await;
    let ended = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok().to_string();
    for text in [waiting, ended] {
        assert!(text.contains("my-bucket") && !text.contains("-hush"), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_task_and_one_of_another_account_are_not_found() {
    let app = TestApp::new().await;
    let id = ended(&app).await;
    let other = app.add_key(ACCOUNT + 1).await;
    let reply = app.call_as(&other, "DescribeTaskDetail", json!({"TaskId": id})).await;
    reply.refused("ResourceNotFound.TaskNotFound", &id);
    for id in ["", "x", "1250000000-WorkflowTask-00000000000000000000000000000000tt1", "../../x", "\u{1F3AC}"]
    {
        let reply = app.call("DescribeTaskDetail", json!({"TaskId": id})).await;
        assert_eq!(reply.code(), "ResourceNotFound.TaskNotFound", "{id}");
    }
    app.call("DescribeTaskDetail", json!({})).await.refused("MissingParameter", "TaskId");
}
