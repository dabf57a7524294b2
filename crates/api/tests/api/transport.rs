//! Protocol, envelope, names and versions of actions, regions.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn an_answer_is_an_envelope_with_a_new_id_each_time() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for body in [json!({"Status": "WAITING"}), json!({"Status": "WAITING"}), json!({})] {
        let reply = app.call("DescribeTasks", body).await;
        assert_eq!((reply.status, reply.content_type.as_str()), (StatusCode::OK, "application/json"));
        let id = reply.response["RequestId"].as_str().unwrap().to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn other_methods_and_paths_get_an_envelope_too() {
    let app = TestApp::new().await;
    for (method, path) in [
        ("PUT", "/"),
        ("DELETE", "/"),
        ("PATCH", "/"),
        ("POST", "/v1"),
        ("GET", "/index.html"),
        ("POST", "/healthz"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let reply = app.send(request).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::OK, "UnsupportedProtocol"), "{method} {path}");
        assert_eq!(reply.content_type, "application/json");
        assert!(reply.response["RequestId"].is_string());
    }
}

#[tokio::test]
async fn an_unknown_action_version_or_region_has_its_own_code() {
    let app = TestApp::new().await;
    app.call("DescribeNonsense", json!({})).await.refused("InvalidAction", "DescribeNonsense");

    let mut request = app.signed(&app.key, "DescribeTasks", "{}".to_owned());
    request.headers_mut().insert("X-TC-Version", "2017-03-12".parse().unwrap());
    app.send(request).await.refused("NoSuchVersion", "2017-03-12");

    let mut request = app.signed(&app.key, "DescribeTasks", "{}".to_owned());
    request.headers_mut().insert("X-TC-Region", "mars-north".parse().unwrap());
    app.send(request).await.refused("UnsupportedRegion", "mars-north");

    let mut request = app.signed(&app.key, "DescribeTasks", "{}".to_owned());
    request.headers_mut().remove("X-TC-Action");
    app.send(request).await.refused("MissingParameter", "Action");
}

#[tokio::test]
async fn any_public_region_an_alias_or_none_will_do() {
    let app = TestApp::new().await;
    for region in ["eu-frankfurt", "ap-guangzhou-2", ""] {
        let body = json!({"Status": "WAITING"}).to_string();
        let mut request = app.signed(&app.key, "DescribeTasks", body);
        request.headers_mut().insert("X-TC-Region", region.parse().unwrap());
        app.send(request).await.ok();
    }
}

#[tokio::test]
async fn action_and_version_in_the_body_are_tolerated() {
    let app = TestApp::new().await;
    let body = json!({"Action": "DescribeTasks", "Version": "2019-06-12", "Status": "WAITING"});
    app.call("DescribeTasks", body).await.ok();
}

#[tokio::test]
async fn what_is_no_json_object_is_an_invalid_parameter() {
    let app = TestApp::new().await;
    for body in ["{", "[]", "7", "\"x\"", "null", "{\"Status\":\"\\u0000\"}", "\u{7f}"] {
        let reply = app.send(app.signed(&app.key, "DescribeTasks", body.to_owned())).await;
        assert_eq!(reply.code(), "InvalidParameter", "{body}");
    }
}

#[tokio::test]
async fn health_readiness_and_metrics_are_plain() {
    let app = TestApp::with(|parts| {
        parts.hooks.metrics = Some(std::sync::Arc::new(|| Box::pin(async { "mps_up 1\n".to_owned() })));
    })
    .await;
    assert_eq!(app.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    assert_eq!(app.get("/readyz").await, (StatusCode::OK, "ready\n".to_owned()));
    assert_eq!(app.get("/metrics").await, (StatusCode::OK, "mps_up 1\n".to_owned()));
}

#[tokio::test]
async fn a_server_that_does_not_know_its_tools_yet_is_not_ready() {
    let app = TestApp::with(|parts| parts.tools = mps_api::ToolsCell::default()).await;
    let (status, why) = app.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(why.contains("media tools"), "{why}");
}

#[tokio::test]
async fn a_fault_of_ours_is_an_envelope_that_tells_nothing_of_the_inside() {
    let app = TestApp::with(|parts| parts.prober = std::sync::Arc::new(Panics)).await;
    let input = json!({"Type": "URL", "UrlInputInfo": {"Url": "https://example.com/a.mp4"}});
    let reply = app.call("DescribeMediaMetaData", json!({"InputInfo": input})).await;
    assert!(!reply.message().contains("kettle"), "{}", reply.message());
    reply.refused("InternalError", "log");
}

struct Panics;

#[async_trait::async_trait]
impl mps_api::Prober for Panics {
    async fn probe(
        &self,
        _: i64,
        _: &mps_wire::types::MediaInputInfo,
        _: std::time::Duration,
    ) -> mps_core::Result<mps_core::MediaInfo> {
        panic!("the kettle boils")
    }

    fn expect(&self, _: i64, _: &mps_wire::types::MediaInputInfo) {}
}

#[tokio::test]
async fn each_call_is_told_to_whoever_counts() {
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let app = TestApp::with(|parts| {
        let heard = std::sync::Arc::clone(&heard);
        parts.hooks.answered = Some(std::sync::Arc::new(move |call: &mps_api::Answered| {
            heard.lock().unwrap().push((call.action, call.code.to_string(), call.account));
        }));
    })
    .await;
    app.call("DescribeTasks", json!({"Status": "WAITING"})).await.ok();
    app.call("DescribeTasks", json!({})).await;
    app.call("DescribeNonsense", json!({})).await;
    let account = Some(crate::app::ACCOUNT);
    assert_eq!(
        *heard.lock().unwrap(),
        [
            ("DescribeTasks", String::new(), account),
            ("DescribeTasks", "MissingParameter".to_owned(), account),
            ("unknown", "InvalidAction".to_owned(), None),
        ]
    );
}
