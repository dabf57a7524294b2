//! Signatures, keys and clocks.

use axum::body::Body;
use http::{Request, header};
use mps_store::accounts;
use mps_wire::auth::{tc3, v1};
use mps_wire::flatten;
use serde_json::{Value, json};

use crate::app::{ACCOUNT, HOST, Pair, Reply, TestApp};

fn waiting() -> Value {
    json!({"Status": "WAITING"})
}

/// A GET signed by TC3 with the query as it stands.
fn signed_get(app: &TestApp, action: &str, query: &str) -> Request<Body> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let timestamp_s = app_seconds(app);
    let signed =
        tc3::Request { method: "GET", host: HOST, content_type: FORM, query, body: b"", timestamp_s };
    Request::get(format!("/?{query}"))
        .header(header::CONTENT_TYPE, FORM)
        .header(header::HOST, HOST)
        .header(header::AUTHORIZATION, tc3::sign(&signed, &app.key.id, &app.key.secret).unwrap())
        .header("X-TC-Action", action)
        .header("X-TC-Version", "2019-06-12")
        .header("X-TC-Timestamp", timestamp_s)
        .body(Body::empty())
        .unwrap()
}

fn app_seconds(app: &TestApp) -> i64 {
    use mps_core::clock::Clock as _;
    app.clock.now_ms() / 1_000
}

/// The fields of a call signed the older way.
fn v1_fields(app: &TestApp, method: &str, algorithm: v1::Algorithm, extra: &[(&str, &str)]) -> String {
    let timestamp = app_seconds(app).to_string();
    let mut fields: Vec<(String, String)> = [
        ("Version", "2019-06-12"),
        ("Region", "ap-guangzhou"),
        ("Nonce", "4711"),
        ("RequestClient", "SDK_PYTHON_3.1.194"),
        ("Timestamp", &timestamp),
        ("SecretId", &app.key.id),
    ]
    .iter()
    .chain(extra)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    if algorithm == v1::Algorithm::HmacSha256 {
        fields.push(("SignatureMethod".to_owned(), "HmacSHA256".to_owned()));
    }
    let signature = v1::sign(method, HOST, &fields, &app.key.secret, algorithm);
    fields.push(("Signature".to_owned(), signature));
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = if byte.is_ascii_alphanumeric() {
            write!(out, "{}", byte as char)
        } else {
            write!(out, "%{byte:02X}")
        };
        out
    })
}

async fn post_form(app: &TestApp, body: String) -> Reply {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::HOST, HOST)
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

#[tokio::test]
async fn a_flipped_byte_of_the_body_breaks_the_signature() {
    let app = TestApp::new().await;
    let mut request = app.signed(&app.key, "DescribeTasks", waiting().to_string());
    *request.body_mut() = Body::from(json!({"Status": "WAITINH"}).to_string());
    app.send(request).await.refused("AuthFailure.SignatureFailure", "signature");
}

#[tokio::test]
async fn a_wrong_secret_host_or_service_is_refused() {
    let app = TestApp::new().await;
    let forged = Pair { id: app.key.id.clone(), secret: "guess".to_owned() };
    app.call_as(&forged, "DescribeTasks", waiting()).await.refused("AuthFailure.SignatureFailure", "");
    let mut request = app.signed(&app.key, "DescribeTasks", waiting().to_string());
    request.headers_mut().insert(header::HOST, "evil.example.com".parse().unwrap());
    app.send(request).await.refused("AuthFailure.SignatureFailure", "");
    for (authorization, code) in [
        ("", "AuthFailure.InvalidAuthorization"),
        ("SKIP", "AuthFailure.InvalidAuthorization"),
        ("Bearer x", "AuthFailure.InvalidAuthorization"),
        ("TC3-HMAC-SHA256 Credential=a/2026-03-01/mps/tc3_request", "AuthFailure.InvalidAuthorization"),
        (
            "TC3-HMAC-SHA256 Credential=a/2026-03-01/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00",
            "NoSuchProduct",
        ),
    ] {
        let mut request = app.signed(&app.key, "DescribeTasks", waiting().to_string());
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        assert_eq!(app.send(request).await.code(), code, "{authorization}");
    }
}

#[tokio::test]
async fn an_hour_old_request_is_refused_and_a_repeated_one_is_not() {
    let app = TestApp::new().await;
    let old = || app.signed(&app.key, "DescribeTasks", waiting().to_string());
    let (first, second, third, fourth) = (old(), old(), old(), old());
    app.send(first).await.ok();
    app.send(second).await.ok();
    app.clock.advance(300_000);
    app.send(third).await.ok();
    app.clock.advance(1_000);
    app.send(fourth).await.refused("AuthFailure.SignatureExpire", "300");
}

#[tokio::test]
async fn an_unknown_or_disabled_key_is_not_found() {
    let app = TestApp::new().await;
    let unknown = Pair { id: "AKIDunknown".to_owned(), secret: "x".to_owned() };
    app.call_as(&unknown, "DescribeTasks", waiting())
        .await
        .refused("AuthFailure.SecretIdNotFound", "SecretId");
}

