use mps_core::task::{Notify, NotifyMode};
use serde_json::{Value, json};

use super::with;
use crate::app::{ACCOUNT, TestApp};

async fn notify(app: &TestApp, config: Value) -> Option<Notify> {
    let body = with(&[("/TaskNotifyConfig", config)]);
    let id = app.call("ProcessMedia", body).await.ok()["TaskId"].as_str().unwrap().to_owned();
    app.engine.view(ACCOUNT, &id).await.unwrap().unwrap().task.notify
}

#[tokio::test]
async fn a_url_is_told_at_the_end_or_at_each_change() {
    let app = TestApp::new().await;
    let config = json!({"NotifyType": "URL", "NotifyUrl": "https://example.com/cb?a=1&b=2"});
    let told = notify(&app, config.clone()).await.unwrap();
    assert_eq!((told.mode, &told.target), (NotifyMode::Finish, &config));
    let config = json!({"NotifyType": "URL", "NotifyUrl": "https://example.com/cb", "NotifyMode": "Change"});
    assert_eq!(notify(&app, config).await.unwrap().mode, NotifyMode::Change);
}

#[tokio::test]
async fn without_a_type_and_a_queue_nobody_is_told() {
    let app = TestApp::new().await;
    for config in
        [json!({}), json!({"NotifyType": ""}), json!({"NotifyMode": "Finish", "CmqModel": ""}), Value::Null]
    {
        assert_eq!(notify(&app, config).await, None);
    }
}

#[tokio::test]
async fn wrong_settings_are_refused() {
    let app = TestApp::new().await;
    let url = "https://example.com/cb";
    let cases = [
        (json!({"NotifyType": "URL"}), "MissingParameter", "NotifyUrl"),
        (json!({"NotifyType": "URL", "NotifyUrl": ""}), "MissingParameter", "NotifyUrl"),
        (json!({"NotifyType": "URL", "NotifyUrl": "ftp://x/"}), "InvalidParameter.InvalidUrl", "NotifyUrl"),
        (
            json!({"NotifyType": "URL", "NotifyUrl": "http://169.254.169.254/"}),
            "InvalidParameter.InvalidUrl",
            "NotifyUrl",
        ),
        (
            json!({"NotifyType": "URL", "NotifyUrl": url, "NotifyMode": "Never"}),
            "InvalidParameterValue",
            "NotifyMode",
        ),
        (json!({"NotifyUrl": url}), "MissingParameter", "NotifyType"),
        (json!({"NotifyType": "PIGEON"}), "InvalidParameterValue", "PIGEON"),
        (json!({"NotifyType": "CMQ"}), "UnsupportedOperation", "CMQ"),
        (json!({"NotifyType": "TDMQ-CMQ"}), "UnsupportedOperation", "TDMQ-CMQ"),
        (json!({"NotifyType": "SCF"}), "UnsupportedOperation", "SCF"),
        (json!({"NotifyType": "AWS-SQS"}), "UnsupportedOperation", "AWS-SQS"),
        (json!({"CmqModel": "Queue", "QueueName": "q"}), "UnsupportedOperation", "TaskNotifyConfig"),
        (
            json!({"NotifyType": "URL", "NotifyUrl": url, "Url": 1}),
            "UnknownParameter",
            "TaskNotifyConfig.Url",
        ),
    ];
    for (config, code, named) in cases {
        let reply = app.call("ProcessMedia", with(&[("/TaskNotifyConfig", config)])).await;
        reply.refused(code, named);
    }
    assert_eq!(app.count_tasks().await, 0);
}
