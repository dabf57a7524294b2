//! Key servers as they are: good, slow, refusing, talkative, and where they must not be.

use std::time::{Duration, Instant};

use mps_core::error::{Blame, Kind, Retry};
use mps_core::{Result, Secret};
use zeroize::Zeroizing;

use super::{Client, Patience};
use crate::testing::{Reply, Server, guard_for};

const TICKET: &str = "t1cketTOKENt1cketTOKEN";

fn client(server: &Server) -> Client {
    let pauses = vec![Duration::from_millis(20); 2];
    let patience = Patience { within: Duration::from_millis(500), pauses };
    Client::new(guard_for(&[server], Duration::from_secs(5)), patience)
}

async fn ask(server: &Server) -> Result<Zeroizing<Vec<u8>>> {
    let url = Secret::new(server.url(&format!("/speke?ticket={TICKET}&b=%2F+x")));
    let answer = client(server).ask(&url, "<question/>", 1_000).await;
    if let Err(error) = &answer {
        let told = format!("{} {error:?}", error.chain());
        assert!(!told.contains(TICKET) && !told.contains("<question"), "{told}");
    }
    answer
}

#[tokio::test]
async fn the_document_goes_to_the_very_address() {
    let server = Server::start(|_, _| Reply::new(200).body("<answer/>")).await;
    assert_eq!(ask(&server).await.unwrap().as_slice(), b"<answer/>");
    let seen = &server.seen()[0];
    assert_eq!(seen.target, format!("/speke?ticket={TICKET}&b=%2F+x"));
    assert_eq!((seen.method.as_str(), seen.body.as_slice()), ("POST", b"<question/>".as_slice()));
    assert_eq!((seen.header("content-type"), seen.header("x-speke-version")), ("application/xml", "2.0"));
}

#[tokio::test]
async fn an_expired_address_is_told_and_not_tried_again() {
    for status in [401, 403] {
        let body = format!("ticket {TICKET}\n is  over");
        let server = Server::start(move |_, _| Reply::new(status).body(body.clone())).await;
        let error = ask(&server).await.unwrap_err();
        assert_eq!((error.kind(), error.blame(), error.retry()), (Kind::Denied, Blame::Caller, Retry::Never));
        assert!(error.message().contains("it may have expired: ticket ****** is over"), "{error}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn other_refusals_are_final_and_show_what_the_vendor_said() {
    let server = Server::start(|_, _| Reply::new(400).body("more than 5 tracks")).await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::InvalidInput, Retry::Never));
    assert!(error.message().ends_with("with 400: more than 5 tracks"), "{error}");
    let gone = Server::start(|_, _| Reply::new(404).body("")).await;
    assert_eq!(ask(&gone).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!((server.connections(), gone.connections()), (1, 1));
}

#[tokio::test]
async fn a_server_that_is_ill_for_a_moment_is_asked_again() {
    let server = Server::start(|_, before| match before {
        0 => Reply::new(503).body("busy"),
        1 => Reply { hangs: true, ..Reply::new(200) },
        _ => Reply::new(200).body("ok"),
    })
    .await;
    assert_eq!(ask(&server).await.unwrap().as_slice(), b"ok");
    assert_eq!(server.connections(), 3);
    let dead = Server::start(|_, _| Reply::new(500).body("")).await;
    let error = ask(&dead).await.unwrap_err();
    assert_eq!((error.kind(), error.retry(), dead.connections()), (Kind::Unavailable, Retry::Later, 3));
}

#[tokio::test]
async fn a_slow_server_is_given_up_in_time() {
    let server = Server::start(|_, _| Reply { hangs: true, ..Reply::new(200) }).await;
    let begun = Instant::now();
    let error = ask(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Later), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let drip = |_: &crate::testing::Seen, _| {
        let pace = Some((1, Duration::from_millis(100)));
        Reply { pace, ..Reply::new(200).body("x".repeat(500)) }
    };
    let dripping = Server::start(drip).await;
    let begun = Instant::now();
    assert_eq!(ask(&dripping).await.unwrap_err().kind(), Kind::Timeout);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_and_not_asked_for_again() {
    let endless = |_: &crate::testing::Seen, _| {
        let body = vec![b'x'; 700];
        Reply { body, endless: true, ..Reply::new(200) }
    };
    let server = Server::start(endless).await;
    let long = Server::start(|_, _| Reply::new(200).body("x".repeat(1_001))).await;
    for server in [&server, &long] {
        let error = ask(server).await.unwrap_err();
        assert!(error.message().contains("more than 1000 bytes"), "{error}");
        assert_eq!((error.retry(), server.connections()), (Retry::Never, 1));
    }
}

#[tokio::test]
async fn addresses_inside_are_not_asked_and_redirects_not_followed() {
    let server = Server::start(|_, _| Reply::new(200).body("no")).await;
    let closed = Client::new(guard_for(&[], Duration::from_secs(5)), Patience::default());
    let url = Secret::new(server.url("/speke"));
    let error = closed.ask(&url, "<question/>", 1_000).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Denied, Retry::Never));
    assert_eq!(server.connections(), 0);
    let target = server.url("/moved");
    let moved = Server::start(move |_, _| Reply::new(307).header("Location", &target).body("")).await;
    assert!(ask(&moved).await.unwrap_err().message().contains("307"));
    assert_eq!(server.connections(), 0);
}