#[tokio::test]
async fn keys_are_rotated_while_the_server_runs() {
    let app = TestApp::new().await;
    app.call("DescribeTasks", waiting()).await.ok();
    let second = app.add_key(ACCOUNT).await;
    app.call_as(&second, "DescribeTasks", waiting()).await.ok();
    app.call("DescribeTasks", waiting()).await.ok();

    let id = app.key.id.clone();
    app.store.write(move |tx| Box::pin(async move { accounts::revoke_key(tx, &id).await })).await.unwrap();
    app.clock.advance(1_000);
    app.call("DescribeTasks", waiting()).await.refused("AuthFailure.SecretIdNotFound", "disabled");
    app.call_as(&second, "DescribeTasks", waiting()).await.ok();
}

#[tokio::test]
async fn an_account_that_awaits_activation_is_told_so() {
    let app = TestApp::new().await;
    let activate = async |on: bool| {
        let write = app.store.write(move |tx| Box::pin(accounts::set_active(tx, ACCOUNT, on)));
        assert!(write.await.unwrap());
        app.clock.advance(1_000);
    };
    activate(false).await;
    app.call("DescribeTasks", waiting()).await.refused("FailedOperation.InvalidMpsUser", "1250000000");
    activate(true).await;
    app.call("DescribeTasks", waiting()).await.ok();
}

#[tokio::test]
async fn temporary_credentials_are_refused() {
    let app = TestApp::new().await;
    let mut request = app.signed(&app.key, "DescribeTasks", waiting().to_string());
    request.headers_mut().insert("X-TC-Token", "temporary".parse().unwrap());
    app.send(request).await.refused("AuthFailure.TokenFailure", "token");
}

#[tokio::test]
async fn the_malformed_host_of_the_command_line_is_taken_as_it_is() {
    let app = TestApp::new().await;
    let host = "http://127.0.0.1:8080";
    let body = waiting().to_string();
    let signed = tc3::Request {
        method: "POST",
        host,
        content_type: "application/json",
        query: "",
        body: body.as_bytes(),
        timestamp_s: app_seconds(&app),
    };
    let mut request = app.signed(&app.key, "DescribeTasks", body.clone());
    let authorization = tc3::sign(&signed, &app.key.id, &app.key.secret).unwrap();
    request.headers_mut().insert(header::HOST, host.parse().unwrap());
    request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    app.send(request).await.ok();
}

#[tokio::test]
async fn an_unsigned_payload_may_be_anything() {
    let app = TestApp::new().await;
    let mut request = app.signed(&app.key, "DescribeTasks", tc3::UNSIGNED_PAYLOAD.to_owned());
    request.headers_mut().insert("X-TC-Content-SHA256", tc3::UNSIGNED_PAYLOAD.parse().unwrap());
    *request.body_mut() = Body::from(waiting().to_string());
    app.send(request).await.ok();
}

#[tokio::test]
async fn a_get_says_the_same_as_a_post() {
    let app = TestApp::new().await;
    let query = "Definitions.0=100010&Definitions.1=100020&Limit=5&Name=";
    let mut by_get = app.send(signed_get(&app, "DescribeTranscodeTemplates", query)).await.ok();
    let body = json!({"Definitions": [100_010, 100_020], "Limit": 5, "Name": ""});
    let mut by_post = app.call("DescribeTranscodeTemplates", body).await.ok();
    assert_eq!(by_get["TotalCount"], 2);
    for response in [&mut by_get, &mut by_post] {
        response.as_object_mut().unwrap().remove("RequestId");
    }
    assert_eq!(by_get, by_post);
}

#[tokio::test]
async fn a_task_can_be_started_by_get() {
    let app = TestApp::new().await;
    let pairs = flatten::flatten(&crate::media::transcode());
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    app.send(signed_get(&app, "ProcessMedia", &pairs.join("&"))).await.ok();
    assert_eq!(app.count_tasks().await, 1);
}

#[tokio::test]
async fn older_signatures_are_understood() {
    let app = TestApp::new().await;
    let call = [("Action", "DescribeTasks"), ("Status", "WAITING"), ("Limit", "5")];
    for algorithm in [v1::Algorithm::HmacSha1, v1::Algorithm::HmacSha256] {
        post_form(&app, v1_fields(&app, "POST", algorithm, &call)).await.ok();
        let query = v1_fields(&app, "GET", algorithm, &call);
        let request =
            Request::get(format!("/?{query}")).header(header::HOST, HOST).body(Body::empty()).unwrap();
        app.send(request).await.ok();
    }
    let mut forged = v1_fields(&app, "POST", v1::Algorithm::HmacSha1, &call);
    forged.push_str("&SubTaskHasFailed=true");
    post_form(&app, forged).await.refused("AuthFailure.SignatureFailure", "signature");
    let stale = v1_fields(&app, "POST", v1::Algorithm::HmacSha1, &call);
    app.clock.advance(3_600_000);
    post_form(&app, stale).await.refused("AuthFailure.SignatureExpire", "");
}
