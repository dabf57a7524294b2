//! Receivers as they are: good, slow, failing, moved, and where they must not be.

use std::time::{Duration, Instant};

use bytes::Bytes;
use mps_core::error::{Kind, Retry};
use serde_json::json;

use super::{Sender, check, sign};
use crate::notify::Callback;
use crate::testing::{Reply, Server, guard_for};

fn callback(url: String, attempt: u32) -> Callback {
    Callback {
        url,
        body: Bytes::from_static(br#"{"EventType":"WorkflowTask"}"#),
        event_id: "e-1".to_owned(),
        attempt,
    }
}

fn sender(server: &Server) -> Sender {
    Sender::new(guard_for(&[server], Duration::from_secs(5)), Duration::from_millis(500))
}

#[tokio::test]
async fn a_callback_arrives_as_it_was_with_its_query_and_our_headers() {
    let receiver = Server::start(|_, _| Reply::new(204)).await;
    let url = receiver.url("/hook?a=1&b=%2F+x&a=2&empty=");
    sender(&receiver).send(&callback(url, 3)).await.unwrap();
    let seen = &receiver.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/hook?a=1&b=%2F+x&a=2&empty="));
    assert_eq!(seen.body, br#"{"EventType":"WorkflowTask"}"#);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!((seen.header("x-mps-event-id"), seen.header("x-mps-attempt")), ("e-1", "3"));
    assert!(seen.header("user-agent").starts_with("mps/"));
}

#[tokio::test]
async fn everything_but_2xx_is_for_later() {
    for status in [400, 401, 404, 410, 500, 503, 301, 302, 307] {
        let receiver =
            Server::start(move |_, _| Reply::new(status).header("Location", "/elsewhere").body("no")).await;
        let error = sender(&receiver).send(&callback(receiver.url("/"), 1)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Later, "{status}: {error:?}");
        assert!(error.message().contains(&status.to_string()), "{error}");
        assert_eq!(receiver.connections(), 1, "{status}");
    }
    let busy = Server::start(|_, _| Reply::new(429).header("Retry-After", "7").body("")).await;
    let error = sender(&busy).send(&callback(busy.url("/"), 1)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::AfterMs(7_000));
}

#[tokio::test]
async fn it_is_delivered_once_the_receiver_is_well_again() {
    let ill = Server::start(|_, before| Reply::new(if before < 2 { 500 } else { 200 }).body("ok")).await;
    let sender = sender(&ill);
    let mut outcomes = Vec::new();
    for attempt in 1..=3 {
        outcomes.push(sender.send(&callback(ill.url("/"), attempt)).await.is_ok());
    }
    assert_eq!(outcomes, [false, false, true]);
    let ids: Vec<String> = ill.seen().iter().map(|seen| seen.header("x-mps-event-id").to_owned()).collect();
    assert_eq!(ids, ["e-1"; 3]);
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_its_time_and_no_more() {
    for endless in [false, true] {
        let stuck = Server::start(move |_, _| Reply {
            hangs: true,
            body: if endless { b"x".repeat(10) } else { Vec::new() },
            pace: endless.then_some((1, Duration::from_millis(50))),
            endless,
            ..Reply::new(200)
        })
        .await;
        let begun = Instant::now();
        let outcome = sender(&stuck).send(&callback(stuck.url("/"), 1)).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        // A 200 was received in time; what follows it does not matter.
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    let policy = crate::guard::Policy::parse(["127.0.0.1"]).unwrap();
    let guard = crate::guard::Guard::new(policy, crate::guard::Timeouts::default()).unwrap();
    let sender = Sender::new(guard, Duration::from_millis(300));
    let begun = Instant::now();
    let error = sender.send(&callback(format!("http://127.0.0.1:{port}/"), 1)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Later));
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_flood_for_an_answer_is_not_swallowed() {
    let flood =
        Server::start(|_, _| Reply { body: vec![b'x'; 65_536], endless: true, ..Reply::new(200) }).await;
    sender(&flood).send(&callback(flood.url("/"), 1)).await.unwrap();
}

#[tokio::test]
async fn inner_receivers_are_refused_for_good_unless_allowed() {
    let inner = Server::start(|_, _| Reply::new(200).body("")).await;
    let strict = guard_for(&[], Duration::from_secs(1));
    let sender = Sender::new(strict.clone(), Duration::from_secs(1));
    for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"] {
        let url = format!("http://{host}:{}/", inner.port);
        let error = sender.send(&callback(url, 1)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Denied, Retry::Never), "{host}");
    }
    assert_eq!(inner.connections(), 0);
    for url in ["http://169.254.169.254/x", "ftp://example.com/", "nonsense", "http://", "http://[::1]/"] {
        assert_eq!(check(&strict, url).unwrap_err().kind(), Kind::InvalidInput, "{url}");
    }
    check(&strict, "https://example.com/hook?a=b").unwrap();
    check(&guard_for(&[&inner], Duration::from_secs(1)), &inner.url("/hook")).unwrap();
}

#[test]
fn a_signature_is_the_digest_of_its_end_and_the_key() {
    let mut body = json!({ "EventType": "WorkflowTask", "Timestamp": 0, "Sign": "" });
    sign(&mut body, "key", 1_700_000_000_900);
    assert_eq!(body["Timestamp"], 1_700_000_600_i64);
    // md5("1700000600key")
    assert_eq!(body["Sign"], "b735238770c3fd5e12d7222f53486d95");
    let mut unsigned = json!({ "EventType": "WorkflowTask" });
    sign(&mut unsigned, "", 1_700_000_000_000);
    assert_eq!(unsigned, json!({ "EventType": "WorkflowTask" }));
}
