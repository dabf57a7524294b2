//! Order, abort, shares of the machine (PM-01, PM-21, PM-22, TQ-10, TQ-12).

use std::time::Instant;

use mps_e2e::{Bench, SOON, by_url, results_of};
use mps_testkit::made;
use mps_testkit::server::OUTPUT;
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn request(url: &str, name: &str, priority: i64) -> Value {
    let mut request = by_url(
        url,
        "/order/",
        &[json!({"Definition": 100_010, "OutputObjectPath": format!("{name}.{{format}}")})],
    );
    request["TasksPriority"] = json!(priority);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_slot_the_urgent_task_goes_first_and_waiting_ones_can_be_aborted() {
    tools_or_return!();
    let bench = Bench::with(|setup| setup.set("workers.slots", "1")).await;
    let url = bench.web.offer("a.mp4", &made::clip(320, 180, "25", seconds(1)));
    let first = bench.server.process(&request(&bench.web.url("held/a.mp4"), "first", 0)).await;
    bench.server.until(&first, seconds(30), |detail| detail["Status"] == "PROCESSING").await;
    let plain = bench.server.process(&request(&url, "plain", 0)).await;
    let low = bench.server.process(&request(&url, "low", -10)).await;
    let aborted = bench.server.process(&request(&url, "aborted", 5)).await;
    let urgent = bench.server.process(&request(&url, "urgent", 10)).await;
    for task in [&plain, &low, &aborted, &urgent] {
        let detail = bench.server.detail(task).await;
        assert_eq!(detail["Status"], "WAITING", "{detail:#}");
        assert_eq!(detail["BeginProcessTime"], "0000-00-00T00:00:00Z");
    }
    bench.server.ok("ManageTask", &json!({"OperationType": "Abort", "TaskId": aborted})).await;
    let detail = bench.server.ended(&aborted, seconds(10)).await;
    assert!(results_of(&detail).iter().all(|result| result["Output"].is_null()), "{detail:#}");
    let refused = bench.server.call("ManageTask", &json!({"OperationType": "Abort", "TaskId": first})).await;
    assert!(refused.is_err(), "a running task was aborted");

    bench.web.release();
    for task in [&first, &plain, &low, &urgent] {
        let detail = bench.server.ended(task, SOON).await;
        assert_eq!(results_of(&detail)[0]["Status"], "SUCCESS", "{detail:#}");
    }
    // The log of ends: each output's object was made when its task ended.
    let list = bench.server.ok("DescribeTasks", &json!({"Status": "FINISH", "Limit": 10})).await;
    assert_eq!(list["TaskSet"].as_array().map(Vec::len), Some(5));
    let order = order_of_ends(&bench, &[&urgent, &plain, &low]).await;
    assert_eq!(order, [urgent, plain, low]);
    assert!(bench.server.object(OUTPUT, "order/aborted.mp4").await.is_none());
}

/// The tasks in the order in which their results were written.
async fn order_of_ends(bench: &Bench, tasks: &[&String]) -> Vec<String> {
    let log = bench.server.data().join("buckets").join(OUTPUT).join("order");
    let mut made: Vec<(std::time::SystemTime, String)> = Vec::new();
    for task in tasks {
        let detail = bench.server.detail(task).await;
        let path = results_of(&detail)[0]["Output"]["Path"].as_str().unwrap_or_default().to_owned();
        let stem =
            path.rsplit('/').next().and_then(|name| name.strip_suffix(".mp4")).unwrap_or_default().to_owned();
        let entry = std::fs::read_dir(&log)
            .expect("the folder of results")
            .flatten()
            .find(|entry| entry.file_name().to_string_lossy().starts_with(&stem))
            .expect("a file of the result");
        made.push((entry.metadata().and_then(|m| m.modified()).expect("a time"), (*task).clone()));
    }
    made.sort();
    made.into_iter().map(|(_, task)| task).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_at_once_whatever_the_source() {
    tools_or_return!();
    let bench = Bench::start().await;
    bench.web.offer("a.mp4", &made::clip(320, 180, "25", seconds(1)));
    let began = Instant::now();
    let task = bench
        .server
        .process(&by_url(&bench.web.url("held/a.mp4"), "/x/", &[json!({"Definition": 100_010})]))
        .await;
    bench.server.detail(&task).await;
    assert!(began.elapsed() < seconds(2), "{:?}", began.elapsed());
    bench.web.release();
    bench.server.ended(&task, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_tasks_make_three_pages() {
    tools_or_return!();
    let bench = Bench::start().await;
    let mut accepted = Vec::new();
    for _ in 0..25 {
        let task = bench
            .server
            .process(&by_url(&bench.web.url("status/404"), "/x/", &[json!({"Definition": 100_010})]))
            .await;
        accepted.push(task);
    }
    for task in &accepted {
        let detail = bench.server.ended(task, seconds(60)).await;
        assert_ne!(detail["WorkflowTask"]["ErrCode"], 0);
    }
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = bench
            .server
            .ok("DescribeTasks", &json!({"Status": "FINISH", "Limit": 10, "ScrollToken": token}))
            .await;
        let ids: Vec<String> = page["TaskSet"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|task| task["TaskId"].as_str().unwrap_or_default().to_owned())
            .collect();
        sizes.push(ids.len());
        seen.extend(ids);
        token = page["ScrollToken"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    seen.sort();
    accepted.sort();
    assert_eq!(seen, accepted);
}
