//! Sizes and rates.

use axum::body::Body;
use http::{Request, header};
use serde_json::json;

use crate::app::{ACCOUNT, TestApp};

#[tokio::test]
async fn a_burst_beyond_the_rate_is_told_so_and_other_accounts_are_not() {
    let app = TestApp::with(|parts| parts.limits.requests_per_second = 2).await;
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(app.call("DescribeTasks", json!({"Status": "WAITING"})).await.code().to_owned());
    }
    assert_eq!(codes[0], "ok");
    assert!(codes.iter().filter(|code| *code == "RequestLimitExceeded").count() >= 10, "{codes:?}");
    let other = app.add_key(ACCOUNT + 1).await;
    app.call_as(&other, "DescribeTasks", json!({"Status": "WAITING"})).await.ok();
}

#[tokio::test]
async fn a_request_that_is_too_large_is_told_so() {
    let app = TestApp::with(|parts| {
        parts.limits.request_bytes = 2_000;
        parts.limits.form_bytes = 1_000;
        parts.limits.query_bytes = 500;
    })
    .await;
    let reply = app.send(app.signed(&app.key, "DescribeTasks", " ".repeat(2_001))).await;
    reply.refused("RequestSizeLimitExceeded", "body");
    let form = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("a".repeat(1_001)))
        .unwrap();
    app.send(form).await.refused("RequestSizeLimitExceeded", "body");
    let query = Request::get(format!("/?Action={}", "a".repeat(500))).body(Body::empty()).unwrap();
    app.send(query).await.refused("RequestSizeLimitExceeded", "query");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let app = TestApp::with(|parts| parts.limits.body_timeout = std::time::Duration::from_millis(20)).await;
    let mut request = app.signed(&app.key, "DescribeTasks", String::new());
    *request.body_mut() = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    app.send(request).await.refused("InvalidRequest", "time");
}

#[tokio::test]
async fn an_account_has_so_many_open_tasks_and_no_more() {
    let app = TestApp::with(|parts| parts.limits.tasks_per_account = 2).await;
    for _ in 0..2 {
        app.call("ProcessMedia", crate::media::transcode()).await.ok();
    }
    let reply = app.call("ProcessMedia", crate::media::transcode()).await;
    reply.refused("LimitExceeded.CreateTask", "2 tasks");
    crate::tasks::fail_next(&app).await;
    app.call("ProcessMedia", crate::media::transcode()).await.ok();
}

#[tokio::test]
async fn a_request_too_many_at_once_is_told_to_come_back() {
    let app = TestApp::with(|parts| parts.limits.requests_at_once = 1).await;
    let mut slow = app.signed(&app.key, "DescribeTasks", String::new());
    *slow.body_mut() = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let status = json!({"Status": "WAITING"});
    let second = async {
        tokio::task::yield_now().await;
        app.call("DescribeTasks", status.clone()).await
    };
    tokio::select! {
        reply = app.send(slow) => panic!("{reply:?}"),
        reply = second => reply.refused("RequestLimitExceeded", "moment"),
    }
    app.call("DescribeTasks", status).await.ok();
}

#[tokio::test]
async fn more_changes_than_the_database_takes_are_told_so() {
    let options = mps_store::StoreOptions { queue: 1, ..mps_store::StoreOptions::default() };
    let app = TestApp::on(options, |_| ()).await;
    let calls = (0..200).map(|_| app.call("ProcessMedia", crate::media::transcode()));
    let replies = futures::future::join_all(calls).await;
    let count = |code: &str| replies.iter().filter(|reply| reply.code() == code).count();
    assert!(count("ok") > 0);
    assert!(count("RequestLimitExceeded") > 0);
    assert_eq!(count("ok") + count("RequestLimitExceeded"), 200);
    assert_eq!(app.count_tasks().await, count("ok") as i64);
}
