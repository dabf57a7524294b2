//! Attempts to get inside, against a server that must never be reached.

use std::time::Duration;

use mps_core::error::{Kind, Retry};
use reqwest::Method;
use url::Url;

use super::{Ask, Guard, Policy, Timeouts};
use crate::testing::{Reply, Server, guard_for};

const IDLE: Duration = Duration::from_secs(2);

async fn inner() -> Server {
    Server::start(|_, _| Reply::new(200).body("secret")).await
}

fn strict() -> Guard {
    guard_for(&[], IDLE)
}

/// What a user's URL leads to; parsing is part of it.
async fn get(guard: &Guard, url: &str) -> mps_core::Result<u16> {
    let url = guard.check_url(url)?;
    Ok(guard.send(Ask::new(Method::GET, url)).await?.status().as_u16())
}

#[tokio::test]
async fn no_clothing_of_an_inner_address_is_followed() {
    let inner = inner().await;
    let guard = strict();
    let hosts = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "１２７.0.0.1",
        "%31%32%37.0.0.1",
        "localhost",
        "LOCALHOST",
        "user:password@127.0.0.1",
        "example.com@127.0.0.1",
        "127.0.0.1#@example.com",
    ];
    for host in hosts {
        let (host, fragment) = host.split_once('#').map_or((host, ""), |(host, rest)| (host, rest));
        let url = format!("http://{host}:{}/latest/meta-data#{fragment}", inner.port);
        let error = get(&guard, &url).await.expect_err(&url);
        assert_eq!(error.kind(), Kind::Denied, "{url}: {error:?}");
        assert_eq!(error.retry(), Retry::Never, "{url}");
        assert!(error.message().contains("network.allow_private"), "{url}: {error}");
        assert!(error.message().contains("address "), "{url}: {error}");
    }
    // Not every resolver knows this one.
    get(&guard, &format!("http://localhost.:{}/", inner.port)).await.unwrap_err();
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
    ] {
        assert_eq!(get(&guard, url).await.expect_err(url).kind(), Kind::Denied, "{url}");
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn other_schemes_and_odd_texts_are_no_urls_to_follow() {
    let guard = strict();
    for url in [
        "file:///etc/passwd",
        "ftp://example.com/x",
        "gopher://127.0.0.1:6379/_x",
        "data:text/plain,x",
        "concat:a|b",
        "/etc/passwd",
        "http://",
        "http://./",
        "http://[::1",
        "",
    ] {
        assert_eq!(get(&guard, url).await.expect_err(url).kind(), Kind::InvalidInput, "{url}");
    }
}

#[tokio::test]
async fn a_redirect_leads_inside_no_more_than_a_url() {
    let inner = inner().await;
    let port = inner.port;
    let hops = [
        format!("http://127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "javascript:alert(1)".to_owned(),
    ];
    for hop in hops {
        for status in [301, 302, 303, 307, 308] {
            let to = hop.clone();
            let outer = Server::start(move |_, _| Reply::new(status).header("Location", &to).body("")).await;
            let error = get(&guard_for(&[&outer], IDLE), &outer.url("/")).await.expect_err(&hop);
            assert!(matches!(error.kind(), Kind::Denied | Kind::InvalidInput), "{hop}: {error:?}");
            assert_eq!(error.retry(), Retry::Never, "{hop}");
        }
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn redirects_are_followed_three_times_and_every_leftover_is_a_failure() {
    let steps = |most: usize| {
        move |_: &crate::testing::Seen, before: usize| {
            if before < most {
                Reply::new(302).header("Location", "/next").body("")
            } else {
                Reply::new(200).body("")
            }
        }
    };
    let three = Server::start(steps(3)).await;
    assert_eq!(get(&guard_for(&[&three], IDLE), &three.url("/")).await.unwrap(), 200);
    let four = Server::start(steps(4)).await;
    let error = get(&guard_for(&[&four], IDLE), &four.url("/")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    for status in [300, 304, 305, 399] {
        let odd = Server::start(move |_, _| Reply::new(status).body("")).await;
        let error = get(&guard_for(&[&odd], IDLE), &odd.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{status}");
    }
}

#[tokio::test]
async fn an_entry_for_a_host_and_port_opens_no_other_port_and_no_other_name() {
    let (open, shut) = (inner().await, inner().await);
    let policy = Policy::parse([format!("localhost:{}", open.port)]).unwrap();
    let guard = Guard::new(policy, Timeouts { connect: IDLE, idle: IDLE }).unwrap();
    assert_eq!(get(&guard, &format!("http://localhost:{}/", open.port)).await.unwrap(), 200);
    for url in [format!("http://localhost:{}/", shut.port), shut.url("/"), open.url("/")] {
        assert_eq!(get(&guard, &url).await.expect_err(&url).kind(), Kind::Denied, "{url}");
    }
    assert_eq!((open.connections(), shut.connections()), (1, 0));
}

#[tokio::test]
async fn credentials_go_to_their_own_origin_only_and_into_no_message() {
    let second = Server::start(|_, _| Reply::new(200).body("")).await;
    let to = second.url("/there");
    let first = Server::start(move |_, _| Reply::new(302).header("Location", &to).body("")).await;
    let guard = guard_for(&[&first, &second], IDLE);
    let url = format!("http://ann:s%40cret@127.0.0.1:{}/here?token=T", first.port);
    assert_eq!(get(&guard, &url).await.unwrap(), 200);
    assert_eq!(first.seen()[0].header("authorization"), "Basic YW5uOnNAY3JldA==");
    assert_eq!(first.seen()[0].target, "/here?token=T");
    assert_eq!(second.seen()[0].header("authorization"), "");
    let closed = Url::parse("http://ann:s%40cret@127.0.0.1:9/here?token=T").unwrap();
    let policy = Policy::parse(["127.0.0.1"]).unwrap();
    let guard = Guard::new(policy, Timeouts { connect: IDLE, idle: IDLE }).unwrap();
    let error = guard.send(Ask::new(Method::GET, closed)).await.unwrap_err();
    let told = format!("{error:?} {}", error.chain());
    assert!(told.contains("http://127.0.0.1:9/here"), "{told}");
    assert!(!told.contains("cret") && !told.contains("token"), "{told}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let silent =
        Server::start(|_, _| Reply { hangs: true, ..Reply::new(200).header("Content-Length", 5) }).await;
    let guard = guard_for(&[&silent], Duration::from_millis(200));
    let answer = guard.send(Ask::new(Method::GET, Url::parse(&silent.url("/")).unwrap())).await.unwrap();
    let error = super::failure(&Url::parse(&silent.url("/")).unwrap(), answer.bytes().await.unwrap_err());
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Later));
}
