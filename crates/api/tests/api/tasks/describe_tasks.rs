use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{accepted, ended};
use crate::app::{ACCOUNT, TestApp};
use crate::media::transcode;

fn ids(page: &Value) -> Vec<String> {
    let rows = page["TaskSet"].as_array().unwrap();
    rows.iter().map(|row| row["TaskId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn twenty_five_tasks_are_three_pages_without_repeats() {
    let app = TestApp::new().await;
    let mut made = BTreeSet::new();
    for _ in 0..25 {
        made.insert(accepted(&app, transcode()).await);
        app.clock.advance(1);
    }
    let (mut seen, mut token, mut sizes) = (Vec::new(), String::new(), Vec::new());
    loop {
        let body = json!({"Status": "WAITING", "Limit": "10", "ScrollToken": token});
        let page = app.call("DescribeTasks", body).await.ok();
        assert_eq!(page["TotalCount"], 25);
        sizes.push(ids(&page).len());
        seen.extend(ids(&page));
        token = page["ScrollToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(seen.len(), 25);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
}

#[tokio::test]
async fn a_row_tells_kind_times_and_parts() {
    let app = TestApp::new().await;
    let id = ended(&app).await;
    let page = app.call("DescribeTasks", json!({"Status": "FINISH"})).await.ok();
    let row = &page["TaskSet"][0];
    assert_eq!((&row["TaskId"], &row["TaskType"]), (&json!(id), &json!("WorkflowTask")));
    assert_eq!(row["CreateTime"], "2026-03-01T08:00:00Z");
    assert_eq!(row["SubTaskTypes"], json!(["action-trans"]));
    assert_eq!(page["ScrollToken"], "");
}

#[tokio::test]
async fn state_failure_time_and_account_filter() {
    let app = TestApp::new().await;
    let finished = ended(&app).await;
    app.clock.advance(3_600_000);
    let waiting = accepted(&app, transcode()).await;
    let list = async |extra: Value| {
        let mut body = json!({"Status": "WAITING"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ids(&app.call("DescribeTasks", body).await.ok())
    };
    assert_eq!(list(json!({})).await, vec![waiting.clone()]);
    assert_eq!(list(json!({"Status": "FINISH"})).await, vec![finished.clone()]);
    assert_eq!(list(json!({"Status": "PROCESSING"})).await, [""; 0]);
    assert_eq!(list(json!({"Status": "FINISH", "SubTaskHasFailed": true})).await, [finished]);
    assert_eq!(list(json!({"Status": "FINISH", "SubTaskHasFailed": false})).await, [""; 0]);
    assert_eq!(list(json!({"StartTime": "2026-03-01T16:30:00+08:00"})).await, vec![waiting.clone()]);
    assert_eq!(list(json!({"EndTime": "2026-03-01T08:30:00Z"})).await, [""; 0]);
    let other = app.add_key(ACCOUNT + 1).await;
    let page = app.call_as(&other, "DescribeTasks", json!({"Status": "WAITING"})).await.ok();
    assert_eq!(page["TotalCount"], 0);
}

#[tokio::test]
async fn wrong_filters_are_refused() {
    let app = TestApp::new().await;
    let cases = [
        (json!({}), "MissingParameter", "Status"),
        (json!({"Status": "DONE"}), "InvalidParameterValue", "DONE"),
        (json!({"Status": "FINISH", "Limit": 101}), "InvalidParameterValue.Limit", "Limit"),
        (json!({"Status": "FINISH", "Limit": 0}), "InvalidParameterValue.Limit", "Limit"),
        (json!({"Status": "FINISH", "ScrollToken": "??"}), "InvalidParameterValue", "ScrollToken"),
        (json!({"Status": "FINISH", "StartTime": "today"}), "InvalidParameterValue", "StartTime"),
        (
            json!({"Status": "FINISH", "StartTime": "2026-03-02T00:00:00Z", "EndTime": "2026-03-01T00:00:00Z"}),
            "InvalidParameterValue",
            "StartTime",
        ),
    ];
    for (body, code, named) in cases {
        app.call("DescribeTasks", body).await.refused(code, named);
    }
}
